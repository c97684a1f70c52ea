// The loop: performs a plan step by step, writes the journal before each act on the host, and undoes all on failure.
// It knows no step by name: what a step means is in its data.

import type { Answer, Call, Executor, Performance } from '../system/executor.ts'
import { likelyCause } from '../system/likely-cause.ts'
import type { Journal } from './journal.ts'
import { LateValues } from './late-values.ts'
import type { Op } from './op.ts'
import { callOf, showOp } from './ops.ts'
import type { Plan, Range, Step, Undo } from './step.ts'
import { StepError } from './step-error.ts'
import { undoesOf, undoStep } from './steps/undo.ts'

export type StepReport = {
  step: Step
  index: number
  total: number
  /** process.hrtime.bigint() when the step, or the batch it was in, was sent; or when the one it waited for was answered. */
  startedNs: bigint
  /** For each op that was answered, in order; the last one of a plan, execve, has no answer. */
  opElapsedNs: number[]
  /** The container's process as the host sees it; 0 until it has been spawned. */
  pid: number
}

/** Acts that were taken back: those of one journal entry, or, as `journal`, the forgetting of the journal itself. */
export type UndoReport = { step: string; ops: Op[]; opElapsedNs: number[] }

export type Observer = {
  /** Told the whole plan before anything of it is performed. */
  begin?(plan: Plan): void
  /** Awaited before each step; with it present every step is sent on its own. `quit` rolls everything back. */
  before?(step: Step, index: number, total: number): Promise<'go' | 'quit'>
  after?(report: StepReport): void
  /** Told of each entry that is undone, be it after a failure or at the end of the run. */
  undone?(report: UndoReport): void
}

/** The two processes that perform ops: the monitor on the host, init on the container’s side. */
export type Executors = { host: Executor; container: Executor }

/** `quit`: somebody who watched did not go on; `index` is that of the step before which that was. */
export type Outcome = { pid: number } | { quit: true; index: number; leftovers: string[] }

/**
 * Performs the plan, or a part of it, and returns the PID of the container's process as the host sees it. Whoever watches is
 * told the whole plan with its first part.
 *
 * Throws StepError when the kernel refuses an op; by then everything done before in this part has been undone. Without a
 * journal a crash forgets what was done: for plans whose steps end with a process, or leave nothing half-done.
 */
export async function perform(
  plan: Plan,
  executors: Executors,
  journal: Journal | undefined,
  observer: Observer = {},
  { from = 0, to = plan.steps.length }: Range = {},
): Promise<Outcome> {
  const late = new LateValues()
  const total = plan.steps.length
  if (from === 0) observer.begin?.(plan)
  let index = from
  let begun: (() => Promise<Performance>) | undefined
  let answeredNs = 0n
  const all = batches(plan.steps.slice(from, to), observer.before !== undefined)
  for (const [at, batch] of all.entries()) {
    if ((await observer.before?.(batch[0]!, index, total)) === 'quit') {
      const begun = takenBack(plan, from, index)
      const { failed } = await rollBack(journal, executors, late, begun, observer)
      return { quit: true, index, leftovers: failed }
    }
    const ops = batch.flatMap(step => step.ops)
    const startedNs = begun ? answeredNs : process.hrtime.bigint()
    const answered = begun ?? begin(batch, executors, journal, late)
    begun = observer.before ? undefined : beginAhead(batch, all[at + 1], executors, journal, late)
    const { answers, closed } = await answered()
    answeredNs = process.hrtime.bigint()
    late.learn(ops, answers)
    report(batch, { index, total, startedNs, pid: late.pid }, answers, observer)
    const failed = failureIn(batch, answers, closed)
    if (failed) {
      const failure = { ...failed, index: index + batch.indexOf(failed.step), total, command: plan.command }
      const begun = plan.steps.slice(from, failure.index + 1)
      const isInside = begun.some(({ ops }) =>
        ops.some(op => op.op === 'setns' && op.namespaces.includes('user')),
      )
      // Looked for before anything is undone: that may take the cause away.
      const cause = likelyCause(failure.op, failure.errno, isInside, failure.said)
      const undone = leavingKept(takenBack(plan, from, failure.index + 1), plan, from)
      const rollback = await rollBack(journal, executors, late, undone, observer)
      throw new StepError(failure, cause, rollback)
    }
    index += batch.length
  }
  return { pid: late.pid }
}

