// Starts the bundle with the code that V8 compiled at the build: without it every command compiles it anew.
//
// The build copies this file to dist/minictr.cjs. The bundle is two files of chunks (scripts/bundle.ts); the second is read
// where something is needed that a run does not need. What V8 compiled is read and never written here, so that nothing root
// does later changes the package; where it does not fit (another Node), V8 says so and compiles.

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

/** V8 takes back only what it compiled under the same flags: the launcher gives some to runs alone. */
const kept = process.execArgv.length > 0 ? '.flags.cache' : '.cache'

/** The chunks of one file of the bundle, functions by name. It is ASCII: latin1 takes it as it is. */
function readChunks(name) {
  const filename = `${__dirname}/${name}`
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

const ofRun = readChunks('run.cjs')
let rest
const made = new Map()

/** What a chunk exports; it is performed when it is first asked for. */
function chunk(name) {
  if (!made.has(name)) {
    if (!(name in ofRun)) rest ??= readChunks('rest.cjs')
    made.set(name, (ofRun[name] ?? rest[name])() ?? {})
  }
  return made.get(name)
}

/** import(): of a chunk by name, or of what a function gets. */
async function load(what) {
  return typeof what === 'string' ? chunk(what) : what()
}

chunk('main')
