// One probe of a container's health: an exec whose output is kept and whose time is limited, and what its result makes of the
// container's health.

import type { Readable } from 'node:stream'
import { MinictrError } from '../system/error.ts'
import { spawnExecutor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { Monitor } from '../system/monitor.ts'
import { withContainerLock } from './container-lock.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { beginExec } from './exec.ts'
import { execTeller } from './exec-events.ts'
import { isFrozen } from './frozen.ts'
import { healthAfter, type ProbeResult, readHealth } from './health.ts'
import { type ProbeTiming, probeCommand, probeTiming } from './health-check.ts'
import { replaceFile } from './json-file.ts'
import { formatDuration } from './moment.ts'
import { planExec } from './plan-exec.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'

/** So much of the output is kept. */
const LONGEST_OUTPUT_BYTES = 4096

/**
 * Probes a container and records its health; tells where that has changed. Returns whether the probe has succeeded; undefined
 * where there is nothing to probe: the container does not run, is paused, or has no check. Source: moby, daemon/health.go.
 */
export async function probe(id: string, roots: Roots): Promise<boolean | undefined> {
  const container = readContainer(roots, id)
  const check = container?.record.health
  const command = check && probeCommand(check)
  if (container?.status !== 'running' || !command || isPaused(container)) return undefined
  const timing = probeTiming(check)
  const result = await probeOnce(container, command, timing.timeoutMs, roots)
  const { executor, close } = spawnExecutor()
  try {
    await withContainerLock(roots, id, executor, () => record(container, result, timing, roots))
  } finally {
    await close()
  }
  return result.exitStatus === 0
}

/** What cannot be started has failed, and says why. */
async function probeOnce(
  container: Container,
  command: string[],
  timeoutMs: number,
  roots: Roots,
): Promise<ProbeResult> {
  const startedAtMs = Date.now()
  const teller = execTeller(container, command, roots)
  const monitor = Monitor.spawn({ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const output = beginningOf(monitor.output)
  let [exitStatus, why] = [-1, '']
  try {
    teller.starts()
    await start(container, command, monitor, roots)
    const { status, isTooLate } = await endWithin(timeoutMs, monitor)
    teller.died(status)
    if (isTooLate) why = `Health check exceeded timeout (${formatDuration(timeoutMs)})`
    else exitStatus = status
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    why = error.message
  } finally {
    await monitor.close()
  }
  const text = [why, await output].filter(part => part !== '').join(': ')
  return { startedAtMs, endedAtMs: Date.now(), exitStatus, output: text }
}

async function start({ id }: Container, command: string[], monitor: Monitor, roots: Roots): Promise<void> {
  const options = {
    ...{ container: id, command, environment: [] },
    ...{ detach: false, interactive: false, tty: false, privileged: false },
    ...{ detachKeys: new Uint8Array(), step: false, timing: false },
  }
  const planned = await planExec(options, roots, () => monitor.host)
  const outcome = await beginExec(planned, monitor)
  if ('pid' in outcome) monitor.tell('watch', outcome.pid)
}

/** As Docker does, kills the program alone: what it has started is the container's. */
async function endWithin(
  timeoutMs: number,
  monitor: Monitor,
): Promise<{ status: number; isTooLate: boolean }> {
  let isTooLate = false
  const timer = setTimeout(() => {
    isTooLate = true
    monitor.tell('signal', SIGKILL)
  }, timeoutMs)
  const { status } = await monitor.exit()
  clearTimeout(timer)
  return { status, isTooLate }
}

const SIGKILL = 9

/** Reads the streams to their ends, and gives the beginning of both as it came. */
async function beginningOf(streams: Readable[]): Promise<string> {
  const kept: Buffer[] = []
  let sizeBytes = 0
  const read = async (stream: Readable) => {
    for await (const chunk of stream) {
      if (sizeBytes < LONGEST_OUTPUT_BYTES) kept.push(chunk)
      sizeBytes += chunk.length
    }
  }
  await Promise.all(streams.map(read))
  const text = Buffer.concat(kept).toString('utf8', 0, LONGEST_OUTPUT_BYTES)
  return sizeBytes > LONGEST_OUTPUT_BYTES ? `${text}...` : text
}

/** Under the container's lock; a result of a run that has ended meanwhile counts no more. */
function record(probed: Container, result: ProbeResult, timing: ProbeTiming, roots: Roots): void {
  const container = readContainer(roots, probed.id)
  const before = readHealth(roots, probed.id)
  if (container?.status !== 'running' || !before) return
  const { startedAtMs } = container.lifecycle!
  if (startedAtMs !== probed.lifecycle!.startedAtMs) return
  const after = healthAfter(before, result, timing, startedAtMs)
  replaceFile(containerPaths(roots, probed.id).health, after)
  if (after.status !== before.status) {
    recordContainerEvent(roots, container, `health_status: ${after.status}`)
  }
}

function isPaused({ id, spec }: Container): boolean {
  return isFrozen(spec.linux.cgroupsPath ?? `/minictr/${id}`, hostFacts())
}
