// The bundle: files of chunks, each with what a kind of command needs, so that none reads much that it does not need; and what
// the unpacking thread runs.
//
// esbuild splits a program into chunks only as ECMAScript modules, which Node starts slowly. So each chunk becomes a
// function that returns what it exports, and scripts/loader.cjs hands them to each other, by the name of the file and the
// chunk's own. No chunk changes a variable after it has exported it, and none imports in a circle: to copy what is
// exported is enough.

import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { makeKnownPrograms } from './known-programs.ts'

/**
 * The modules that the commands in a hurry begin with; what these import statically is theirs, if no file before has it. What two of
 * `run`, `exec` and `end` have in common is in `base`, and the little that a run without networks needs of them.
 */
const beginnings = {
  base: ['src/main.ts', 'src/networks/address.ts'],
  run: ['src/cli/run.ts', 'src/containers/run.ts', 'src/containers/kept-stop.ts'],
  exec: ['src/cli/exec.ts', 'src/containers/exec.ts', 'src/containers/kept-exec.ts'],
  end: [
    ...['program', 'stop', 'kill', 'rm'].map(name => `src/cli/${name}.ts`),
    'node_modules/commander/index.js',
  ],
  network: ['src/containers/decide-networks.ts', 'src/containers/network-events.ts'],
  start: [
    ...['create', 'start', 'restart'].map(name => `src/cli/${name}.ts`),
    ...['create', 'start', 'restart-wait'].map(name => `src/containers/${name}.ts`),
  ],
  pull: ['src/cli/pull.ts', 'src/system/lock.ts', 'src/images/layer-tar.ts', 'src/images/unpack-thread.ts'],
}

/** The files of the bundle, without their `.cjs`. */
const bundleFiles = [...Object.keys(beginnings), 'rest']

/** import.meta does not exist outside of modules; what it says of a file is said of the bundle. */
const importMeta = { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }

/** Puts the filter programs that are compiled now in place of the sources' empty list. */
const compiledBefore: Plugin = {
  name: 'compiled-before',
  setup({ onLoad }) {
    onLoad({ filter: /\/runtime\/seccomp\/known-programs\.ts$/ }, () => ({
      contents: `export const knownPrograms = ${JSON.stringify(makeKnownPrograms())}`,
    }))
  },
}

/**
 * commander would start programs for subcommands that are files of their own. There are none, and node:child_process, with the
 * streams behind it, takes as long to load as all of commander.
 */
const noSubprograms: Plugin = {
  name: 'no-subprograms',
  setup({ onResolve }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/')
        ? { path: join(import.meta.dirname, 'no-subprograms.ts') }
        : undefined,
    )
  },
}

/** Writes the files of the bundle and unpack-worker.cjs into `dist`; returns esbuild's account of what went in. */
export async function bundle(project: string, dist: string): Promise<Metafile> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: ['src/main.ts'],
    outdir: dist,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    define: importMeta,
    plugins: [compiledBefore, noSubprograms],
    metafile: true,
    logLevel: 'warning',
  }).catch(() => process.exit(1)) // esbuild has printed what is wrong, and where
  refuseVariables(project, metafile)
  const fileOf = filesOfChunks(metafile)
  for (const file of bundleFiles) {
    const theirs = outputFiles.filter(({ path }) => fileOf(chunkName(path)) === file)
    writeChunks(join(dist, `${file}.cjs`), theirs, fileOf)
  }
  const thread = await bundleThread(project, dist)
  return {
    inputs: { ...thread.inputs, ...metafile.inputs },
    outputs: { ...thread.outputs, ...metafile.outputs },
  }
}

/** Writes unpack-worker.cjs, with which a thread begins: it loads nothing that unpacking does not need. */
async function bundleThread(project: string, dist: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: project,
    entryPoints: ['src/images/unpack-worker.ts'],
    outfile: join(dist, 'unpack-worker.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    define: importMeta,
    metafile: true,
    logLevel: 'warning',
  }).catch(() => process.exit(1)) // esbuild has printed what is wrong, and where
  return metafile
}

