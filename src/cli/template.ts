// Go templates (`--format`), second half: filling a parsed template with data.
//
// Data is as Go would have it: a plain object is a struct (a field it has not is an error), a Map is a map (a key it has
// not gives undefined, which is printed as `<no value>`), an array is a slice, a function is a method.

import { MinictrError } from '../system/error.ts'
import { print, printf, sortedEntries } from './go-print.ts'
import {
  type Branch,
  type Command,
  type Node,
  type Operand,
  type Pipeline,
  parseTemplate,
} from './template-parser.ts'

export type Value = unknown

type GoFunction = (...args: Value[]) => Value
/** Blocks inside others share the variables they have not declared themselves. */
type Variable = { value: Value }
type Scope = { dot: Value; variables: Map<string, Variable>; functions: Record<string, GoFunction> }
/** What was made of some nodes, and whether a `range` around them is to be left or gone on with. */
type Filled = { text: string; leaves?: 'break' | 'continue' }

/**
 * Parses a template once; the result fills it with one piece of data. `functions` stand in place of those of the same names.
 * Both throw MinictrError.
 */
export function compileTemplate(
  template: string,
  functions: Record<string, GoFunction> = {},
): (data: Value) => string {
  const nodes = parseTemplate(template)
  const known = { ...builtIn, ...functions }
  return data =>
    fill(nodes, { dot: data, variables: new Map([['$', { value: data }]]), functions: known }).text
}

/**
 * The functions where a table's own template is filled with its titles: what changes a value leaves a title as it is. Source:
 * github.com/docker/cli, templates (HeaderFunctions).
 */
export const titleFunctions: Record<string, GoFunction> = Object.fromEntries(
  ['json', 'title', 'lower', 'upper', 'truncate'].map(name => [name, (title: Value) => title]),
)

function fill(nodes: Node[], scope: Scope): Filled {
  let text = ''
  for (const node of nodes) {
    const filled = fillNode(node, scope)
    text += filled.text
    if (filled.leaves) return { text, leaves: filled.leaves }
  }
  return { text }
}

function fillNode(node: Node, scope: Scope): Filled {
  switch (node.kind) {
    case 'text':
      return { text: node.text }
    case 'break':
    case 'continue':
      return { text: '', leaves: node.kind }
    case 'output': {
      const value = evaluate(node.pipeline, scope)
      return { text: node.pipeline.assigns ? '' : print(value) }
    }
    default:
      return fillBranch(node, scope)
  }
}

function fillBranch({ kind, pipeline, body, otherwise }: Branch, outer: Scope): Filled {
  const scope = { ...outer, variables: new Map(outer.variables) }
  const value = evaluate(pipeline, scope)
  if (!isTrue(value)) return fill(otherwise, scope)
  if (kind === 'if') return fill(body, scope)
  if (kind === 'with') return fill(body, { ...scope, dot: value })
  return { text: fillRange(entriesOf(value), pipeline.assigns?.names ?? [], body, scope) }
}

function fillRange(entries: [Value, Value][], names: string[], body: Node[], scope: Scope): string {
  let text = ''
  for (const [key, element] of entries) {
    const variables = new Map(scope.variables)
    if (names.length > 0) variables.set(names.at(-1)!, { value: element })
    if (names.length > 1) variables.set(names[0]!, { value: key })
    const filled = fill(body, { ...scope, dot: element, variables })
    text += filled.text
    if (filled.leaves === 'break') break
  }
  return text
}

function evaluate(pipeline: Pipeline, scope: Scope): Value {
  let piped: Value[] = []
  for (const command of pipeline.commands) piped = [run(command, scope, piped)]
  const [value] = piped
  const { names, declares } = pipeline.assigns ?? { names: [], declares: false }
  if (names.length === 1) assign(names[0]!, value, declares, scope)
  return value
}

function assign(name: string, value: Value, declares: boolean, { variables }: Scope): void {
  if (declares) variables.set(name, { value })
  else variableOf(name, variables).value = value
}

function variableOf(name: string, variables: Scope['variables']): Variable {
  const variable = variables.get(name)
  if (!variable) throw failure(`undefined variable "${name}"`)
  return variable
}

function run([first, ...rest]: Command, scope: Scope, piped: Value[]): Value {
  const args = () => [...rest.map(operand => evaluateOperand(operand, scope)), ...piped]
  if (first!.kind === 'function') {
    const { functions } = scope
    const decides = Object.hasOwn(deciding, first!.name) ? deciding[first!.name] : undefined
    if (decides) return firstDeciding(decides, rest, scope, piped)
    const call = Object.hasOwn(functions, first!.name) ? functions[first!.name]! : undefined
    if (!call) throw failure(`function "${first!.name}" not defined`)
    return call(...args())
  }
  const value = evaluateOperand(first!, scope)
  if (typeof value === 'function') return value(...args())
  if (rest.length > 0 || piped.length > 0)
    throw failure("can't give an argument to a value that is no function")
  return value
}

