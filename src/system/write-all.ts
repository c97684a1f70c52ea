// Writing a piece whole. A disk that fills up takes less than it is given, and only the next write says why.

import { writeSync } from 'node:fs'

/**
 * Writes `length` bytes of a piece from `start` on, at `position` in the file or, where that is null, at its end. Throws the
 * error of node:fs. Source: write(2), "RETURN VALUE".
 */
export function writeAll(
  fd: number,
  piece: Uint8Array,
  start = 0,
  length: number = piece.length - start,
  position: number | null = null,
): void {
  for (let done = 0; done < length; ) {
    done += writeSync(fd, piece, start + done, length - done, position === null ? null : position + done)
  }
}
