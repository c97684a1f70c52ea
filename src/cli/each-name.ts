// Commands that take several names: one that fails does not keep the others.

import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import type { Container } from '../containers/state.ts'
import type { Observer } from '../runtime/perform.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { hostExecutor } from '../system/monitor.ts'
import type { GlobalOptions } from './command.ts'
import { explain } from './failure.ts'
import { say } from './output.ts'
import { type WatchFlags, watchingOf } from './watch-options.ts'

/** So many containers are acted on at once, as by Docker. */
const MOST_AT_ONCE = 50

/**
 * Does it for each name in turn and prints what it returns, a line each. Errors are told as they come; the exit status is 1
 * then, and the names for which it failed are returned. What is no MinictrError ends it.
 */
export async function eachName(
  names: string[],
  globals: GlobalOptions,
  act: (name: string) => Promise<string | undefined>,
): Promise<string[]> {
  const failed: string[] = []
  for (const name of names) {
    if (!tell(await outcomeOf(act(name)), globals)) failed.push(name)
  }
  return failed
}

/** The same for all names at once; what there is to be told of each is told in their order. */
export async function eachNameAtOnce(
  names: string[],
  globals: GlobalOptions,
  act: (name: string) => Promise<string | undefined>,
): Promise<void> {
  for (let first = 0; first < names.length; first += MOST_AT_ONCE) {
    const outcomes = names.slice(first, first + MOST_AT_ONCE).map(name => outcomeOf(act(name)))
    for (const outcome of outcomes) tell(await outcome, globals)
  }
}

/** Something that is done to a container on the host; false where somebody who watched did not go on. */
export type ContainerAct = (
  container: Container,
  executor: Executor,
  observer: Observer | undefined,
) => Promise<boolean>

/**
 * Acts on each of several containers: on all at once, and on one after the other where somebody watches. Prints their names as
 * they were given. An error for which `isFine` is only told.
 */
export async function actOnEach(
  names: string[],
  flags: WatchFlags,
  globals: GlobalOptions,
  act: ContainerAct,
  isFine: (error: unknown) => boolean = () => false,
): Promise<void> {
  await recover(globals)
  const watch = await watchingOf(flags)
  const isAlone = watch !== undefined || names.length === 1
  const actOn = async (name: string) => {
    const { executor, close } = hostExecutor({ isAlone })
    try {
      const isDone = await act(findContainer(globals, name), executor, watch?.observer)
      return isDone ? name : undefined
    } catch (error) {
      if (!isFine(error)) throw error
      say('stderr', explain(error, globals.debug))
      return undefined
    } finally {
      await close()
    }
  }
  if (watch) await eachName(names, globals, actOn).finally(watch.finish)
  else await eachNameAtOnce(names, globals, actOn)
}

type Told = { line: string | undefined } | { error: unknown }

async function outcomeOf(act: Promise<string | undefined>): Promise<Told> {
  return await act.then(
    line => ({ line }),
    error => ({ error }),
  )
}

/** Whether there was no error. */
function tell(outcome: Told, { debug }: GlobalOptions): boolean {
  if ('line' in outcome) {
    if (outcome.line !== undefined) say('stdout', `${outcome.line}\n`)
    return true
  }
  if (!(outcome.error instanceof MinictrError)) throw outcome.error
  say('stderr', explain(outcome.error, debug))
  process.exitCode = 1
  return false
}
