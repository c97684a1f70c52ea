// The container whose plan is shown: of the many names that a command takes, explain and script take one.

import { findContainer } from '../containers/lookup.ts'
import type { Container } from '../containers/state.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** The container that the words name. Throws MinictrError where there is none, or more than one is named. */
export function oneContainer(words: string[], globals: GlobalOptions): Container {
  const [name, another] = words
  if (another !== undefined) {
    throw new MinictrError('a plan is about one container at a time', {
      remedy: 'Give one name; the command itself takes several, and does the same for each.',
    })
  }
  return findContainer(globals, name ?? '')
}
