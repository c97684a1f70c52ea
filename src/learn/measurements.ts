// What was measured of a run: for each step when it was sent, and how long the kernel took for each of its calls.

import type { StepReport, UndoReport } from '../runtime/perform.ts'

/** A report with the moment it came back; all times count from the start of this process. */
export type Measured = StepReport & {
  /** When the step itself began, the steps before it in the same message done. */
  startUs: number
  /** When the answers of its message had arrived. */
  answeredUs: number
}

/** Collects the reports of a run. `nowNs` and `originNs` are readings of one clock, process.hrtime.bigint(). */
export class Measurements {
  readonly steps: Measured[] = []
  readonly undone: UndoReport[] = []
  private readonly originNs: bigint
  private readonly nowNs: () => bigint
  private leftOutNs = 0n
  /** What was done for the watching since the last message was answered. */
  private aside: { beganNs: bigint; endedNs: bigint }[] = []
  /** The message whose steps are being added. */
  private message = { startedNs: -1n, nextUs: 0, answeredUs: 0 }

  constructor(originNs: bigint, nowNs: () => bigint) {
    this.originNs = originNs
    this.nowNs = nowNs
  }

  add(report: StepReport): Measured {
    if (report.startedNs !== this.message.startedNs) {
      const { startedNs } = report
      this.settle(startedNs)
      this.message = { startedNs, nextUs: this.since(startedNs), answeredUs: this.since(this.nowNs()) }
    }
    const measured = { ...report, startUs: this.message.nextUs, answeredUs: this.message.answeredUs }
    this.message.nextUs += kernelUs(report)
    this.steps.push(measured)
    return measured
  }

  addUndone(report: UndoReport): void {
    this.undone.push(report)
  }

  /**
   * Does what belongs to the watching and not to the run: the clock stands still meanwhile, but for a message that is
   * under way.
   */
  leaveOut(act: () => void): void {
    const beganNs = this.nowNs()
    act()
    this.leaveOutSince(beganNs)
  }

  /** The same for what began then and ends now. */
  leaveOutSince(beganNs: bigint): void {
    this.aside.push({ beganNs, endedNs: this.nowNs() })
  }

  /** The time counts while others were at work in it already. */
  private settle(startedNs: bigint): void {
    for (const { beganNs, endedNs } of this.aside) {
      if (endedNs <= startedNs) this.leftOutNs += endedNs - beganNs
    }
    this.aside = []
  }

  /** From the start of this process to the last answer. */
  get totalUs(): number {
    return this.steps.at(-1)?.answeredUs ?? 0
  }

  /** The time in system calls, as the processes that made them measured it. */
  get kernelUs(): number {
    return this.steps.reduce((sum, step) => sum + kernelUs(step), 0)
  }

  private since(ns: bigint): number {
    return Number(ns - this.originNs - this.leftOutNs) / 1000
  }
}

/** The measurements of this process's own run: its zero is the start of the process. */
export function newMeasurements(): Measurements {
  const now = process.hrtime.bigint()
  return new Measurements(now - BigInt(Math.round(performance.now() * 1e6)), process.hrtime.bigint)
}

/** What the calls of a report took. */
export function kernelUs({ opElapsedNs }: { opElapsedNs: number[] }): number {
  return opElapsedNs.reduce((sum, ns) => sum + ns, 0) / 1000
}
