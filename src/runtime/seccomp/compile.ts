// From a readable policy to the program the kernel runs before every system call.

import { MinictrError } from '../../system/error.ts'
import type { HostFacts } from '../host.ts'
import type { BpfInstruction } from '../op.ts'
import type { Seccomp, SeccompRule } from '../spec.ts'
import { type Abi, abisOf, numbersOf, x32 } from './abi.ts'
import { actionValue, hidesNewCalls, kill, noSuchCall } from './actions.ts'
import { argumentCode, type Case } from './arguments.ts'
import { answer, type Code, dataOffset, ifEqual, join, load, type Range, rangeTree, skip } from './bpf.ts'
import { knownPrograms } from './known-programs.ts'

const mostInstructions = 4096

/**
 * The filter program of an OCI configuration's `linux.seccomp` for this processor.
 *
 * The program asks for the architecture first, since each has its own numbers, then finds the call's number by halving
 * the ranges of numbers with the same answer. Interfaces the configuration does not list are killed, as by libseccomp;
 * x32 where it is listed says ENOSYS, as kernels do that have it switched off. Calls above the highest number the
 * configuration names say ENOSYS as well, so that programs fall back to older calls. Throws MinictrError for what the
 * kernel or minictr cannot do. Source: config-linux.md (seccomp), seccomp(2); details as in runc and libseccomp.
 */
export function compileSeccomp(seccomp: Seccomp, host: Pick<HostFacts, 'architecture'>): BpfInstruction[] {
  const configuration = JSON.stringify(seccomp)
  const known = knownPrograms.find(
    program => program.architecture === host.architecture && program.configuration === configuration,
  )
  return known ? (JSON.parse(known.program) as BpfInstruction[]) : compile(seccomp, host)
}

function compile(seccomp: Seccomp, host: Pick<HostFacts, 'architecture'>): BpfInstruction[] {
  const defaultValue = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet)
  const listed = seccomp.architectures ?? []
  const [native, ...others] = abisOf[host.architecture]
  const abis = [native, ...others.filter(abi => listed.includes(abi.name))]
  let code: Code = [answer(kill)]
  for (const abi of abis.reverse()) {
    const section = join([load(dataOffset.number)], rangeTree(callRanges(seccomp, abi, defaultValue)))
    code = join([ifEqual(abi.audit, 1, 0), skip(section.length)], section, code)
  }
  const program = join([load(dataOffset.architecture)], code)
  if (program.length <= mostInstructions) return program
  throw new MinictrError(
    `The seccomp profile needs ${program.length} instructions; the kernel takes ${mostInstructions} (BPF_MAXINSNS)`,
    { remedy: 'Use fewer rules with argument comparisons.' },
  )
}

/** What the rules say, by call number: the answer, and the cases tried before it. */
type Verdicts = { always: Map<number, number>; cases: Map<number, Case[]> }

/** 32-bit Arm numbers a few calls of its own from here on, far above all others. */
const firstPrivateNumber = 0xf0000

function callRanges(seccomp: Seccomp, abi: Abi, defaultValue: number): Range[] {
  const { always, cases } = collectVerdicts(seccomp.syscalls ?? [], abi, defaultValue)
  const beyond = hidesNewCalls(seccomp.defaultAction, defaultValue) ? noSuchCall : defaultValue
  const ranges: Range[] = []
  let lastAnswer: number | undefined
  const begin = (from: number, value: number) => {
    if (value !== lastAnswer) ranges.push({ from, code: [answer(value)] })
    lastAnswer = value
  }
  let next = 0
  // A typed array sorts by value without calling back: this runs once, in code not yet warm.
  for (const number of Uint32Array.from(always.keys()).sort()) {
    if (number > next) begin(next, number < firstPrivateNumber ? defaultValue : beyond)
    const otherwise = always.get(number)!
    const tried = cases.get(number)
    if (tried) {
      ranges.push({ from: number, code: argumentCode(tried, otherwise) })
      lastAnswer = undefined
    } else begin(number, otherwise)
    next = number + 1
  }
  begin(next, beyond)
  if (abi.name === 'SCMP_ARCH_X86_64') {
    begin(x32.bit, seccomp.architectures?.includes(x32.name) ? noSuchCall : kill)
    // -1 is no x32 call: a debugger writes it to have a call skipped.
    begin(0xffffffff, noSuchCall)
  }
  return ranges
}

function collectVerdicts(rules: SeccompRule[], abi: Abi, defaultValue: number): Verdicts {
  const numbers = numbersOf(abi)
  const verdicts: Verdicts = { always: new Map(), cases: new Map() }
  for (const rule of rules) {
    const action = actionValue(rule.action, rule.errnoRet)
    const cases = casesOf(rule, action)
    for (const name of rule.names) {
      const number = numbers.get(name)
      // A name this interface does not have, or that is newer than the tables here, has nothing to be matched with.
      if (number !== undefined) addVerdict(verdicts, number, cases, action, defaultValue)
    }
  }
  return verdicts
}

/** The first rule without conditions counts. As in runc, one that says what the default says anyway adds nothing. */
function addVerdict(
  { always, cases }: Verdicts,
  number: number,
  added: Case[],
  action: number,
  defaultValue: number,
): void {
  const isPlain = added.length === 0
  const known = always.get(number)
  if (known === undefined || (isPlain && known === defaultValue))
    always.set(number, isPlain ? action : defaultValue)
  if (!isPlain && action !== defaultValue) cases.set(number, [...(cases.get(number) ?? []), ...added])
}

/** Conditions on different arguments must all hold; several on one argument are alternatives, as runc has it. */
function casesOf({ args = [] }: SeccompRule, action: number): Case[] {
  if (args.length === 0) return []
  const areAlternatives = new Set(args.map(({ index }) => index)).size < args.length
  return areAlternatives
    ? args.map(condition => ({ conditions: [condition], action }))
    : [{ conditions: args, action }]
}
