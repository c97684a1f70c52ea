// A registry's refusal, with the status others decide by.

import { MinictrError } from '../system/error.ts'

/** A registry answered a request with an error. */
export class RegistryError extends MinictrError {
  readonly status: number
  /** The code of the distribution spec, `MANIFEST_UNKNOWN`, where there is one. */
  readonly code: string | undefined

  constructor(message: string, details: { status: number; code?: string; remedy?: string }) {
    super(message, details)
    this.status = details.status
    this.code = details.code
  }
}
