// The device policy of cgroup v2: a small eBPF program the kernel runs at every open and mknod of a device.

import type { DeviceException, DevicePolicy } from './device-rules.ts'

/** One struct bpf_insn of <linux/bpf.h>. */
type Instruction = { code: number; to?: number; from?: number; skip?: number; value?: number }

// Registers. The kernel hands over R1, a pointer to struct bpf_cgroup_dev_ctx; R0 is the answer: 1 allows, 0 is EPERM.
const answer = 0
const context = 1
const access = 2
const type = 3
const major = 4
const minor = 5
const scratch = 6

const loadWord = (to: number, offset: number): Instruction => ({
  code: 0x61,
  to,
  from: context,
  skip: offset,
})
const copy = (to: number, from: number): Instruction => ({ code: 0xbc, to, from })
const and = (to: number, value: number): Instruction => ({ code: 0x54, to, value })
const shiftRight = (to: number, value: number): Instruction => ({ code: 0x74, to, value })
const set = (to: number, value: number): Instruction => ({ code: 0xb7, to, value })
const exit: Instruction = { code: 0x95 }
/** Jumps over the rest of an exception's block; block() fills the distance in. */
const leaveUnlessEqual = (to: number, value: number): Instruction => ({ code: 0x55, to, value })
const leaveIfEqual = (to: number, value: number): Instruction => ({ code: 0x15, to, value })
const leaveUnlessSame = (to: number, from: number): Instruction => ({ code: 0x5d, to, from })

/**
 * The program for BPF_CGROUP_DEVICE, as the bytes of struct bpf_insn[], little endian.
 *
 * Each exception is a block of comparisons that falls through to its answer, or leaves for the next block. A request
 * for several kinds of access is allowed by an exception that has them all, and denied by one that has any.
 * Source: bpf(2), <linux/bpf.h> (struct bpf_cgroup_dev_ctx), Documentation/bpf/standardization.
 */
export function deviceFilter({ allowByDefault, exceptions }: DevicePolicy): Uint8Array {
  return encode([
    loadWord(access, 0),
    copy(type, access),
    and(type, 0xffff),
    shiftRight(access, 16),
    loadWord(major, 4),
    loadWord(minor, 8),
    ...exceptions.flatMap(exception => block(exception, !allowByDefault)),
    set(answer, allowByDefault ? 1 : 0),
    exit,
  ])
}

const typeNumbers = { b: 1, c: 2 }
const accessBits: Record<string, number> = { m: 1, r: 2, w: 4 }

function block(exception: DeviceException, allow: boolean): Instruction[] {
  const instructions = [
    leaveUnlessEqual(type, typeNumbers[exception.type]),
    ...accessTest(exception.access, allow),
    ...(exception.major === undefined ? [] : [leaveUnlessEqual(major, exception.major)]),
    ...(exception.minor === undefined ? [] : [leaveUnlessEqual(minor, exception.minor)]),
    set(answer, allow ? 1 : 0),
    exit,
  ]
  return instructions.map((instruction, index) =>
    jumps.has(instruction.code) ? { ...instruction, skip: instructions.length - index - 1 } : instruction,
  )
}

const jumps = new Set([0x55, 0x15, 0x5d])

function accessTest(letters: string, allow: boolean): Instruction[] {
  const mask = [...letters].reduce((sum, letter) => sum | accessBits[letter]!, 0)
  if (mask === 7) return []
  const requested = [copy(scratch, access), and(scratch, mask)]
  return [...requested, allow ? leaveUnlessSame(scratch, access) : leaveIfEqual(scratch, 0)]
}

function encode(instructions: Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8))
  instructions.forEach(({ code, to = 0, from = 0, skip = 0, value = 0 }, index) => {
    view.setUint8(index * 8, code)
    view.setUint8(index * 8 + 1, (from << 4) | to)
    view.setInt16(index * 8 + 2, skip, true)
    view.setInt32(index * 8 + 4, value, true)
  })
  return new Uint8Array(view.buffer)
}