function chunkName(path: string): string {
  return basename(path, '.js')
}

function refuseVariables(project: string, { inputs }: Metafile): void {
  for (const file of Object.keys(inputs)) {
    if (/^export (let|var)\b/m.test(readFileSync(join(project, file), 'utf8')))
      throw new Error(`${file} exports a variable, and other chunks would not see it change: use a function`)
  }
}

function chunksOf(modules: string[], { outputs }: Metafile): Set<string> {
  const names = new Set<string>()
  const add = (path: string) => {
    if (names.has(chunkName(path))) return
    names.add(chunkName(path))
    for (const { kind, path: imported, external } of outputs[path]!.imports)
      if (kind === 'import-statement' && !external) add(imported)
  }
  // Where others share what a module is made of, its own chunk is one that only names that one.
  for (const [path, { entryPoint = '', inputs }] of Object.entries(outputs))
    if (modules.some(module => module === entryPoint || module in inputs)) add(path)
  return names
}

/** In which file of the bundle a chunk lies, by the chunk's name. */
type FileOf = (chunk: string) => string

function filesOfChunks(metafile: Metafile): FileOf {
  const needed = Object.entries(beginnings).map(([file, modules]) => ({
    file,
    chunks: chunksOf(modules, metafile),
  }))
  const [, ...hasty] = needed.slice(0, 4)
  const isCommon = (chunk: string) => hasty.filter(({ chunks }) => chunks.has(chunk)).length > 1
  return chunk => {
    if (isCommon(chunk)) return 'base'
    return needed.find(({ chunks }) => chunks.has(chunk))?.file ?? 'rest'
  }
}

/** Writes one function expression, which gives the chunks of the file by name. */
function writeChunks(path: string, chunks: { path: string; text: string }[], fileOf: FileOf): void {
  const members = chunks.map(chunk => {
    const name = nameInBundle(chunk.path, fileOf)
    return `${JSON.stringify(name)}() {\n${asFunctionBody(chunk.text, fileOf)}},\n`
  })
  const text = `(function (require, chunk, load, __filename, __dirname) {\nreturn {\n${members.join('')}}\n})\n`
  writeFileSync(path, text)
}

/** `run/chunk-ABCDEFGH`: by it the loader knows which file to read. */
function nameInBundle(path: string, fileOf: FileOf): string {
  const name = chunkName(path)
  return `${fileOf(name)}/${name}`
}

/** A module as esbuild writes it, whose imports stand at its beginning and its one export at its end. */
function asFunctionBody(module: string, fileOf: FileOf): string {
  const required = (from: string) =>
    from.startsWith('./') ? `chunk("${nameInBundle(from, fileOf)}")` : `require("${from}")`
  return module
    .replace(/^import "([^"]+)";$/gm, (_, from) => `${required(from)};`)
    .replace(
      /^import (?:\* as )?(\w+) from "([^"]+)";$/gm,
      (_, name, from) => `const ${name} = ${required(from)};`,
    )
    .replace(/^import (?:(\w+), )?\{([^}]*)\} from "([^"]+)";$/gm, (_, whole, names, from) => {
      const parts = `{${names.replaceAll(' as ', ': ')}} = ${required(from)}`
      return whole === undefined ? `const ${parts};` : `const ${whole} = ${required(from)}, ${parts};`
    })
    .replace(
      /^export \{([^}]*)\};$/m,
      (_, names) => `return {${names.replaceAll(/(\w+) as (\w+)/g, '$2: $1')}};`,
    )
    .replace(/\bimport\("([^"]+)"\)/g, (_, from) =>
      from.startsWith('./') ? `load("${nameInBundle(from, fileOf)}")` : `load(() => require("${from}"))`,
    )
}
