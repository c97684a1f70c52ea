// The language of the native helper: requests put into frames of bytes, answers taken out of them. native/wire.h has
// the other end and the layout.

/** number and bigint: 64-bit integer. string: text without NUL. Uint8Array: bytes. string[]: a list of texts. */
export type Arg = number | bigint | string | Uint8Array | string[]

/** One op for the helper; `tolerate` names errors (`EEXIST`) that are told but do not stop the batch. */
export type Call = { name: string; args: Arg[]; tolerate?: string[] }

/** What became of one op. `errno` is there where it failed (also where that was tolerated), `data` where it gave bytes. */
export type Answer = { result: number; errno?: string; elapsedNs: number; data?: Buffer }

/**
 * A frame from the helper: answers (`last`: none will follow for this request), the end of the watched process, or that
 * who sits at the terminal has typed the keys to leave it.
 */
export type Frame =
  | { kind: 'answers'; answers: Answer[]; last: boolean }
  | ({ kind: 'exit' } & WatchedEnd)
  | { kind: 'detached' }

/** How the watched process ended (waitpid(2)), and which of its output could not be written to where the client has it. */
export type WatchedEnd = { waitStatus: number; unwritten?: Unwritten }

export type Unwritten = { stream: 'stdout' | 'stderr'; errno: number }

/** Puts calls into a request frame. Throws TypeError for an unknown errno name. */
export function encodeRequest(calls: Call[]): Buffer {
  // A text whose characters are the bytes: `run` encodes once, in code not yet warm, where joining texts takes a tenth
  // of the time of writing each number into a Buffer (docs/decisions/start-up.md).
  let ops = u32(calls.length)
  for (const call of calls) ops += opBytes(call)
  return Buffer.from(u32(ops.length) + ops, 'latin1')
}

/**
 * The ops of a request that is to be completed later: what stands before the first `missing` args of the last one, and what
 * stands behind them.
 */
export function encodeIncomplete(calls: Call[], missing: number): { before: Buffer; behind: Buffer } {
  const last = calls.at(-1)!
  let before = ''
  for (const call of calls.slice(0, -1)) before += opBytes(call)
  let behind = ''
  for (const arg of last.args.slice(missing)) behind += argBytes(arg)
  return {
    before: Buffer.from(before + opHead(last), 'latin1'),
    behind: Buffer.from(behind, 'latin1'),
  }
}

function opBytes(call: Call): string {
  let bytes = opHead(call)
  for (const arg of call.args) bytes += argBytes(arg)
  return bytes
}

function opHead({ name, tolerate = [], args }: Call): string {
  let bytes = u8(name.length) + name + u8(tolerate.length)
  for (const errno of tolerate) bytes += u16(errnoNumber(errno))
  return bytes + u8(args.length)
}

function argBytes(arg: Arg): string {
  if (typeof arg === 'string') return `s${textBytes(arg)}`
  if (typeof arg === 'number') return `i${u32(arg)}${u32(Math.floor(arg / 2 ** 32))}`
  if (typeof arg === 'bigint') return `i${u32(low32(arg))}${u32(low32(arg >> 32n))}`
  if (arg instanceof Uint8Array) return `s${withLength(latin1(arg))}`
  let bytes = `l${u32(arg.length)}`
  for (const text of arg) bytes += textBytes(text)
  return bytes
}

const beyondAscii = /[\u0080-\uffff]/

function textBytes(text: string): string {
  return withLength(beyondAscii.test(text) ? latin1(Buffer.from(text)) : text)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** With the NUL behind it that lets C point at it. */
function withLength(bytes: string): string {
  return `${u32(bytes.length)}${bytes}\0`
}

function u8(value: number): string {
  return String.fromCharCode(value)
}

function u16(value: number): string {
  return String.fromCharCode(value & 255, value >> 8)
}

/** The low 32 bits: numbers beyond lose their upper ones, negative ones are two's complements. */
function u32(value: number): string {
  if (value >= 0 && value < 256) return `${String.fromCharCode(value)}\0\0\0` // most are so
  return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)
}

function low32(value: bigint): number {
  return Number(BigInt.asUintN(32, value))
}

const DETACHED = 'd'.charCodeAt(0)

/** Takes a frame apart; `bytes` is what stands behind its length. */
export function decodeFrame(bytes: Buffer): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = view.getUint8(0)
  if (kind === 3 && view.getUint8(1) === DETACHED) return { kind: 'detached' }
  if (kind === 3) {
    const [waitStatus, stream, errno] = [2, 6, 10].map(at => view.getInt32(at, true))
    const unwritten: Unwritten | undefined =
      stream === 0 ? undefined : { stream: stream === 1 ? 'stdout' : 'stderr', errno: errno! }
    return { kind: 'exit', waitStatus: waitStatus!, ...(unwritten && { unwritten }) }
  }
  const answers: Answer[] = []
  const count = view.getUint32(1, true)
  let at = 5
  for (let i = 0; i < count; i++) {
    const errno = view.getInt32(at + 8, true)
    const sizeBytes = view.getUint32(at + 20, true)
    const answer: Answer = { result: i64(view, at), elapsedNs: i64(view, at + 12) }
    if (errno !== 0) answer.errno = errnoName(errno)
    if (sizeBytes > 0) answer.data = bytes.subarray(at + 24, at + 24 + sizeBytes)
    answers.push(answer)
    at += 24 + sizeBytes
  }
  return { kind: 'answers', answers, last: kind === 1 }
}

/** As far as a number is exact. */
function i64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}

/** Those that the steps of a run tolerate: the same on every Linux. Loading node:os for them takes half a millisecond. */
const usual: Record<string, number> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EBADF: 9,
  EAGAIN: 11,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  EOPNOTSUPP: 95, // as the kernel calls it; in Node's list ENOTSUP stands before
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ETIMEDOUT: 110,
  ESTALE: 116,
}

function errnoNumber(name: string): number {
  const number = usual[name] ?? (osConstants().errno as Record<string, number>)[name]
  if (number === undefined) throw new TypeError(`${name} is no errno name`)
  return number
}

const errnoNames = new Map(Object.entries(usual).map(([name, number]) => [number, name]))
let isComplete = false

/** The name of an errno as in errno(3), `errno 999` for one without. */
function errnoName(number: number): string {
  if (!errnoNames.has(number) && !isComplete) {
    isComplete = true
    // The first of two names for one number is the one people know (EAGAIN, EWOULDBLOCK).
    const { errno } = osConstants()
    for (const name in errno) {
      const value = errno[name as keyof typeof errno]
      if (!errnoNames.has(value)) errnoNames.set(value, name)
    }
  }
  return errnoNames.get(number) ?? `errno ${number}`
}

/** The name of a signal, `SIGRTMIN+2` for real-time ones. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(osConstants().signals)) if (value === number) return name
  return number === 34 ? 'SIGRTMIN' : `SIGRTMIN+${number - 34}`
}

function osConstants() {
  return process.getBuiltinModule('node:os').constants
}
