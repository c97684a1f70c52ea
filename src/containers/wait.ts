// wait: the end of a container, whoever started it.

import { waitForEnd } from '../system/attach.ts'
import { delay } from '../system/delay.ts'
import type { RunSettings } from './plan-run.ts'
import { recover } from './recover.ts'
import { type Container, containerPaths, NoSuchContainerError, readContainer } from './state.ts'

const LOOK_AGAIN_MS = 50

/**
 * Resolves to the status of a container when it does not run (any more): at once where it has ended, where it was never
 * started to 0 or the status of the attempt, to undefined where nobody saw how it ended, because its monitor was killed.
 * Throws MinictrError where it has gone with an end (--rm) that this process was not told of. Source: moby, container/state.go
 * (Wait).
 */
export async function waitForContainer(
  container: Container,
  settings: RunSettings,
): Promise<number | undefined> {
  for (let current: Container | undefined = container; ; current = readContainer(settings, container.id)) {
    if (!current) throw new NoSuchContainerError(container.name)
    if (current.status === 'created') return current.startError?.exitStatus ?? 0
    if (current.status === 'exited') return current.exit?.exitStatus ?? undefined
    const status = current.status === 'running' ? await endOfRun(current, settings) : undefined
    if (status !== undefined) return status
    await delay(LOOK_AGAIN_MS)
  }
}

/** Undefined where nobody could be asked: it was just starting or ending, or its monitor is gone, and its end is undone now. */
async function endOfRun({ id }: Container, settings: RunSettings): Promise<number | undefined> {
  const end = await waitForEnd(containerPaths(settings, id).socket)
  if (!end) await recover(settings)
  return end?.status
}
