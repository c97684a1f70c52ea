// Go templates (`--format`), second half: filling a parsed template with data.
//
// Data is as Go would have it: a plain object is a struct (a field it has not is an error), a Map is a map (a key it has
// not gives nothing), an array is a slice, a function is a method.

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
type Scope = { dot: Value; variables: Map<string, Value>; functions: Record<string, GoFunction> }

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
  return data => fill(nodes, { dot: data, variables: new Map([['$', data]]), functions: known })
}

/**
 * The functions where a table's own template is filled with its titles: what changes a value leaves a title as it is. Source:
 * github.com/docker/cli, templates (HeaderFunctions).
 */
export const titleFunctions: Record<string, GoFunction> = Object.fromEntries(
  ['json', 'title', 'lower', 'upper', 'truncate'].map(name => [name, (title: Value) => title]),
)

function fill(nodes: Node[], scope: Scope): string {
  return nodes
    .map(node => {
      if (node.kind === 'text') return node.text
      if (node.kind !== 'output') return fillBranch(node, scope)
      const value = evaluate(node.pipeline, scope)
      return node.pipeline.assigns ? '' : print(value)
    })
    .join('')
}

function fillBranch({ kind, pipeline, body, otherwise }: Branch, outer: Scope): string {
  const scope = { ...outer, variables: new Map(outer.variables) }
  const value = evaluate(pipeline, scope)
  if (!isTrue(value)) return fill(otherwise, scope)
  if (kind === 'if') return fill(body, scope)
  if (kind === 'with') return fill(body, { ...scope, dot: value })
  return entriesOf(value)
    .map(([key, element]) => {
      const variables = new Map(scope.variables)
      const names = pipeline.assigns ?? []
      if (names.length > 0) variables.set(names.at(-1)!, element)
      if (names.length > 1) variables.set(names[0]!, key)
      return fill(body, { ...scope, dot: element, variables })
    })
    .join('')
}

function evaluate(pipeline: Pipeline, scope: Scope): Value {
  let value: Value
  for (const [index, command] of pipeline.commands.entries())
    value = run(command, scope, index > 0 ? [value] : [])
  if (pipeline.assigns?.length === 1) scope.variables.set(pipeline.assigns[0]!, value)
  return value
}

function run([first, ...rest]: Command, scope: Scope, piped: Value[]): Value {
  const args = () => [...rest.map(operand => evaluateOperand(operand, scope)), ...piped]
  if (first!.kind === 'function') {
    const { functions } = scope
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
      if (!scope.variables.has(operand.name)) throw failure(`undefined variable "${operand.name}"`)
      return fieldsOf(scope.variables.get(operand.name), operand.path)
    case 'pipeline':
      return fieldsOf(evaluate(operand.pipeline, scope), operand.path)
    case 'function':
      return run([operand], scope, [])
  }
}

function fieldsOf(start: Value, path: string[]): Value {
  let value = start
  for (const name of path) {
    if (value instanceof Map) value = value.get(name) ?? ''
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) {
      value = (value as Record<string, Value>)[name]
    } else {
      throw failure(`there is no field .${name} here`, `There are: ${namesIn(value)}.`)
    }
  }
  return value
}

function namesIn(value: Value): string {
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
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

function choose(decides: (value: Value) => boolean): GoFunction {
  return (...args) => args.find((value, index) => decides(value) || index === args.length - 1)
}

/** Go's own functions and those Docker adds (docs.docker.com, "Format command and log output"). */
const builtIn: Record<string, GoFunction> = {
  and: choose(value => !isTrue(value)),
  or: choose(isTrue),
  not: value => !isTrue(value),
  eq: (a, ...others) => others.some(b => compare(a, b) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: lengthOf,
  index: indexInto,
  print: (...args) => args.map(print).join(''),
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
