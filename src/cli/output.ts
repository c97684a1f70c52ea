// Output: all of it is written before minictr exits, unless the reader leaves first.

import { fstatSync, writeSync } from 'node:fs'
import { whyUnwritten } from '../containers/unwritten.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { visibleOn } from '../system/visible.ts'

/** What a shell reports of a program that wrote into a pipe nobody reads any more: 128 + SIGPIPE. */
export const BROKEN_PIPE_STATUS = 141

/** Writes the text and waits until it has been taken; returns the status to exit with, 0 or that of a broken pipe. */
export async function print(text: string): Promise<number> {
  const { stdout } = process
  return await new Promise((resolve, reject) => {
    stdout.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') resolve(BROKEN_PIPE_STATUS)
      else reject(writeError('stdout', error))
    })
    stdout.write(text, error => {
      if (!error) resolve(0)
    })
  })
}

const descriptors = { stdout: 1, stderr: 2 }

/**
 * Writes a line or a few straight to the descriptor: loading the streams behind process.stdout takes milliseconds. Where nobody
 * reads standard output any more, the status to exit with is that of a broken pipe; the work goes on.
 */
export function say(stream: 'stdout' | 'stderr', text: string): void {
  try {
    writeSync(descriptors[stream], text)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EAGAIN') process[stream].write(text)
    else if (errno !== 'EPIPE') throw error
    else if (stream === 'stdout') process.exitCode = BROKEN_PIPE_STATUS
  }
}

/**
 * Writes bytes straight to the descriptor; where that would not take more at once, through the stream, which waits. The
 * bytes may be reused then. Throws MinictrError where the disk behind it is full, otherwise what node:fs throws, EPIPE where
 * nobody reads.
 */
export async function writeBytes(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptors[stream], bytes, written)
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw writeError(stream, error as NodeJS.ErrnoException)
      const rest = bytes.subarray(written)
      await writeToStream(process[stream], rest)
      return
    }
  }
}

/** Waits until it has been taken. A stream tells of a failure to write to whoever listens, and ends minictr where nobody does. */
async function writeToStream(stream: NodeJS.WriteStream, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.write(bytes, failure => {
      if (failure) return
      stream.off('error', reject)
      resolve()
    })
  })
}

/**
 * Writes a text to standard output, without the streams behind it unless it may be a terminal, where what would steer that is spelled
 * out. Throws MinictrError where the disk is full; a reader who has left ends it quietly.
 */
export async function show(text: string): Promise<void> {
  const shown = fstatSync(1).isCharacterDevice() ? visibleOn(process.stdout, text) : text
  await whileRead(() => writeBytes('stdout', Buffer.from(shown)))
}

/** What the stream's error is to be told as; that nobody reads is for the caller to see. */
export function writeError(stream: 'stdout' | 'stderr', error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE' || error.errno === undefined) return error
  return new MinictrError(whyUnwritten({ stream, errno: -error.errno }), {
    remedy: 'The output is incomplete.',
    cause: error,
  })
}

/** Does what writes much to standard output; a reader who leaves early ends it quietly. */
export async function whileRead(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (errnoOf(error) !== 'EPIPE') throw error
    process.exitCode = BROKEN_PIPE_STATUS
  }
}
