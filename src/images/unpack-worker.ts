// What the unpacking thread runs: it takes orders, asks for a layer's bytes piece by piece, and answers with the result.

import { type MessagePort, parentPort } from 'node:worker_threads'
import { MinictrError } from '../system/error.ts'
import { LayerStack } from './layer-stack.ts'
import { release } from './piece.ts'
import { unpackTar } from './unpack.ts'
import type { FromThread, ToThread, UnpackOrder } from './unpack-thread.ts'

/**
 * Pieces that are asked for before they are needed: some are one large file, some hundreds of small ones, and inflating goes
 * on meanwhile.
 */
const PIECES_AHEAD = 16

parentPort!.on('message', perform)

async function perform({ directory, lower, port }: UnpackOrder): Promise<void> {
  const answer = (message: FromThread) => port.postMessage(message)
  let doneBytes = 0
  const onProgress = (bytes: number) => {
    doneBytes = bytes
  }
  try {
    const source = pieces(port, () => answer({ kind: 'wants', doneBytes }))
    const stack = lower.length > 0 ? new LayerStack(lower) : undefined
    const content = await unpackTar(source, directory, stack, onProgress)
    answer({ kind: 'done', content })
  } catch (error) {
    const { message, stack } = error as Error
    const forUser = error instanceof MinictrError ? { remedy: error.remedy } : undefined
    answer({ kind: 'failed', message, stack, forUser })
  }
}

/** The pieces that arrive, in order; each that is taken is made up for by asking for another. */
async function* pieces(port: MessagePort, ask: () => void): AsyncGenerator<Buffer, void, undefined> {
  const arrived: ToThread[] = []
  let wake: () => void = () => {}
  port.on('message', (message: ToThread) => {
    arrived.push(message)
    wake()
  })
  for (let i = 0; i < PIECES_AHEAD; i++) ask()
  for (;;) {
    const next = arrived.shift()
    if (next === undefined) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    } else if (next.kind === 'broken') throw new Error('the bytes end before the layer does')
    else if (next.bytes === null) return
    else {
      const { buffer, byteOffset, byteLength } = next.bytes
      yield Buffer.from(buffer, byteOffset, byteLength)
      release(next.bytes)
      ask()
    }
  }
}
