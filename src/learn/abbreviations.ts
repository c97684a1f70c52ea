// Short names for the long paths of one container, so that a page of system calls can be read: $ROOT for its root.

import type { Op } from '../runtime/op.ts'
import type { Plan } from '../runtime/step.ts'

/** A shell variable and the text it stands for. */
export type Abbreviation = { name: string; value: string }

/** Nothing but these may stand unquoted on a command line, as a variable's value or beside one. */
const unquoted = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * The names used for this container: ID, DIR (its directory, which holds its root and its lock), ROOT (its root), LAYERS (the
 * directory that holds the image's layers) and NET (that of who is in its first network), the ones that others are written with
 * first.
 */
export function abbreviationsOf(plan: Plan): Abbreviation[] {
  const ops = plan.steps.flatMap(step => step.ops)
  const root = rootOf(ops)
  const names = [
    { name: 'ID', value: plan.containerId },
    { name: 'DIR', value: parentOf(root || lockOf(ops)) },
    { name: 'ROOT', value: root },
    { name: 'LAYERS', value: sharedParent(lowerDirectories(ops)) },
    { name: 'NET', value: networkOf(ops) },
  ]
  return names.filter(({ value }) => value.length > 1 && unquoted.test(value))
}

/** The lines that define them: `DIR=/var/lib/minictr/containers/$ID`. */
export function definitions(abbreviations: Abbreviation[]): string[] {
  return abbreviations.map(({ name, value }, index) => {
    return `${name}=${abbreviate(value, abbreviations.slice(0, index))}`
  })
}

/** The text with every value replaced by its variable, the longest first. */
export function abbreviate(text: string, abbreviations: Abbreviation[]): string {
  const longestFirst = abbreviations.toSorted((a, b) => b.value.length - a.value.length)
  return longestFirst.reduce(
    (shorter, { name, value }) => shorter.replace(pathLike(value), `$$${name}`),
    text,
  )
}

/** The same for a shell command, where a variable in single quotes would stay as it is. */
export function abbreviateCommand(command: string, abbreviations: Abbreviation[]): string {
  return command.replace(/'[^']*'|\\.|[^'\\]+/g, part =>
    part.startsWith("'") || part.startsWith('\\') ? part : abbreviate(part, abbreviations),
  )
}

/** The value where no name goes on after it, which a variable's name would swallow. */
function pathLike(value: string): RegExp {
  return new RegExp(`${value.replaceAll(/[.+]/g, '\\$&')}(?![A-Za-z0-9_])`, 'g')
}

/** Where the paths of the container's side are resolved. */
function rootOf(ops: Op[]): string {
  return ops.flatMap(op => ('in' in op && op.in ? op.in : []))[0] ?? ''
}

function lockOf(ops: Op[]): string {
  return ops.flatMap(op => (op.op === 'lock' && op.as === 'container-lock' ? op.path : []))[0] ?? ''
}

function lowerDirectories(ops: Op[]): string[] {
  const overlay = ops.find(op => op.op === 'mount' && op.type === 'overlay')
  const data = overlay?.op === 'mount' ? (overlay.data ?? '') : ''
  return (
    /lowerdir=([^,]*)/
      .exec(data)?.[1]
      ?.split(':')
      .filter(path => path.startsWith('/')) ?? []
  )
}

/** Where its addresses are claimed, and its endpoints written. */
function networkOf(ops: Op[]): string {
  const claims = ops.flatMap(op => {
    return (op.op === 'write_file' || op.op === 'unlink_claim' || op.op === 'unlink') &&
      typeof op.path === 'string'
      ? op.path
      : []
  })
  return (
    claims.flatMap(
      path => /^(.*\/networks\/[0-9a-f]{64})\/(?:addresses|endpoints)\//.exec(path)?.[1] ?? [],
    )[0] ?? ''
  )
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function sharedParent(paths: string[]): string {
  const parents = new Set(paths.map(parentOf))
  return parents.size === 1 ? [...parents][0]! : ''
}
