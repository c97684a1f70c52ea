// The benchmark's entry: what is asked for is measured and printed as the Markdown of docs/performance.md.

import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Result } from './measure.ts'
import { installedPeers } from './peers.ts'
import { withWorkshop } from './workshop.ts'

// It makes every start of Node slower by reading all of the system's certificates.
delete process.env.NODE_EXTRA_CA_CERTS

const { values, positionals } = parseArgs({ options: { rounds: { type: 'string' } }, allowPositionals: true })
const known = ['run', 'pull', 'memory']
const unknown = positionals.find(name => !known.includes(name))
if (unknown !== undefined) throw new Error(`no benchmark is called ${unknown}; there are ${known.join(', ')}`)
const asked = new Set(positionals.length > 0 ? positionals : known)

function printTimes(title: string, results: Result[], bases: string[]): void {
  console.log(`\n### ${title}\n`)
  const against = results.filter(({ name }) => bases.includes(name))
  console.log(`| | median ms | fastest ms |${against.map(({ name }) => ` of ${name} |`).join('')}`)
  console.log(`|---|---:|---:|${against.map(() => '---:|').join('')}`)
  for (const { name, medianMs, fastestMs } of results) {
    const ratios = against.map(base => ` ${(medianMs / base.medianMs).toFixed(2)} |`)
    console.log(`| ${name} | ${medianMs.toFixed(1)} | ${fastestMs.toFixed(1)} |${ratios.join('')}`)
  }
  console.log(`\nRounds: ${results[0]!.rounds}.`)
}

const memoryGiB = Math.round(totalmem() / 1024 ** 3)
console.log(`Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${memoryGiB} GiB of memory.`)
console.log(
  `Node.js ${process.versions.node}; ${installedPeers()
    .map(({ name, version }) => `${name} ${version}`)
    .join('; ')}.`,
)

if (asked.has('run')) {
  const { benchmarkRun } = await import('./run.ts')
  const results = await withWorkshop(workshop => benchmarkRun(workshop, Number(values.rounds ?? 31)))
  printTimes('`run --rm --network none debian /bin/true`', results, ['docker run', 'podman run'])
  const [node, minictr] = results
  console.log(`minictr over Node's empty start: ${(minictr!.medianMs - node!.medianMs).toFixed(1)} ms.`)
}
if (asked.has('pull')) {
  const { benchmarkPull } = await import('./pull.ts')
  const results = await withWorkshop(workshop => benchmarkPull(workshop, Number(values.rounds ?? 7)))
  printTimes('`pull` of Debian (46 MB of gzip) into an empty store', results, [
    'tar -xzf',
    'docker pull',
    'podman pull',
  ])
}
if (asked.has('memory')) {
  const { benchmarkMemory } = await import('./memory.ts')
  const results = await withWorkshop(benchmarkMemory)
  console.log('\n### Memory\n\n| | MiB |\n|---|---:|')
  for (const { name, bytes } of results) console.log(`| ${name} | ${(bytes / 1024 ** 2).toFixed(1)} |`)
}