function evaluateOperand(operand: Operand, scope: Scope): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value
    case 'field':
      return fieldsOf(scope.dot, operand.path)
    case 'variable':
      return fieldsOf(variableOf(operand.name, scope.variables).value, operand.path)
    case 'pipeline':
      return fieldsOf(evaluate(operand.pipeline, scope), operand.path)
    case 'function':
      return run([operand], scope, [])
  }
}

function fieldsOf(start: Value, path: string[]): Value {
  let value = start
  for (const name of path) {
    if (value instanceof Map) value = value.get(name)
    else if (value === undefined) return undefined
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) {
      value = (value as Record<string, Value>)[name]
    } else {
      throw failure(`there is no field .${name} here`, `There are: ${namesIn(value)}.`)
    }
  }
  return value
}

function namesIn(value: Value): string {
  const hasFields = typeof value === 'object' && value !== null && !Array.isArray(value)
  const names = hasFields ? Object.getOwnPropertyNames(value) : []
  return names.length > 0 ? names.map(name => `.${name}`).join(' ') : 'none'
}

/** Go's truth: not empty, not zero, not nil. */
function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  return Boolean(value)
}

function entriesOf(value: Value): [Value, Value][] {
  if (Array.isArray(value)) return [...value.entries()]
  if (value instanceof Map) return sortedEntries(value)
  if (typeof value === 'object' && value !== null) return Object.entries(value)
  throw failure(`range can't iterate over ${print(value)}`)
}

/** As Go's JSON: a map is an object. `indent` is that of JSON.stringify. */
export function toJson(value: Value, indent?: number): string {
  const plain = (_: string, each: Value) => (each instanceof Map ? Object.fromEntries(each) : each)
  return JSON.stringify(value ?? null, plain, indent)
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a) < String(b) ? -1 : String(a) === String(b) ? 0 : 1
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Map) return value.size
  if (Array.isArray(value)) return value.length
  throw failure(`len of ${print(value)}`)
}

function indexInto(start: Value, ...keys: Value[]): Value {
  return keys.reduce((value, key) => {
    if (value instanceof Map) return value.get(key) ?? ''
    if (Array.isArray(value)) {
      if (typeof key !== 'number' || !(key in value)) throw failure(`index out of range: ${print(key)}`)
      return value[key]
    }
    return fieldsOf(value, [String(key)])
  }, start)
}

/** Go's x[from:to], of texts by their bytes. */
function slice(value: Value, from: Value = 0, to?: Value): Value {
  const range: [number, number?] = to === undefined ? [Number(from)] : [Number(from), Number(to)]
  if (Array.isArray(value)) return value.slice(...range)
  return Buffer.from(String(value))
    .subarray(...range)
    .toString()
}

/** Go's Print: a blank between two operands of which neither is a text. */
function printAll(...args: Value[]): string {
  const isText = (value: Value) => typeof value === 'string'
  return args
    .map((value, at) => `${at > 0 && !isText(value) && !isText(args[at - 1]) ? ' ' : ''}${print(value)}`)
    .join('')
}

/** `and` and `or`: the first value that decides is the result, and those behind it are not looked at. */
const deciding: Record<string, (value: Value) => boolean> = { and: value => !isTrue(value), or: isTrue }

/** The first operand whose value decides; where none does, the last. */
function firstDeciding(
  decides: (value: Value) => boolean,
  operands: Operand[],
  scope: Scope,
  piped: Value[],
): Value {
  let value: Value
  for (const operand of operands) {
    value = evaluateOperand(operand, scope)
    if (decides(value)) return value
  }
  return piped.length > 0 ? piped[0] : value
}

/** Go's own functions and those Docker adds (docs.docker.com, "Format command and log output"). */
const builtIn: Record<string, GoFunction> = {
  not: value => !isTrue(value),
  eq: (a, ...others) => others.some(b => compare(a, b) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: lengthOf,
  index: indexInto,
  print: printAll,
  println: (...args) => `${args.map(print).join(' ')}\n`,
  printf,
  slice,
  json: value => toJson(value),
  join: (list, separator) => (Array.isArray(list) ? list.map(print).join(String(separator)) : print(list)),
  split: (text, separator) => String(text).split(String(separator)),
  lower: text => String(text).toLowerCase(),
  upper: text => String(text).toUpperCase(),
  title: text => String(text).replaceAll(/\b[a-z]/g, letter => letter.toUpperCase()),
  truncate: (text, length) => String(text).slice(0, Number(length)),
  pad: (text, before, after) =>
    text === '' ? '' : ' '.repeat(Number(before)) + text + ' '.repeat(Number(after)),
}

function failure(reason: string, remedy?: string): MinictrError {
  return new MinictrError(`template parsing error: ${reason}`, { remedy })
}
