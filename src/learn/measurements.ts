// What was measured of a run: for each step when it was sent, and how long the kernel took for each of its calls.

import type { StepReport } from '../runtime/perform.ts'

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
  private readonly originNs: bigint
  private readonly nowNs: () => bigint

  constructor(originNs: bigint, nowNs: () => bigint) {
    this.originNs = originNs
    this.nowNs = nowNs
  }

  add(report: StepReport): void {
    const sentUs = this.since(report.startedNs)
    const before = this.steps.filter(({ startedNs }) => startedNs === report.startedNs)
    const earlierUs = before.reduce((sum, step) => sum + kernelUs(step), 0)
    this.steps.push({ ...report, startUs: sentUs + earlierUs, answeredUs: this.since(this.nowNs()) })
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
    return Number(ns - this.originNs) / 1000
  }
}

/** The measurements of this process's own run: its zero is the start of the process. */
export function newMeasurements(): Measurements {
  const now = process.hrtime.bigint()
  return new Measurements(now - BigInt(Math.round(performance.now() * 1e6)), process.hrtime.bigint)
}

/** What a step's calls took. */
export function kernelUs(step: Pick<StepReport, 'opElapsedNs'>): number {
  return step.opElapsedNs.reduce((sum, ns) => sum + ns, 0) / 1000
}
