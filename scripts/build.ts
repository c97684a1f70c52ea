// The build: one bundled file for Node, one static helper, one launcher, all in dist/.
//
// One CommonJS file starts fastest (docs/decisions/esbuild.md has the figures). Parts behind `await import(…)` stay
// unevaluated in it until they are asked for. dist/ is made of
//   minictr          the launcher: finds Node (find-node.sh), starts the loader
//   minictr.cjs      the loader: starts the bundle with its code cache
//   main.cjs         the bundle, and main.cjs.cache, what V8 made of it
//   minictr-helper   the executor and monitor, a static program

import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'

const project = join(import.meta.dirname, '..')
const dist = join(project, 'dist')

/** Bundles src/main.ts and what it imports; returns esbuild's account of what went in. */
async function bundle(): Promise<Metafile> {
  const result = await build({
    entryPoints: [join(project, 'src/main.ts')],
    outfile: join(dist, 'main.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Node's own modules behind `await import(…)` by require: as ECMAScript modules they start ten times slower.
    supported: { 'dynamic-import': false },
    // import.meta does not exist in CommonJS; what it says of a file is said of the bundle.
    define: {
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    metafile: true,
    logLevel: 'warning',
  })
  return result.metafile
}

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

/** Copies the launcher and the loader, telling the first where it was built and with which Node. */
function writeLauncher(): void {
  const launcher = readFileSync(join(project, 'scripts/launcher.sh'), 'utf8')
    .replace(/^built_in=$/m, `built_in=${shellQuoted(dist)}`)
    .replace(/^built_with=$/m, `built_with=${shellQuoted(process.execPath)}`)
  writeFileSync(join(dist, 'minictr'), launcher)
  chmodSync(join(dist, 'minictr'), 0o755)
  copyFileSync(join(project, 'scripts/find-node.sh'), join(dist, 'find-node.sh'))
  copyFileSync(join(project, 'scripts/loader.cjs'), join(dist, 'minictr.cjs'))
}

/**
 * Keeps what V8 compiles of the bundle while it runs a container, if it may (as root), or as far as it gets: functions that
 * are not called are not compiled. V8 knows a cache that does not fit by the length of the source only: the old one
 * must be gone before a new bundle is written.
 */
function writeCodeCache(): void {
  const loader = readFileSync(join(project, 'scripts/loader.cjs'), 'utf8')
  const writer = join(dist, 'cache-writer.cjs')
  const save = 'writeFileSync(filename + ".cache", script.createCachedData())'
  writeFileSync(writer, `${loader}\nprocess.on('exit', () => require('node:fs').${save})\n`)
  const roots = mkdtempSync(join(tmpdir(), 'minictr-build-'))
  const inRoots = ['--root', roots, '--run-root', join(roots, 'run')]
  spawnSync(join(dist, 'minictr'), [...inRoots, 'image', 'from-host', 'warm', 'true'])
  // As the launcher starts a run: with its monitor beside it.
  const asLaunched = ['beside', process.execPath, writer, ...inRoots]
  spawnSync(join(dist, 'minictr-helper'), [...asLaunched, 'run', '--rm', '--network', 'none', 'warm', 'true'])
  rmSync(roots, { recursive: true })
  rmSync(writer)
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

process.chdir(project)
mkdirSync(dist, { recursive: true })
rmSync(join(dist, 'main.cjs.cache'), { force: true })
// esbuild has printed what is wrong, and where.
const metafile = await bundle().catch(() => process.exit(1))
writeLicences(metafile)
compileHelper()
writeLauncher()
writeCodeCache()
