// Conditions on a system call's arguments, as BPF: arguments have 64 bits, the machine's accumulator 32.

import { MinictrError } from '../../system/error.ts'
import type { SeccompRule } from '../spec.ts'
import {
  and,
  answer,
  type Code,
  dataOffset,
  ifAtLeast,
  ifEqual,
  ifGreater,
  join,
  load,
  type Range,
  rangeTree,
} from './bpf.ts'

export type Condition = NonNullable<SeccompRule['args']>[number]

/** All conditions must hold for the action, the kernel's value, to be the answer. */
export type Case = { conditions: Condition[]; action: number }

/** The code of a call whose answer depends on its arguments: the first case that fits, else `otherwise`. */
export function argumentCode(cases: Case[], otherwise: number): Code {
  for (const { conditions } of cases) for (const condition of conditions) check(condition)
  const only = cases[0]?.conditions[0]?.index
  const comparesOneWord = cases.every(
    ({ conditions: [condition, ...more] }) =>
      more.length === 0 &&
      condition?.index === only &&
      orders[condition?.op ?? ''] &&
      condition!.value < 2 ** 32,
  )
  if (only !== undefined && comparesOneWord) return wordCode(only, cases, otherwise)
  return [...cases.flatMap(caseCode), answer(otherwise)]
}

/** Comparisons of one number with another, by sign of their difference. */
const orders: Record<string, (difference: number) => boolean> = {
  SCMP_CMP_EQ: difference => difference === 0,
  SCMP_CMP_NE: difference => difference !== 0,
  SCMP_CMP_LT: difference => difference < 0,
  SCMP_CMP_LE: difference => difference <= 0,
  SCMP_CMP_GT: difference => difference > 0,
  SCMP_CMP_GE: difference => difference >= 0,
}

/** Many values of one argument, as for socket(2): the ranges of the low word with the same answer, found by halving. */
function wordCode(index: number, cases: Case[], otherwise: number): Code {
  const comparisons = cases.map(({ conditions, action }) => {
    const { op, value } = conditions[0]!
    return { fits: orders[op]!, value, action }
  })
  const actionFor = (word: number) =>
    comparisons.find(comparison => comparison.fits(word - comparison.value))?.action ?? otherwise
  const edges = new Set([0])
  for (const { value } of comparisons) edges.add(value).add(value + 1)
  edges.delete(2 ** 32)
  const ranges: Range[] = []
  let last: number | undefined
  for (const from of Uint32Array.from(edges).sort()) {
    const action = actionFor(from)
    if (action !== last) ranges.push({ from, code: [answer(action)] })
    last = action
  }
  const aboveOneWord = [load(dataOffset.high(index)), ifEqual(0, 1, 0), answer(actionFor(2 ** 32))]
  return join(aboveOneWord, [load(dataOffset.low(index))], rangeTree(ranges))
}

/** A jump of the tests below: on to the next condition, or out of the case. */
const pass = -1
const fail = -2

function caseCode({ conditions, action }: Case): Code {
  const tests = conditions.map(conditionCode)
  const code = tests.flatMap(test => resolve(test, test.length, pass))
  return [...resolve(code, code.length + 1, fail), answer(action)]
}

/** Fills in the jumps to a mark that lies at `end`. */
function resolve(code: Code, end: number, mark: number): Code {
  return code.map(([op, jt, jf, value], at) => {
    const distance = end - at - 1
    return [op, jt === mark ? distance : jt, jf === mark ? distance : jf, value]
  })
}

/** High word first; where it decides, the low word is not looked at. */
function conditionCode({ index, op, value, valueTwo = 0 }: Condition): Code {
  const [high, low] = [load(dataOffset.high(index)), load(dataOffset.low(index))]
  const [valueHigh, valueLow] = split(value)
  const [maskedHigh, maskedLow] = split(valueTwo)
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [high, ifEqual(valueHigh, 0, fail), low, ifEqual(valueLow, 0, fail)]
    case 'SCMP_CMP_NE':
      return [high, ifEqual(valueHigh, 0, pass), low, ifEqual(valueLow, fail, 0)]
    case 'SCMP_CMP_GT':
      return [
        high,
        ifGreater(valueHigh, pass, 0),
        ifEqual(valueHigh, 0, fail),
        low,
        ifGreater(valueLow, 0, fail),
      ]
    case 'SCMP_CMP_GE':
      return [
        high,
        ifGreater(valueHigh, pass, 0),
        ifEqual(valueHigh, 0, fail),
        low,
        ifAtLeast(valueLow, 0, fail),
      ]
    case 'SCMP_CMP_LT':
      return [
        high,
        ifGreater(valueHigh, fail, 0),
        ifEqual(valueHigh, 0, pass),
        low,
        ifAtLeast(valueLow, fail, 0),
      ]
    case 'SCMP_CMP_LE':
      return [
        high,
        ifGreater(valueHigh, fail, 0),
        ifEqual(valueHigh, 0, pass),
        low,
        ifGreater(valueLow, fail, 0),
      ]
    default:
      return [
        high,
        and(valueHigh),
        ifEqual(maskedHigh, 0, fail),
        low,
        and(valueLow),
        ifEqual(maskedLow, 0, fail),
      ]
  }
}

function split(value: number): [high: number, low: number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32]
}

function check({ index, op, value, valueTwo = 0 }: Condition): void {
  if (!orders[op] && op !== 'SCMP_CMP_MASKED_EQ') {
    throw new MinictrError(`The seccomp comparison ${op} is unknown`, {
      remedy: `Known comparisons are ${Object.keys(orders).join(', ')} and SCMP_CMP_MASKED_EQ.`,
    })
  }
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw new MinictrError(`A seccomp rule names argument ${index}; system calls have arguments 0 to 5`)
  }
  for (const number of [value, valueTwo]) {
    if (Number.isSafeInteger(number) && number >= 0) continue
    throw new MinictrError(
      `A seccomp rule compares with ${number}, which is not a whole number from 0 to 2^53`,
      {
        remedy: 'Larger numbers lose digits in JSON; compare with a smaller one, or test bits with a mask.',
      },
    )
  }
}
