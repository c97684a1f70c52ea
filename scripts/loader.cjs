// Starts the bundle (main.cjs) with the code that V8 compiled at the build: without it every command compiles it anew.
//
// The build copies this file to dist/minictr.cjs. The cache is read and never written here, so that nothing root does
// later changes the package; where it does not fit (another Node), V8 says so and compiles.

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

const filename = `${__dirname}/main.cjs`

/** What the build kept, or nothing where it is missing. */
function readCache() {
  try {
    return readFileSync(`${filename}.cache`)
  } catch {
    return undefined
  }
}

// The bundle is one function expression, of what Node hands to each CommonJS file. It is ASCII: latin1 takes it as it is.
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readCache() })
script.runInThisContext()(exports, require, module, filename, __dirname)
