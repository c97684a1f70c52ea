// Short names for the long paths of one container, so that a page of system calls can be read: $ROOT for its root.

import type { Spec } from '../runtime/spec.ts'
import { annotation, type OverlaySource } from '../runtime/spec.ts'
import type { Plan } from '../runtime/step.ts'

/** A shell variable and the text it stands for. */
export type Abbreviation = { name: string; value: string }

/** Nothing but these may stand unquoted on a command line, as a variable's value or beside one. */
const unquoted = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * The names used for this container: ID, DIR (its directory), ROOT (its root) and LAYERS (the directory that holds the
 * image's layers), the ones that others are written with first.
 */
export function abbreviationsOf(plan: Plan, spec: Spec): Abbreviation[] {
  const root = spec.root.path
  const lower = overlayOf(spec)?.lower ?? []
  const names = [
    { name: 'ID', value: plan.containerId },
    { name: 'DIR', value: parentOf(root) },
    { name: 'ROOT', value: root },
    { name: 'LAYERS', value: sharedParent(lower) },
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

function overlayOf(spec: Spec): OverlaySource | undefined {
  const text = spec.annotations[annotation.overlay]
  return text === undefined ? undefined : (JSON.parse(text) as OverlaySource)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function sharedParent(paths: string[]): string {
  const parents = new Set(paths.map(parentOf))
  return parents.size === 1 ? [...parents][0]! : ''
}
