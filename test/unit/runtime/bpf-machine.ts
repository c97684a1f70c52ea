// The kernel's classic BPF machine, as far as seccomp filters use it (seccomp(2)): what a filter answers to a call.

import assert from 'node:assert/strict'
import type { BpfInstruction } from '../../../src/runtime/op.ts'

export type Call = { number: number; architecture: number; args?: bigint[] }

/** Runs the program on struct seccomp_data; fails the test where the kernel would refuse to load the program. */
export function answerTo(program: BpfInstruction[], { number, architecture, args = [] }: Call): number {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, architecture, true)
  args.forEach((arg, index) => {
    data.setBigUint64(16 + 8 * index, arg, true)
  })
  let accumulator = 0
  for (let at = 0; ; at++) {
    const instruction = program[at]
    assert.ok(instruction, 'jumped out of the program')
    const [code, jt, jf, k] = instruction
    assert.ok(jt >= 0 && jt <= 255 && jf >= 0 && jf <= 255 && k >= 0 && k < 2 ** 32, `instruction ${at}`)
    if (code === 0x06) return k
    if (code === 0x05) at += k
    else if (code === 0x20) accumulator = data.getUint32(k, true)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x15) at += accumulator === k ? jt : jf
    else if (code === 0x25) at += accumulator > k ? jt : jf
    else if (code === 0x35) at += accumulator >= k ? jt : jf
    else assert.fail(`instruction code 0x${code.toString(16)}`)
  }
}
