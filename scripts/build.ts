// The build: a bundle for Node, one static helper, one launcher, all in dist/.
//
// docs/decisions/esbuild.md and start-up.md have the figures behind it. dist/ is made of
//   minictr          the launcher: finds Node (find-node.sh), starts the loader
//   minictr.cjs      the loader: starts the bundle with what V8 compiled of it (*.cache)
//   base.cjs         what most commands in a hurry need, and what each kind of them needs besides (run.cjs, exec.cjs, …); rest.cjs,
//                    all else (scripts/bundle.ts)
//   unpack-worker.cjs  the program of the unpacking thread
//   minictr-helper   the executor and monitor, a static program

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { DEFAULT_ROOTS } from '../src/containers/default-roots.ts'
import { bundle } from './bundle.ts'

const project = join(import.meta.dirname, '..')
const dist = join(project, 'dist')

/** Writes the licences of the packages inside the bundle beside it, as their licences ask. */
function writeLicences(metafile: Metafile): void {
  const packages = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (match) packages.add(match[1]!)
  }
  const texts = [...packages].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(project, folder, 'package.json'), 'utf8'))
    return `${name} ${version} (${license})\n\n${licenceText(join(project, folder))}\n`
  })
  writeFileSync(join(dist, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`))
}

function licenceText(folder: string): string {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENCE', 'license']) {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch {}
  }
  throw new Error(`${folder} has no licence file: the bundle may not be given away without it`)
}

/** Compiles the static helper: native/Makefile knows how, and with which compiler. */
function compileHelper(): void {
  const { status } = spawnSync(
    'make',
    ['--no-print-directory', '-C', join(project, 'native'), `OUT=${join(dist, 'minictr-helper')}`],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  // make has printed what is wrong, and where.
  if (status !== 0) process.exit(1)
}

/**
 * V8's flags for run and exec, as far as this Node has them. Hashing every name of Node's start-up snapshot anew, with a seed of
 * the process's own, takes 3 ms; it defends servers against requests made of names that collide. Compiling better what
 * runs once is of no use. With 4 MiB for new objects in place of one, a run ends before the first garbage collection; more would
 * have to be made room for.
 */
const runFlags = ['--no-rehash-snapshot', '--no-maglev', '--min-semi-space-size=4'].filter(
  flag => spawnSync(process.execPath, [flag, '--eval', '0']).status === 0,
)

/** Copies the launcher and the loader, telling the first where it was built and with which Node. */
function writeLauncher(): void {
  const launcher = readFileSync(join(project, 'scripts/launcher.sh'), 'utf8')
    .replace(/^built_in=$/m, `built_in=${shellQuoted(dist)}`)
    .replace(/^built_with=$/m, `built_with=${shellQuoted(process.execPath)}`)
    .replace(/^run_flags=$/m, `run_flags=${shellQuoted(runFlags.join(' '))}`)
    .replace(/^roots=$/m, `roots=${shellQuoted(`${DEFAULT_ROOTS.root} ${DEFAULT_ROOTS.runRoot}`)}`)
  writeFileSync(join(dist, 'minictr'), launcher)
  chmodSync(join(dist, 'minictr'), 0o755)
  copyFileSync(join(project, 'scripts/find-node.sh'), join(dist, 'find-node.sh'))
  copyFileSync(join(project, 'scripts/loader.cjs'), join(dist, 'minictr.cjs'))
}

/**
 * Keeps what V8 compiles of the bundle while it does what is done most, if it may (as root), or as far as it gets:
 * functions that are not called are not compiled. V8 knows a cache that does not fit by the length of the source only: the
 * old ones must be gone before a new bundle is written.
 */
async function writeCodeCaches(): Promise<void> {
  const writer = join(dist, 'cache-writer.cjs')
  // Each process adds to what it has read. Before whoever waits is told that all is done, which ends this process (native/front.c).
  const keep = `
    const { writeFileSync } = require('node:fs')
    process.prependListener('exit', () => writeFileSync(path, script.createCachedData()))`
  const loader = readFileSync(join(project, 'scripts/loader.cjs'), 'utf8')
  writeFileSync(
    writer,
    loader.replace('function afterReading() {}', `function afterReading(script, path) {${keep}\n}`),
  )
  const roots = mkdtempSync(join(tmpdir(), 'minictr-build-'))
  const given = ['--root', roots, '--run-root', join(roots, 'run')]
  const apart = await networkNamespace()
  const minictr = (before: string[], ...args: string[]) => {
    const command = [...before, '--', writer, ...given, ...args]
    const [program, ...words] = [
      ...apart.enter,
      join(dist, 'minictr-helper'),
      'beside',
      process.execPath,
      ...command,
    ]
    return spawnSync(program!, words).status
  }
  minictr([], 'image', 'from-host', 'warm', 'true', 'sleep', 'ls')
  // The first one makes the network: what is kept is what later ones do. Where there can be none (no nft), they have none.
  const isMade = apart.enter.length > 0 && minictr([], 'run', '--rm', 'warm', 'true') === 0
  for (const name of filesOf('.cache')) rmSync(join(dist, name))
  const none = ['--network', 'none']
  for (const flags of [runFlags, []]) {
    for (const network of isMade ? [none, []] : [none]) {
      minictr(flags, 'run', '--rm', ...network, 'warm', 'true')
      minictr(
        flags,
        'run',
        '--detach',
        '--stop-signal',
        'KILL',
        '--name',
        'warm',
        ...network,
        'warm',
        'sleep',
        '9',
      )
      minictr(flags, 'exec', 'warm', 'true')
      minictr(flags, 'stop', 'warm')
      minictr(flags, 'start', 'warm')
      minictr(flags, 'rm', '--force', 'warm')
    }
  }
  minictr([], 'run', '--name', 'told', ...none, 'warm', 'ls')
  for (const looking of [['images'], ['inspect', 'told'], ['ps', '--all'], ['logs', 'told']])
    minictr([], ...looking)
  minictr([], 'rm', 'told')
  await pullOnce(writer, given, ['--root', join(roots, 'other'), '--run-root', join(roots, 'other-run')])
  apart.end()
  rmSync(roots, { recursive: true })
  rmSync(writer)
}

/** Serves the image of one root on loopback, and pulls it into another. */
async function pullOnce(program: string, from: string[], into: string[]): Promise<void> {
  const serve = ['--', program, ...from, 'image', 'serve', '--listen', '127.0.0.1:0']
  const registry = spawn(process.execPath, serve, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [said] = await Promise.race([once(registry.stdout, 'data'), once(registry.stdout, 'end')])
  const [, address] = /http:\/\/(\S+)/.exec(String(said)) ?? []
  if (address) spawnSync(process.execPath, ['--', program, ...into, 'pull', '--quiet', `${address}/warm`])
  registry.kill()
  if (registry.exitCode === null && registry.signalCode === null) await once(registry, 'exit')
}

/** A network namespace in which a bridge may be made; where there can be none, `enter` enters nothing. */
async function networkNamespace(): Promise<{ enter: string[]; end(): void }> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const isReady = await Promise.race([
    once(holder.stdout, 'data'),
    once(holder.stdout, 'end'),
    once(holder, 'error'),
  ])
  if (isReady.length === 0 || isReady[0] instanceof Error) return { enter: [], end: () => {} }
  return {
    enter: ['nsenter', '--net', '--target', String(holder.pid), '--'],
    end: () => holder.kill(),
  }
}

function filesOf(kind: '.cache' | '.cjs'): string[] {
  return readdirSync(dist).filter(name => name.endsWith(kind))
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

process.chdir(project)
mkdirSync(dist, { recursive: true })
// One that an earlier build made, under a name that is none any more, is not to stay.
for (const name of [...filesOf('.cache'), ...filesOf('.cjs')]) rmSync(join(dist, name))
const metafile = await bundle(project, dist)
writeLicences(metafile)
compileHelper()
writeLauncher()
await writeCodeCaches()
