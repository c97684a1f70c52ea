// The benchmark's entry: what is asked for is measured and printed as the Markdown of docs/performance.md.

import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { medianRatio, type Result } from './measure.ts'
import { installedPeers } from './peers.ts'
import { withWorkshop } from './workshop.ts'

// It makes every start of Node slower by reading all of the system's certificates.
delete process.env.NODE_EXTRA_CA_CERTS

const { values, positionals } = parseArgs({ options: { rounds: { type: 'string' } }, allowPositionals: true })
const known = ['run', 'pull', 'memory', 'lifecycle', 'idle', 'logs', 'networks']
const unknown = positionals.find(name => !known.includes(name))
if (unknown !== undefined) throw new Error(`no benchmark is called ${unknown}; there are ${known.join(', ')}`)
const asked = new Set(positionals.length > 0 ? positionals : known)

function printTimes(title: string, results: Result[], bases: string[]): void {
  console.log(`\n### ${title}\n`)
  const against = results.filter(({ name }) => bases.includes(name))
  console.log(`| | median ms | fastest ms |${against.map(({ name }) => ` of ${name} |`).join('')}`)
  console.log(`|---|---:|---:|${against.map(() => '---:|').join('')}`)
  for (const result of results) {
    const { name, medianMs, fastestMs } = result
    const ratios = against.map(base => ` ${medianRatio(result, base).toFixed(2)} |`)
    console.log(`| ${name} | ${medianMs.toFixed(1)} | ${fastestMs.toFixed(1)} |${ratios.join('')}`)
  }
  console.log(`\nRounds: ${results[0]!.timesMs.length}; ratios are medians of those of each round.`)
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
if (asked.has('lifecycle')) {
  const { benchmarkLifecycle } = await import('./lifecycle.ts')
  const { removal, stop, exec } = await withWorkshop(workshop =>
    benchmarkLifecycle(workshop, Number(values.rounds ?? 15)),
  )
  printTimes('`run -d` and `rm -f`', removal, ['docker run -d, rm -f', 'podman run -d, rm -f'])
  printTimes('`stop` of a program that obeys', stop, ['docker stop', 'podman stop'])
  printTimes('`exec … true`', exec, ['docker exec true', 'podman exec true'])
}
if (asked.has('idle')) {
  const { benchmarkIdle } = await import('./idle.ts')
  const results = await withWorkshop(benchmarkIdle)
  console.log('\n### A hundred containers that sleep\n')
  console.log('| | started one by one, a second | eight at once, a second | monitor, MiB each |')
  console.log('|---|---:|---:|---:|')
  for (const { name, oneByOne, sideBySide, monitorBytes } of results) {
    const memory = monitorBytes === undefined ? '' : (monitorBytes / 1024 ** 2).toFixed(2)
    console.log(`| ${name} | ${oneByOne.toFixed(1)} | ${sideBySide.toFixed(1)} | ${memory} |`)
  }
}
if (asked.has('logs')) {
  const { benchmarkListsAndLogs } = await import('./lists-and-logs.ts')
  const { lists, logs, chatter, logMegabytes, chatterMegabytes } = await withWorkshop(workshop =>
    benchmarkListsAndLogs(workshop, Number(values.rounds ?? 7)),
  )
  printTimes('`ps -a`', lists, [])
  console.log(`Over Node's empty start: ${(lists[1]!.medianMs - lists[0]!.medianMs).toFixed(1)} ms.`)
  const speed = (megabytes: number, ms: number) => (megabytes / (ms / 1000)).toFixed(0)
  console.log('\n### Logs\n\n| | MB/s |\n|---|---:|')
  console.log(`| \`logs\` of ${logMegabytes} MB | ${speed(logMegabytes, logs.medianMs)} |`)
  console.log(
    `| a container that writes ${chatterMegabytes} MB | ${speed(chatterMegabytes, chatter.medianMs)} |`,
  )
}
if (asked.has('networks')) {
  const { benchmarkNetworks } = await import('./networks.ts')
  const { runs, stops, attaches, traffic } = await withWorkshop(workshop =>
    benchmarkNetworks(workshop, Number(values.rounds ?? 31)),
  )
  printTimes('`run --rm debian /bin/true` with a network', runs, ['docker run', 'podman run'])
  const [without, bridged] = runs
  console.log(`minictr over one without: ${(bridged!.medianMs - without!.medianMs).toFixed(1)} ms.`)
  printTimes('`stop` of a program that obeys, with a network', stops, ['docker stop', 'podman stop'])
  console.log('\n### `run -d` in a network that has many containers\n')
  console.log('| | the 10th, ms | the 195th, ms | of the 10th |\n|---|---:|---:|---:|')
  for (const { name, tenthMs, lastMs } of attaches)
    console.log(
      `| ${name} | ${tenthMs.toFixed(1)} | ${lastMs.toFixed(1)} | ${(lastMs / tenthMs).toFixed(2)} |`,
    )
  console.log('\n### Traffic of one TCP connection, Gbit/s\n')
  console.log('| | from container to container | from another host to a port | from 127.0.0.1 to a port |')
  console.log('|---|---:|---:|---:|')
  for (const { name, ...results } of traffic)
    console.log(
      `| ${name} | ${Object.values(results)
        .map(each => `${each.toFixed(1)} |`)
        .join(' ')}`,
    )
}
if (asked.has('memory')) {
  const { benchmarkMemory } = await import('./memory.ts')
  const results = await withWorkshop(benchmarkMemory)
  console.log('\n### Memory\n\n| | MiB |\n|---|---:|')
  for (const { name, bytes } of results) console.log(`| ${name} | ${(bytes / 1024 ** 2).toFixed(1)} |`)
}
