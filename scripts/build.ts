// The build: two bundled files for Node, one static helper, one launcher, all in dist/.
//
// docs/decisions/esbuild.md and start-up.md have the figures behind it. dist/ is made of
//   minictr          the launcher: finds Node (find-node.sh), starts the loader
//   minictr.cjs      the loader: starts the bundle with what V8 compiled of it (*.cache)
//   run.cjs          what a run needs, and rest.cjs, all else
//   minictr-helper   the executor and monitor, a static program

import { spawnSync } from 'node:child_process'
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
 * V8's flags for runs, as far as this Node has them. Hashing every name of Node's start-up snapshot anew, with a seed of
 * the process's own, takes 3 ms; it defends servers against requests made of names that collide. Compiling better what
 * runs once is of no use. With 16 MiB for new objects in place of one, a run ends before the first garbage collection.
 */
const runFlags = ['--no-rehash-snapshot', '--no-maglev', '--min-semi-space-size=16'].filter(
  flag => spawnSync(process.execPath, [flag, '--eval', '0']).status === 0,
)

/** Copies the launcher and the loader, telling the first where it was built and with which Node. */
function writeLauncher(): void {
  const launcher = readFileSync(join(project, 'scripts/launcher.sh'), 'utf8')
    .replace(/^built_in=$/m, `built_in=${shellQuoted(dist)}`)
    .replace(/^built_with=$/m, `built_with=${shellQuoted(process.execPath)}`)
    .replace(/^run_flags=$/m, `run_flags=${shellQuoted(runFlags.join(' '))}`)
  writeFileSync(join(dist, 'minictr'), launcher)
  chmodSync(join(dist, 'minictr'), 0o755)
  copyFileSync(join(project, 'scripts/find-node.sh'), join(dist, 'find-node.sh'))
  copyFileSync(join(project, 'scripts/loader.cjs'), join(dist, 'minictr.cjs'))
}

/**
 * Keeps what V8 compiles of the bundle while it runs a container, if it may (as root), or as far as it gets: functions that
 * are not called are not compiled. V8 knows a cache that does not fit by the length of the source only: the old ones
 * must be gone before a new bundle is written.
 */
function writeCodeCaches(): void {
  const writer = join(dist, 'cache-writer.cjs')
  // A cache that is there already knows more: it was made by a run.
  const keep = `
    const { existsSync, writeFileSync } = require('node:fs')
    process.on('exit', () => existsSync(path) || writeFileSync(path, script.createCachedData()))`
  const loader = readFileSync(join(project, 'scripts/loader.cjs'), 'utf8')
  writeFileSync(
    writer,
    loader.replace('function afterReading() {}', `function afterReading(script, path) {${keep}\n}`),
  )
  const roots = mkdtempSync(join(tmpdir(), 'minictr-build-'))
  const minictr = (before: string[], ...args: string[]) => {
    const command = [...before, '--', writer, '--root', roots, '--run-root', join(roots, 'run'), ...args]
    spawnSync(join(dist, 'minictr-helper'), ['beside', process.execPath, ...command])
  }
  const run = ['run', '--rm', '--network', 'none', 'warm', 'true']
  minictr([], 'image', 'from-host', 'warm', 'true')
  for (const name of caches()) rmSync(join(dist, name))
  minictr(runFlags, ...run)
  minictr([], ...run)
  minictr([], 'images')
  rmSync(roots, { recursive: true })
  rmSync(writer)
}

function caches(): string[] {
  return readdirSync(dist).filter(name => name.endsWith('.cache'))
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

process.chdir(project)
mkdirSync(dist, { recursive: true })
for (const name of caches()) rmSync(join(dist, name))
const metafile = await bundle(project, dist)
writeLicences(metafile)
compileHelper()
writeLauncher()
writeCodeCaches()
