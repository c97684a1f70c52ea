// What a user is told when something fails: thrown once where it is known, printed once in main.ts.

export type ErrorDetails = {
  /** What to do now, a full sentence or a command line. */
  remedy?: string
  /** The status minictr exits with; Docker's 125 is "minictr itself failed" for run-like commands. */
  exitStatus?: number
  cause?: unknown
}

/** An error meant for the user: the message says what failed, where and why; `remedy` what to do now. */
export class MinictrError extends Error {
  remedy: string | undefined
  exitStatus: number | undefined

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'MinictrError'
    this.remedy = details.remedy
    this.exitStatus = details.exitStatus
  }
}