function begin(batch: Step[], executors: Executors, journal: Journal | undefined, late: LateValues) {
  journal?.record(batch)
  return executors[batch[0]!.side].begin(callsOf(batch, late))
}

/**
 * What init is to do lies ready for it while the host's side is still being done: it reads that when it is spawned, which
 * is the last thing done there, or never. Undefined where that is not so, or where something in it is not known yet.
 */
function beginAhead(
  batch: Step[],
  next: Step[] | undefined,
  executors: Executors,
  journal: Journal | undefined,
  late: LateValues,
) {
  if (next?.[0]?.side !== 'container' || batch.at(-1)?.ops.at(-1)?.op !== 'spawn_init') return undefined
  const calls = callsOf(next, late)
  if (late.isLacking) return undefined
  journal?.record(next)
  return executors.container.beginAhead(calls)
}

function callsOf(steps: Step[], late: LateValues): Call[] {
  return steps.flatMap(({ ops }) => ops.map(op => callOf(op, late)))
}

/** Steps that follow each other on one side go in one message, unless each is to be paused at. */
function batches(steps: Step[], single: boolean): Step[][] {
  const result: Step[][] = []
  for (const step of steps) {
    const last = result.at(-1)
    if (!single && last?.[0]?.side === step.side) last.push(step)
    else result.push([step])
  }
  return result
}

function report(
  batch: Step[],
  about: Pick<StepReport, 'index' | 'total' | 'startedNs' | 'pid'>,
  answers: Answer[],
  observer: Observer,
): void {
  if (!observer.after) return
  let answered = 0
  batch.forEach((step, offset) => {
    const mine = answers.slice(answered, answered + step.ops.length)
    answered += step.ops.length
    const opElapsedNs = mine.map(answer => answer.elapsedNs)
    observer.after!({ ...about, step, index: about.index + offset, opElapsedNs })
  })
}

/** The first op that was refused, or the one during which the executor went away without becoming a program. */
function failureIn<S extends { ops: Op[] }>(
  batch: S[],
  answers: Answer[],
  closed: boolean,
): { step: S; op: Op; errno: string; said?: string } | undefined {
  let answered = 0
  for (const step of batch) {
    for (const op of step.ops) {
      const answer = answers[answered++]
      if (answer === undefined) return closed && op.op === 'execve' ? undefined : { step, op, errno: 'EPIPE' }
      if (answer.errno !== undefined && !op.tolerate?.includes(answer.errno))
        return { step, op, errno: answer.errno, ...(answer.data && { said: String(answer.data).trim() }) }
    }
  }
  return undefined
}

/** The steps of this range that are undone where the plan comes to nothing; what the others have left to be undone stays so. */
function takenBack({ steps, onwardFrom = steps.length }: Plan, from: number, to: number): Step[] {
  return steps.slice(from, Math.min(to, onwardFrom))
}

/** Of these steps, the last of which has failed, those that a container does without which is made by then. */
function leavingKept(begun: Step[], { keptFrom }: Plan, from: number): Step[] {
  if (keptFrom === undefined || from + begun.length <= keptFrom) return begun
  return begun.filter(({ lasts }, at) => from + at >= keptFrom || lasts === 'run')
}

/** Undoes the steps that were begun; those of the same batch that were not reached are only forgotten. */
async function rollBack(
  journal: Journal | undefined,
  executors: Executors,
  late: LateValues,
  begun: Step[],
  observer: Observer,
): Promise<Undoing> {
  if (late.pid > 0) {
    // First the process, then what it stood in: a cgroup with a process in it cannot be removed.
    try {
      process.kill(late.pid, 'SIGKILL')
    } catch {
      // It has ended by itself already.
    }
  }
  const ids = new Set(begun.map(step => step.id))
  const entries = journal ? journal.read().filter(({ step }) => ids.has(step)) : undoesOf(begun)
  return await undoOnBothSides(entries.reverse(), executors, journal?.forgetting(), observer)
}

/** Undoes all that the journal of a run holds, last step first. Forgets the journal when nothing failed. */
export async function undo(journal: Journal, host: Executor): Promise<Undoing> {
  return await undoEntries(journal.read().reverse(), host, journal.forgetting())
}

