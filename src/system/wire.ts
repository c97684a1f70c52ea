// The language of the native helper: requests put into frames of bytes, answers taken out of them. native/wire.h has
// the other end and the layout.

import { constants } from 'node:os'

/** number and bigint: 64-bit integer. string: text without NUL. Uint8Array: bytes. string[]: a list of texts. */
export type Arg = number | bigint | string | Uint8Array | string[]

/** One op for the helper; `tolerate` names errors (`EEXIST`) that are told but do not stop the batch. */
export type Call = { name: string; args: Arg[]; tolerate?: string[] }

/** What became of one op. `errno` is there where it failed (also where that was tolerated), `data` where it gave bytes. */
export type Answer = { result: number; errno?: string; elapsedNs: number; data?: Buffer }

/** A frame from the helper: answers (`last`: none will follow for this request), or the end of the watched process. */
export type Frame =
  | { kind: 'answers'; answers: Answer[]; last: boolean }
  | { kind: 'exit'; waitStatus: number }

/** Bytes that grow at the end. */
class Writer {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  #reserve(sizeBytes: number): number {
    const at = this.#length
    this.#length += sizeBytes
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#bytes.writeUInt16LE(value, at)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#bytes.writeUInt32LE(value, at)
  }

  i64(value: number | bigint): void {
    const at = this.#reserve(8)
    // Masks of 64 bits are unsigned, -1 is signed: the same bytes mean both.
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at)
  }

  text(value: string): void {
    const sizeBytes = Buffer.byteLength(value)
    this.u32(sizeBytes)
    const at = this.#reserve(sizeBytes + 1)
    this.#bytes.write(value, at, sizeBytes)
    this.#bytes[at + sizeBytes] = 0
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length)
    const at = this.#reserve(value.length + 1)
    this.#bytes.set(value, at)
    this.#bytes[at + value.length] = 0
  }

  /** The whole, with its length written in front (where four bytes were kept for it). */
  frame(): Buffer {
    this.#bytes.writeUInt32LE(this.#length - 4, 0)
    return this.#bytes.subarray(0, this.#length)
  }
}

function writeArg(writer: Writer, arg: Arg): void {
  if (typeof arg === 'number' || typeof arg === 'bigint') {
    writer.u8(0x69) // i
    writer.i64(arg)
  } else if (typeof arg === 'string') {
    writer.u8(0x73) // s
    writer.text(arg)
  } else if (arg instanceof Uint8Array) {
    writer.u8(0x73)
    writer.bytes(arg)
  } else {
    writer.u8(0x6c) // l
    writer.u32(arg.length)
    for (const text of arg) writer.text(text)
  }
}

function writeCall(writer: Writer, call: Call): void {
  writer.u8(call.name.length)
  for (let i = 0; i < call.name.length; i++) writer.u8(call.name.charCodeAt(i))
  const tolerated = call.tolerate ?? []
  writer.u8(tolerated.length)
  for (const name of tolerated) writer.u16(errnoNumber(name))
  writer.u8(call.args.length)
  for (const arg of call.args) writeArg(writer, arg)
}

/** Puts calls into a request frame. Throws TypeError for an unknown errno name. */
export function encodeRequest(calls: Call[]): Buffer {
  const writer = new Writer()
  writer.u32(0)
  writer.u32(calls.length)
  for (const call of calls) writeCall(writer, call)
  return writer.frame()
}

/** Takes a frame apart; `bytes` is what stands behind its length. */
export function decodeFrame(bytes: Buffer): Frame {
  const kind = bytes[0]
  if (kind === 3) return { kind: 'exit', waitStatus: bytes.readInt32LE(2) }
  const answers: Answer[] = []
  const count = bytes.readUInt32LE(1)
  let at = 5
  for (let i = 0; i < count; i++) {
    const errno = bytes.readInt32LE(at + 8)
    const sizeBytes = bytes.readUInt32LE(at + 20)
    const answer: Answer = {
      result: Number(bytes.readBigInt64LE(at)),
      elapsedNs: Number(bytes.readBigInt64LE(at + 12)),
    }
    if (errno !== 0) answer.errno = errnoName(errno)
    if (sizeBytes > 0) answer.data = bytes.subarray(at + 24, at + 24 + sizeBytes)
    answers.push(answer)
    at += 24 + sizeBytes
  }
  return { kind: 'answers', answers, last: kind === 1 }
}

function errnoNumber(name: string): number {
  const number = (constants.errno as Record<string, number>)[name]
  if (number === undefined) throw new TypeError(`${name} is no errno name`)
  return number
}

/** The name of an errno as in errno(3), `errno 999` for one without. */
export function errnoName(number: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === number) return name
  return `errno ${number}`
}

/** The name of a signal, `SIGRTMIN+2` for real-time ones. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(constants.signals)) if (value === number) return name
  return number === 34 ? 'SIGRTMIN' : `SIGRTMIN+${number - 34}`
}
