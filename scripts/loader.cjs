// Starts the bundle (main.cjs) with the code that V8 compiled at the build: without it every command compiles it anew.
//
// The build copies this file to dist/minictr.cjs. The cache is read and never written here, so that nothing root does
// later changes the package; where it does not fit (another Node), V8 says so and compiles.

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

const filename = `${__dirname}/main.cjs`

/** The bundle as the function that Node makes of every CommonJS file. */
function compile(cachedData) {
  const [before, after] = ['(function (exports, require, module, __filename, __dirname) { ', '\n});']
  return new Script(before + readFileSync(filename, 'utf8') + after, { filename, cachedData })
}

function readCache() {
  try {
    return readFileSync(`${filename}.cache`)
  } catch {
    return undefined
  }
}

const script = compile(readCache())
script.runInThisContext()(exports, require, module, filename, __dirname)
