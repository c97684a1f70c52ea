// The start that a restart policy asks for, made by the process that has waited for it.

import { rmSync } from 'node:fs'
import { StepError } from '../runtime/step-error.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { withContainerLock } from './container-lock.ts'
import { replaceFile } from './json-file.ts'
import type { PolicyRestart } from './launch.ts'
import type { RunSettings } from './plan-run.ts'
import { ownWait } from './restart-wait.ts'
import { startContainer } from './start.ts'
import { containerPaths, readContainer } from './state.ts'

/**
 * Starts the container that this process has waited for; does nothing where somebody has stopped, started or removed it since.
 * A start that fails is the last one, as with Docker; `lifecycle.restartError` then says why. Throws that error.
 */
export async function restartByPolicy(id: string, settings: RunSettings): Promise<void> {
  const { executor, close } = spawnExecutor()
  try {
    const restart = await withContainerLock(settings, id, executor, () => wantedRestart(id, settings))
    if (restart) await startContainer(id, settings, { restart })
  } catch (error) {
    if (isCancelled(error)) return
    await giveUp(id, settings, executor, error)
    throw error
  } finally {
    await close()
  }
}

function wantedRestart(id: string, settings: RunSettings): PolicyRestart | undefined {
  const { lifecycle } = readContainer(settings, id) ?? {}
  const waiting = ownWait(settings, id)
  return lifecycle && waiting && { count: lifecycle.restartCount + 1, delayMs: waiting.delayMs }
}

async function giveUp(id: string, settings: RunSettings, host: Executor, error: unknown): Promise<void> {
  await withContainerLock(settings, id, host, () => {
    const { lifecycle } = readContainer(settings, id) ?? {}
    if (!lifecycle || !ownWait(settings, id)) return
    const { lifecycle: file, restartWait } = containerPaths(settings, id)
    const restartError = error instanceof MinictrError ? error.message : String(error)
    replaceFile(file, { ...lifecycle, restartError })
    rmSync(restartWait, { force: true })
  })
}

/** Whoever stops a container takes away what a restart looks for before it makes anything. */
function isCancelled(error: unknown): boolean {
  return error instanceof StepError && error.failure.step.id === 'confirm-restart'
}