/** As `undoEntries`, where a process in the container undoes some of it: each part by its side, one after the other. */
export async function undoOnBothSides(
  entries: Undo[],
  executors: Executors,
  afterwards: Op[] = [],
  observer?: Observer,
): Promise<Undoing> {
  const all: Undoing = { undone: [], failed: [] }
  for (let left = entries, isFirst = true; isFirst || left.length > 0; isFirst = false) {
    const { side = 'host' } = left[0] ?? {}
    const end = left.findIndex(entry => (entry.side ?? 'host') !== side)
    const part = end < 0 ? left : left.slice(0, end)
    left = left.slice(part.length)
    const isLast = left.length === 0 && all.failed.length === 0
    const { undone, failed } = await undoEntries(part, executors[side], isLast ? afterwards : [], observer)
    all.undone.push(...undone)
    all.failed.push(...failed)
  }
  return all
}

/** The steps that were undone, and a line for each that was not; `quit` where somebody who watched did not go on. */
export type Undoing = { undone: string[]; failed: string[]; quit?: true }

/**
 * Undoes in this order, and performs `afterwards` if nothing failed, all in one message. Goes on behind what failed, so
 * that one stuck object does not keep the others. Where the undoing is itself a part of a plan (`within`), whoever watches is
 * asked before each step of it and told after it, as by `perform`. Where nobody watches, what goes by itself a moment after the
 * processes, as their links do, is seen to last and not waited for.
 */
export async function undoEntries(
  entries: Undo[],
  host: Executor,
  afterwards: Op[] = [],
  observer: Observer = {},
  within?: Plan,
): Promise<Undoing> {
  const undoing: Undoing = { undone: [], failed: [] }
  const late = new LateValues()
  const last = { step: 'journal', undo: afterwards }
  const ask = within && observer.before
  const isWatched = ask !== undefined || (within !== undefined && observer.after !== undefined)
  const isWaitedFor = ({ undo }: Undo) => isWatched || !undo.some(goesByItself)
  const waitedFor = [...entries.filter(isWaitedFor), last].filter(({ undo }) => undo.length > 0)
  for (let left = waitedFor; left.length > 0; ) {
    const batch = ask ? left.slice(0, 1) : left
    const steps = batch.map(undoStep)
    const place = placeIn(within, steps[0]!)
    if ((await ask?.(steps[0]!, place.index, place.total)) === 'quit') return { ...undoing, quit: true }
    const startedNs = process.hrtime.bigint()
    const { answers } = await host.perform(callsOf(steps, late))
    const failed = failureIn(steps, answers, false)
    const end = failed ? steps.indexOf(failed.step) : steps.length
    if (within) report(steps.slice(0, end + 1), { ...place, startedNs, pid: 0 }, answers, observer)
    else reportUndone(batch.slice(0, end + 1), answers, observer)
    undoing.undone.push(...batch.slice(0, end).flatMap(entry => (entry === last ? [] : entry.step)))
    if (failed) undoing.failed.push(`${batch[end]!.step}: ${showOp(failed.op)} = ${failed.errno}`)
    left = left.slice(failed ? end + 1 : batch.length).filter(entry => !failed || entry !== last)
  }
  const rest = entries.filter(entry => !isWaitedFor(entry)).flatMap(({ undo }) => undo)
  if (rest.length > 0) host.tell(rest.map(op => callOf(op, late)))
  return undoing
}

/** A plan may hold less by now than was told, never more. */
function placeIn(plan: Plan | undefined, step: Step): { index: number; total: number } {
  const steps = plan?.steps ?? []
  return { index: steps.findIndex(({ id }) => id === step.id), total: steps.length }
}

/** What lasts as long as the processes, and a moment longer: it is seen to, and nobody waits for it. */
export function goesByItself({ op }: Op): boolean {
  return op === 'await_absence'
}

function reportUndone(entries: Undo[], answers: Answer[], { undone }: Observer): void {
  let answered = 0
  for (const { step, undo: ops } of entries) {
    const opElapsedNs = answers.slice(answered, answered + ops.length).map(answer => answer.elapsedNs)
    answered += ops.length
    undone?.({ step, ops, opElapsedNs })
  }
}
