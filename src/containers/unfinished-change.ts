// A running container that was joining a network, or leaving one, when the command that did it was killed: what it has made is
// taken back, or what it has begun to take away is gone on with.

import type { Network } from '../networks/network.ts'
import { enterNetwork } from '../runtime/connect-plan.ts'
import { FurtherJournal, type JournalEntry } from '../runtime/journal.ts'
import type { Op } from '../runtime/op.ts'
import { perform, undoOnBothSides } from '../runtime/perform.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import type { ProcessIdentity } from '../system/process-identity.ts'
import { isRecorded } from './membership.ts'
import { recordNetworkEvent } from './network-events.ts'
import { type NetworkPlaces, surroundingsOf } from './networks.ts'
import { planDisconnect } from './plan-connect.ts'
import { type Container, containerPaths, readContainer } from './state.ts'

/**
 * Sees to it that nothing is half-way; does nothing where nothing is. A join is taken back unless container.json, written last,
 * says that it is whole. For whoever has the container's lock: whoever began it has let go of that. Returns what could not be
 * undone, a line each. Throws StepError and OpError where the kernel refuses.
 */
export async function settleChange(id: string, places: NetworkPlaces, host: Executor): Promise<string[]> {
  const journal = new FurtherJournal(containerPaths(places, id).runDirectory)
  const { unfinished } = journal.state()
  const container = readContainer(places, id)
  // The end of its run undoes all that the journal has.
  if (!unfinished || container?.status !== 'running') return []
  const { command, subject, inside, entries } = unfinished
  await performOps(endingProcess(inside), host)
  const network = surroundingsOf(places).store.read(subject)
  const isIn = network !== undefined && isRecorded(container, network)
  if (command === 'network disconnect') {
    if (isIn) await leave(container, network, { places, host, journal })
    journal.over()
    if (network) recordNetworkEvent(places, network, id, 'disconnect')
    return []
  }
  const failed = isIn ? [] : await takeBack(entries, container, host)
  if (failed.length === 0) journal.over()
  if (isIn) recordNetworkEvent(places, network, id, 'connect')
  return failed
}

/** Its maker gone, the process that stands in the container may still be performing what it was sent last. */
function endingProcess(process: ProcessIdentity): Op[] {
  const slot = 'performer'
  const { pid } = process
  const gone = ['ESRCH', 'EBADF']
  return [
    { op: 'open_process', ...process, as: slot, tolerate: gone },
    { op: 'signal_process', slot, pid, signal: 'SIGKILL', tolerate: gone },
    { op: 'await_exit', slot, pid, timeoutMs: END_MS, tolerate: gone },
    { op: 'close', slot, tolerate: gone },
  ]
}

const END_MS = 10_000

async function takeBack(entries: JournalEntry[], { run }: Container, host: Executor): Promise<string[]> {
  const inside = spawnExecutor()
  try {
    await performOps(enterNetwork(run!), inside.executor)
    const executors = { host, container: inside.executor }
    return (await undoOnBothSides(entries.toReversed(), executors)).failed
  } finally {
    await inside.close()
  }
}

async function leave(
  container: Container,
  network: Network,
  { places, host, journal }: { places: NetworkPlaces; host: Executor; journal: FurtherJournal },
): Promise<void> {
  const { plan } = planDisconnect(container, network, places, surroundingsOf(places))
  const inside = spawnExecutor()
  try {
    // Its first step takes the lock, which is held.
    await perform(plan, { host, container: inside.executor }, journal, {}, { from: 1 })
  } finally {
    await inside.close()
  }
}
