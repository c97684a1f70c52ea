// The loop: performs a plan step by step, writes the journal before each act on the host, and undoes all on failure.
// It knows no step by name: what a step means is in its data.

import type { Answer, Executor } from '../system/executor.ts'
import { likelyCause } from '../system/likely-cause.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { Op, Slot, Text } from './op.ts'
import type { Resolve } from './ops/row.ts'
import { callOf, showOp } from './ops.ts'
import type { Plan, Step } from './step.ts'
import { StepError } from './step-error.ts'

export type StepReport = {
  step: Step
  index: number
  total: number
  /** process.hrtime.bigint() when the step, or the batch it was in, was sent. */
  startedNs: bigint
  /** For each op that was answered, in order; the last one of a plan, execve, has no answer. */
  opElapsedNs: number[]
  /** The container's process as the host sees it; 0 until it has been spawned. */
  pid: number
}

export type Observer = {
  /** Told the whole plan before anything of it is performed. */
  begin?(plan: Plan): void
  /** Awaited before each step; with it present every step is sent on its own. `quit` rolls everything back. */
  before?(step: Step, index: number, total: number): Promise<'go' | 'quit'>
  after?(report: StepReport): void
}

/** The two processes that perform ops: the monitor on the host, init on the container’s side. */
export type Executors = { host: Executor; container: Executor }

export type Outcome = { pid: number } | { quit: true; leftovers: string[] }

/**
 * Performs the plan and returns the PID of the container's process as the host sees it.
 *
 * Throws StepError when the kernel refuses an op; by then everything done before has been undone.
 */
export async function perform(
  plan: Plan,
  executors: Executors,
  journal: Journal,
  observer: Observer = {},
): Promise<Outcome> {
  const late = new LateValues()
  observer.begin?.(plan)
  let index = 0
  for (const batch of batches(plan.steps, observer.before !== undefined)) {
    if ((await observer.before?.(batch[0]!, index, plan.steps.length)) === 'quit') {
      const { failed } = await rollBack(journal, executors, late, plan.steps.slice(0, index))
      return { quit: true, leftovers: failed }
    }
    journal.record(batch)
    const ops = batch.flatMap(step => step.ops)
    const startedNs = process.hrtime.bigint()
    const { answers, closed } = await executors[batch[0]!.side].perform(ops.map(op => callOf(op, late)))
    late.learn(ops, answers)
    report(batch, { index, total: plan.steps.length, startedNs, pid: late.pid }, answers, observer)
    const failed = failureIn(batch, answers, closed)
    if (failed) {
      const failure = { ...failed, index: index + batch.indexOf(failed.step), total: plan.steps.length }
      const rollback = await rollBack(journal, executors, late, plan.steps.slice(0, failure.index + 1))
      throw new StepError(failure, likelyCause(failure.op, failure.errno), rollback)
    }
    index += batch.length
  }
  return { pid: late.pid }
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

/** Values that are only known while performing: descriptors by their names, and the PID. */
class LateValues implements Resolve {
  pid = 0
  private slots: Slot[] = []

  slot(name: Slot): number {
    const known = this.slots.indexOf(name)
    return known >= 0 ? known : this.slots.push(name) - 1
  }

  text(text: Text): string {
    if (typeof text === 'string') return text
    return text.map(part => (typeof part === 'string' ? part : String(this.pid))).join('')
  }

  learn(ops: Op[], answers: Answer[]): void {
    answers.forEach(({ result }, index) => {
      const name = ops[index]?.op
      if ((name === 'spawn_init' || name === 'fork') && result > 0) this.pid = result
    })
  }
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
): { step: S; op: Op; errno: string } | undefined {
  let answered = 0
  for (const step of batch) {
    for (const op of step.ops) {
      const answer = answers[answered++]
      if (answer === undefined) return closed && op.op === 'execve' ? undefined : { step, op, errno: 'EPIPE' }
      if (answer.errno !== undefined && !op.tolerate?.includes(answer.errno))
        return { step, op, errno: answer.errno }
    }
  }
  return undefined
}

/** Undoes the steps that were begun; those of the same batch that were not reached are only forgotten. */
async function rollBack(journal: Journal, executors: Executors, late: LateValues, begun: Step[]) {
  if (late.pid > 0) {
    // First the process, then what it stood in: a cgroup with a process in it cannot be removed.
    try {
      process.kill(late.pid, 'SIGKILL')
    } catch {
      // It has ended by itself already.
    }
  }
  const ids = new Set(begun.map(step => step.id))
  return await undo(journal, executors.host, entry => ids.has(entry.step))
}

/** Undoes what the journal holds and `chosen` lets pass, last step first. Forgets the journal when nothing failed. */
export async function undo(
  journal: Journal,
  host: Executor,
  chosen: (entry: JournalEntry) => boolean = () => true,
): Promise<Undoing> {
  return await undoEntries(journal.read().filter(chosen).reverse(), host, journal.forgetting())
}

/** The steps that were undone, and a line for each that was not. */
export type Undoing = { undone: string[]; failed: string[] }

/**
 * Undoes in this order, and performs `afterwards` if nothing failed, all in one message. Goes on behind what failed, so
 * that one stuck object does not keep the others.
 */
export async function undoEntries(
  entries: { step: string; undo: Op[] }[],
  host: Executor,
  afterwards: Op[] = [],
): Promise<Undoing> {
  const undoing: Undoing = { undone: [], failed: [] }
  const late = new LateValues()
  const last = { step: 'journal', undo: afterwards }
  for (let left = [...entries, last]; left.length > 0; ) {
    const parts = left.map(({ step, undo }) => ({ step, ops: undo }))
    const { answers } = await host.perform(parts.flatMap(({ ops }) => ops).map(op => callOf(op, late)))
    const failed = failureIn(parts, answers, false)
    const end = failed ? parts.indexOf(failed.step) : parts.length
    undoing.undone.push(...left.slice(0, end).flatMap(entry => (entry === last ? [] : entry.step)))
    if (failed) undoing.failed.push(`${failed.step.step}: ${showOp(failed.op)} = ${failed.errno}`)
    left = left.slice(end + 1).filter(entry => entry !== last)
  }
  return undoing
}
