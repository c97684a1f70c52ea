// A plan as a POSIX shell script: the same container on a machine without minictr, every command with its why.

import type { Op, OpOf } from '../runtime/op.ts'
import { showText } from '../runtime/ops/row.ts'
import type { Plan, Step } from '../runtime/step.ts'
import { undoesOf } from '../runtime/steps/undo.ts'
import { type Abbreviation, abbreviationsOf, definitions } from './abbreviations.ts'
import type { Subject } from './explain.ts'
import { containerSide } from './script-container.ts'
import { comment, heading, note, rule, runLines } from './script-lines.ts'
import { endMeeting, meetingLines, meetingSteps } from './script-meeting.ts'
import { insideLines, visitLines } from './script-visit.ts'

const LONG_CHARACTERS = 2000

/**
 * The script. It runs as root under `sh`, with util-linux, coreutils, findutils, iproute2 and hostname. One that starts a program
 * removes at its end what it made, and exits with the status of the program; any other undoes what it did where it fails.
 */
export function scriptText(subject: Subject): string {
  const { plan } = subject
  const names = abbreviationsOf(plan)
  const starts = startsProgram(subject)
  const meeting = starts ? meetingSteps(plan) : []
  // Without a program all of it is done by this shell, in the order of the plan.
  const steps = plan.steps.filter(({ side }) => side === 'host' || !starts)
  const exported = [
    ...names.map(({ name }) => name),
    ...(starts ? ['TOOLBOX'] : []),
    ...(meeting.length > 0 ? ['MEETING'] : []),
  ]
  const hostLines = (steps: Step[], counts = true) =>
    steps.flatMap(step => performed(step, subject, names, counts))
  return [
    ...introduction(subject),
    ...definitions(names),
    ...(starts ? ['TOOLBOX=$(mktemp -d)'] : []),
    ...(meeting.length > 0 ? ['MEETING=$(mktemp -d)', 'HOST='] : []),
    ...(exported.length > 0 ? [`export ${exported.join(' ')}`] : []),
    ...cleanUp(steps, subject, names),
    ...ownerMapping(subject),
    ...tiedMounts(subject),
    '',
    rule(steps.some(({ side }) => side === 'container') ? 'Both sides, in turn' : "The host's side"),
    ...hostLines(steps.filter(step => !meeting.includes(step))),
    ...(meeting.length > 0 ? meetingLines(plan, meeting, hostLines(meeting, false)) : []),
    ...(starts ? ['', rule("The container's side"), ...containerSide(subject, names)] : []),
    '',
  ].join('\n')
}

/** Whether there is a process that turns into a program. */
function startsProgram({ plan }: Subject): boolean {
  return plan.steps.some(({ ops }) => ops.some(({ op }) => op === 'execve'))
}

function introduction(subject: Subject): string[] {
  const { plan, summary } = subject
  const { command } = plan
  const { title, image, name } = summary
  const what = image
    ? `The container ${name ?? ''} of ${image.name ?? 'a ready directory'}, made with a shell instead of minictr.`
    : `${title}, ${name}, with a shell instead of minictr.`
  const programs = programsOf(plan)
  const layers = image ? ', and the layers of the image where minictr has them' : ''
  const end = startsProgram(subject)
    ? 'It ends with the status of the program, and removes what it made.'
    : 'Where a command fails, what was done before is undone, as far as it can be. No event is told of it, and no journal: at ' +
      'the container’s end nobody undoes it.'
  return [
    '#!/bin/sh',
    ...comment(what),
    '#',
    ...comment(
      `Every command does what one system call of \`minictr ${command}\` does; the numbers are those of \`minictr explain ` +
        `${command}\`. It needs root, util-linux, coreutils, findutils, iproute2, hostname${programs}${layers}. ${end}`,
    ),
    '',
    'set -eu',
    'umask 022',
    '',
    ...(startsProgram(subject) ? mountSettings : []),
  ]
}

