// A plan as a POSIX shell script: the same container on a machine without minictr, every command with its why.

import type { Op, OpOf } from '../runtime/op.ts'
import { showText } from '../runtime/ops/row.ts'
import type { Step } from '../runtime/step.ts'
import { type Abbreviation, abbreviationsOf, definitions } from './abbreviations.ts'
import type { Subject } from './explain.ts'
import { containerSide } from './script-container.ts'
import { comment, heading, note, rule, runLines } from './script-lines.ts'
import { summaryOf } from './summary.ts'

const LONG_CHARACTERS = 2000

/**
 * The script. It runs as root under `sh`, with util-linux, coreutils, findutils, iproute2 and hostname; it removes at its
 * end what it made, and exits with the status of the container's program.
 */
export function scriptText(subject: Subject): string {
  const { plan } = subject
  const names = abbreviationsOf(plan)
  const host = plan.steps.filter(step => step.side === 'host')
  return [
    ...introduction(subject),
    ...definitions(names),
    'TOOLBOX=$(mktemp -d)',
    `export ${[...names.map(({ name }) => name), 'TOOLBOX'].join(' ')}`,
    ...cleanUp(host, subject, names),
    ...ownerMapping(subject),
    ...tiedMounts(subject),
    '',
    rule("The host's side"),
    ...host.flatMap(step => hostStep(step, subject, names)),
    '',
    rule("The container's side"),
    ...containerSide(subject, names),
    '',
  ].join('\n')
}

function introduction({ spec }: Subject): string[] {
  const { image, name } = summaryOf(spec)
  return [
    '#!/bin/sh',
    ...comment(
      `The container ${name ?? ''} of ${image.name ?? 'a ready directory'}, made with a shell instead of minictr.`,
    ),
    '#',
    ...comment(
      'Every command does what one system call of `minictr run` does; the numbers are those of `minictr explain run`. ' +
        'It needs root, util-linux, coreutils, findutils, iproute2, hostname, and the layers of the image where minictr ' +
        "has them. It ends with the status of the container's program, and removes what it made.",
    ),
    '',
    'set -eu',
    'umask 022',
    '',
    ...comment(
      'mount(8) since 2.39 has a newer interface to the kernel, which takes no more than 255 bytes of lowerdir.',
    ),
    'export LIBMOUNT_FORCE_MOUNT2=always',
    ...comment(
      'And it takes nothing from a file that says how directories of the same names are usually mounted.',
    ),
    'export LIBMOUNT_FSTAB=/dev/null',
    '',
  ]
}

/** An older mount(8) passes over the option that maps owners, without a word. */
function ownerMapping({ plan }: Subject): string[] {
  if (!plan.steps.some(({ ops }) => ops.some(({ op }) => op === 'idmap_mount'))) return []
  return [
    '',
    'case $(mount --version) in',
    '  *idmapping*) ;;',
    '  *) echo "mount(8) cannot map the owners of files here: util-linux 2.39 or later can" >&2; exit 125 ;;',
    'esac',
  ]
}

/** What only open_tree(2) can do. */
function tiedMounts({ plan }: Subject): string[] {
  if (!plan.steps.some(({ ops }) => ops.some(({ op }) => op === 'copy_mount'))) return []
  return [
    '',
    'echo "A shell cannot make a mount with the propagation slave or shared: use minictr run." >&2',
    'exit 125',
  ]
}

/** The function that undoes the steps that were reached, the last one first. */
function cleanUp(host: Step[], { plan }: Subject, names: Abbreviation[]): string[] {
  const undoing = host
    .filter(({ undo }) => Array.isArray(undo) && undo.length > 0)
    .reverse()
    .flatMap(step => [
      `  if [ "$reached" -ge ${plan.steps.indexOf(step) + 1} ]; then # ${step.id}`,
      ...(step.undo as Op[]).flatMap(op => runLines(op, names)).map(line => `    ${line}`),
      '  fi',
    ])
  return [
    '',
    ...comment('Undoes every step that was reached, the last one first.'),
    'reached=0',
    'clean_up() {',
    '  status=$?',
    '  set +e',
    ...undoing,
    '  rmdir "$TOOLBOX"',
    '  exit "$status"',
    '}',
    'trap clean_up EXIT',
    "trap 'exit 129' HUP",
    "trap 'exit 130' INT",
    "trap 'exit 143' TERM",
  ]
}

function hostStep(step: Step, subject: Subject, names: Abbreviation[]): string[] {
  const [first = [], ...rest] = step.ops.map(op =>
    isUnread(op, subject) ? note(`${op.path}: left out, nothing below reads it.`) : runLines(op, names),
  )
  const isUndone = Array.isArray(step.undo) && step.undo.length > 0
  // Reached as soon as the first command has done its work: one that fails has made nothing.
  const reached = isUndone ? [`reached=${subject.plan.steps.indexOf(step) + 1}`] : []
  return [...heading(step, subject.plan), ...first, ...reached, ...rest.flat()]
}

/** A file so long that it would hide the rest, which no other op names: minictr's own record of the container. */
function isUnread(op: Op, { plan }: Subject): op is OpOf<'write_file'> {
  if (op.op !== 'write_file' || op.how !== 'create' || showText(op.content).length < LONG_CHARACTERS)
    return false
  const path = JSON.stringify(op.path)
  return !plan.steps.some(({ ops }) => ops.some(each => each !== op && JSON.stringify(each).includes(path)))
}
