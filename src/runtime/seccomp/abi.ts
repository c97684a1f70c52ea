// The system call interfaces a processor offers: each with its own numbers for the same names.

import { amd64Numbers } from './numbers-amd64.ts'
import { armNumbers } from './numbers-arm.ts'
import { arm64Numbers } from './numbers-arm64.ts'
import { i386Numbers } from './numbers-i386.ts'
import { sharedNumbers } from './numbers-shared.ts'

export type Abi = {
  /** The name in an OCI configuration. */
  name: string
  /** What struct seccomp_data has in `arch` (AUDIT_ARCH_*, <linux/audit.h>). */
  audit: number
  /** A list of names: a number counts for the name after it, each further name for one more. */
  numbers: string
}

const amd64: Abi = { name: 'SCMP_ARCH_X86_64', audit: 0xc000003e, numbers: amd64Numbers }
const i386: Abi = { name: 'SCMP_ARCH_X86', audit: 0x40000003, numbers: i386Numbers }
const arm64: Abi = { name: 'SCMP_ARCH_AARCH64', audit: 0xc00000b7, numbers: arm64Numbers }
const arm: Abi = { name: 'SCMP_ARCH_ARM', audit: 0x40000028, numbers: armNumbers }

/** The interfaces of a processor, its own first. */
export const abisOf: Record<'amd64' | 'arm64', [Abi, ...Abi[]]> = {
  amd64: [amd64, i386],
  arm64: [arm64, arm],
}

/** x32, 64-bit x86 with 32-bit pointers: shares amd64's `arch` and marks its calls with this bit in the number. */
export const x32 = { name: 'SCMP_ARCH_X32', bit: 0x40000000 }

const parsed = new Map<Abi, Map<string, number>>()

/** The numbers of an interface by name. */
export function numbersOf(abi: Abi): Map<string, number> {
  let numbers = parsed.get(abi)
  if (!numbers) {
    numbers = new Map()
    addNumbers(numbers, abi.numbers)
    addNumbers(numbers, sharedNumbers)
    parsed.set(abi, numbers)
  }
  return numbers
}

function addNumbers(numbers: Map<string, number>, list: string): void {
  let next = 0
  for (const word of list.replaceAll('\n', ' ').split(' ')) {
    if (word >= '0' && word < ':') next = Number(word)
    else if (word !== '') numbers.set(word, next++)
  }
}