const mountSettings = [
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

/** Those that only some plans need. */
function programsOf({ steps }: Plan): string {
  const ops = steps.flatMap(step => step.ops)
  const needed = [
    ...(ops.some(({ op }) => op === 'nft') ? ['nftables'] : []),
    ...new Set(ops.flatMap(op => (op.op === 'run_program' ? op.argv[0]! : []))),
  ]
  return needed.map(name => `, ${name}`).join('')
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

/** A command's lines, moved to the right; but for those in quotes, which may be the content of a file. */
function indented(lines: string[]): string[] {
  const isContent = /^(?:[^'\\]|\\.|'[^'\n]*')*'[^'\n]*\n/s.test(lines.join('\n'))
  return lines.map((line, index) => (index === 0 || !isContent ? `    ${line}` : line))
}

/** The function that undoes the steps that were reached, the last one first; nothing where nothing can be undone. */
function cleanUp(steps: Step[], subject: Subject, names: Abbreviation[]): string[] {
  const { plan } = subject
  const starts = startsProgram(subject)
  // A restart cannot be taken back either, but what the program stands in goes when it ends.
  const { onwardFrom = plan.steps.length } = starts ? {} : plan
  const undoing = undoesOf(steps.filter(step => plan.steps.indexOf(step) < onwardFrom))
    .reverse()
    .flatMap(({ step, undo, side }) => {
      const commands = undo.map(op => runLines(op, names))
      // What has no command in shell made nothing in shell.
      if (commands.flat().every(line => line.startsWith('#'))) return []
      const reached = plan.steps.findIndex(({ id }) => id === step) + 1
      return [
        `  if [ "$reached" -ge ${reached} ]; then # ${step}`,
        ...(side === 'container' ? [insideLines(commands.flat(), plan)] : commands).flatMap(indented),
        '  fi',
      ]
    })
  if (undoing.length === 0 && !starts) return []
  return [
    '',
    ...comment('Undoes every step that was reached, the last one first.'),
    'reached=0',
    'clean_up() {',
    '  status=$?',
    '  set +e',
    ...(starts ? [] : ['  [ "$status" -ne 0 ] || exit 0']),
    ...undoing,
    ...(starts && meetingSteps(plan).length > 0 ? endMeeting.map(line => `  ${line}`) : []),
    ...(starts ? ['  rmdir "$TOOLBOX"'] : []),
    '  exit "$status"',
    '}',
    'trap clean_up EXIT',
    "trap 'exit 129' HUP",
    "trap 'exit 130' INT",
    "trap 'exit 143' TERM",
  ]
}

function performed(step: Step, subject: Subject, names: Abbreviation[], counts = true): string[] {
  const [first = [], ...rest] = step.ops.map(op =>
    isUnread(op, subject) ? note(`${op.path}: left out, nothing below reads it.`) : runLines(op, names),
  )
  const isUndone = counts && Array.isArray(step.undo) && step.undo.length > 0
  // Reached as soon as the first command has done its work: one that fails has made nothing.
  const reached = isUndone ? [`reached=${subject.plan.steps.indexOf(step) + 1}`] : []
  const within = heading(step, subject.plan)
  if (step.side === 'container') return [...within, ...reached, ...visitLines(step, subject.plan, names)]
  return [...within, ...first, ...reached, ...rest.flat()]
}

/** A file so long that it would hide the rest, which no other op names: minictr's own record of a container that goes again. */
function isUnread(op: Op, subject: Subject): op is OpOf<'write_file'> {
  if (op.op !== 'write_file' || op.how !== 'create' || showText(op.content).length < LONG_CHARACTERS)
    return false
  if (!startsProgram(subject)) return false
  const path = JSON.stringify(op.path)
  return !subject.plan.steps.some(({ ops }) =>
    ops.some(each => each !== op && JSON.stringify(each).includes(path)),
  )
}
