// Starts the bundle with the code that V8 compiled at the build: without it every command compiles it anew.
//
// The build copies this file to dist/minictr.cjs. The bundle is files of chunks (scripts/bundle.ts), each read where
// something of it is needed. What V8 compiled is read and never written here, so that nothing root
// does later changes the package; where it does not fit (another Node), V8 says so and compiles.

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

/** Words among which a command's own is, and whose code it needs: taking back what others have compiled takes milliseconds. */
const KINDS = {
  run: 'run',
  exec: 'exec',
  rm: 'rm',
  pull: 'pull',
  ps: 'ps',
  logs: 'logs',
  create: 'start',
  start: 'start',
  restart: 'start',
  __restart: 'start',
  stop: 'stop',
  kill: 'stop',
}
const word = process.argv.find(each => Object.hasOwn(KINDS, each))
const kind = word === undefined ? 'look' : KINDS[word]

/** V8 takes back only what it compiled under the same flags: the launcher gives some to what acts on containers. */
const kept = process.execArgv.length > 0 ? `.${kind}.flags.cache` : `.${kind}.cache`

/** The chunks of one file of the bundle, functions by name. It is ASCII: latin1 takes it as it is. */
function readChunks(file) {
  const filename = `${__dirname}/${file}.cjs`
  let cachedData
  try {
    cachedData = readFileSync(filename + kept)
  } catch {}
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData })
  afterReading(script, filename + kept)
  return script.runInThisContext()(require, chunk, load, filename, __dirname)
}

/** Only the build does something here. */
function afterReading() {}

const files = new Map()
const made = new Map()

/** What a chunk exports; it is performed when it is first asked for. Its name begins with that of its file. */
function chunk(name) {
  let exported = made.get(name)
  if (exported === undefined) {
    const file = name.slice(0, name.indexOf('/'))
    let chunks = files.get(file)
    if (chunks === undefined) files.set(file, (chunks = readChunks(file)))
    made.set(name, (exported = chunks[name]() ?? {}))
  }
  return exported
}

/** import(): of a chunk by name, or of what a function gets. */
async function load(what) {
  return typeof what === 'string' ? chunk(what) : what()
}

chunk('base/main')
