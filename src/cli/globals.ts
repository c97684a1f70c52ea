// The options before the command's name: where minictr keeps its things, and how it talks.

import { DEFAULT_ROOTS } from '../containers/default-roots.ts'
import { DEFAULT_CONFIGURATION_FILE } from '../images/configuration-file.ts'
import type { GlobalOptions } from './command.ts'
import { usageError, WRONG_FLAG_STATUS } from './usage-error.ts'

export type Invocation = { globals: GlobalOptions; wants: 'command' | 'help' | 'version'; words: string[] }

const directories: { [flag: string]: 'root' | 'runRoot' | 'configFile' } = {
  '--root': 'root',
  '--run-root': 'runRoot',
  '--config': 'configFile',
}

/**
 * Reads the global options; `words` is what follows them, the command's name first (what `help` is about, where that is
 * wanted). Relative paths are taken from the working directory. Throws MinictrError in Docker's words for an unknown flag
 * or a missing value.
 */
export function parseGlobals(argv: string[]): Invocation {
  const globals: GlobalOptions = {
    ...DEFAULT_ROOTS,
    configFile: DEFAULT_CONFIGURATION_FILE,
    debug: false,
  }
  let at = 0
  for (; at < argv.length && argv[at]!.startsWith('-'); at++) {
    const word = argv[at]!
    if (word === '--help' || word === '-h') return { globals, wants: 'help', words: argv.slice(at + 1) }
    if (word === '--version' || word === '-v') return { globals, wants: 'version', words: argv.slice(at + 1) }
    if (word === '--debug' || word === '-D') {
      globals.debug = true
      continue
    }
    const [flag, ...value] = word.split('=')
    const key = Object.hasOwn(directories, flag!) ? directories[flag!]! : undefined
    if (key === undefined) throw usageError(`unknown flag: ${flag}`, 'minictr', WRONG_FLAG_STATUS)
    const path = value.length > 0 ? value.join('=') : argv[++at]
    if (path === undefined || path === '')
      throw usageError(`flag needs an argument: ${flag}`, 'minictr', WRONG_FLAG_STATUS)
    globals[key] = absolute(path)
  }
  const words = argv.slice(at)
  if (words[0] === 'help') return { globals, wants: 'help', words: words.slice(1) }
  return { globals, wants: words.length === 0 ? 'help' : 'command', words }
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : process.getBuiltinModule('node:path').resolve(path)
}
