// What was free when a plan was made may be somebody else's when it is performed: then it is planned again.

import { MinictrError } from '../system/error.ts'

/** Something that the plan takes was taken by another command just now. Everything is undone, and another plan may succeed. */
export class LostRaceError extends MinictrError {}

/**
 * Plans and performs, and does so again where a race was lost: planning chooses something else then, or says what is taken.
 * Somebody else has won each time, so that it comes to an end. Throws what `act` throws else.
 */
export async function untilNothingIsLost<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof LostRaceError)) throw error
    }
  }
}
