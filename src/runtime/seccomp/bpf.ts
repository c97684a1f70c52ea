// Classic BPF: the small machine that runs a seccomp filter. One accumulator, forward jumps, no loops (seccomp(2)).

import type { BpfInstruction } from '../op.ts'

export type Code = BpfInstruction[]

/** Where struct seccomp_data has the system call's number and its architecture, and argument `index`'s two words. */
export const dataOffset = {
  number: 0,
  architecture: 4,
  low: (index: number) => 16 + 8 * index,
  high: (index: number) => 20 + 8 * index,
}

/** Loads a 32-bit word of struct seccomp_data into the accumulator (BPF_LD | BPF_W | BPF_ABS). */
export const load = (offset: number): BpfInstruction => [0x20, 0, 0, offset]
/** Keeps the bits of the mask (BPF_ALU | BPF_AND | BPF_K). */
export const and = (mask: number): BpfInstruction => [0x54, 0, 0, mask]
/** Ends the program with an answer (BPF_RET | BPF_K). */
export const answer = (value: number): BpfInstruction => [0x06, 0, 0, value]
/** Jumps over this many instructions (BPF_JMP | BPF_JA). */
export const skip = (count: number): BpfInstruction => [0x05, 0, 0, count]
/** Compares unsigned; `jt` and `jf` instructions are jumped over (BPF_JMP | BPF_JEQ, _JGT, _JGE). */
export const ifEqual = (value: number, jt: number, jf: number): BpfInstruction => [0x15, jt, jf, value]
export const ifGreater = (value: number, jt: number, jf: number): BpfInstruction => [0x25, jt, jf, value]
export const ifAtLeast = (value: number, jt: number, jf: number): BpfInstruction => [0x35, jt, jf, value]

/** From this number on (up to the next range's) this code is to run. */
export type Range = { from: number; code: Code }

/**
 * Finds the range that the accumulator lies in by halving, so that n ranges cost log n comparisons. Ranges are in
 * ascending order, and the first begins at 0. A conditional jump reaches 255 instructions; beyond, an unconditional
 * one carries on.
 */
export function rangeTree(ranges: Range[], first = 0, end = ranges.length): Code {
  if (end - first === 1) return ranges[first]!.code
  const middle = (first + end) >> 1
  const below = rangeTree(ranges, first, middle)
  const above = rangeTree(ranges, middle, end)
  const from = ranges[middle]!.from
  if (below.length <= 255) return join([ifAtLeast(from, below.length, 0)], below, above)
  return join([ifAtLeast(from, 0, 1), skip(below.length)], below, above)
}

/** One code after the other. concat, since spreading is some ten times slower while this code is not yet warm. */
export function join(...codes: Code[]): Code {
  return ([] as Code).concat(...codes)
}
