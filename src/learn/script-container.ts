// The container's side of a script: one shell for each set of namespaces, and the chain of programs that ends the last.

import type { Op } from '../runtime/op.ts'
import { showText } from '../runtime/ops/row.ts'
import { shellTwin } from '../runtime/ops.ts'
import { quote, words } from '../runtime/shell.ts'
import type { Step } from '../runtime/step.ts'
import { type Abbreviation, abbreviateCommand } from './abbreviations.ts'
import type { Subject } from './explain.ts'
import { comment, heading, note, runLines } from './script-lines.ts'
import { afterMeeting } from './script-meeting.ts'
import { enterToolbox, fillToolbox, replaceBy, takeToolbox, toolFunctions, toolsOf } from './toolbox.ts'

/**
 * A shell of the script: what it performs, and the options of the command that starts the next one inside it; with `tools`
 * that next one has another root, and takes these along.
 */
type Shell = { lines: string[]; nsenter: string[]; unshare: string[]; tools?: string[] }

/** What is known on the way through the container's steps. */
type Walk = {
  /** The shells so far, each started by the one before; the last one is being written. */
  shells: Shell[]
  /** Files of namespaces by the names the plan gives their descriptors. */
  namespaceFiles: Map<string, string>
  hasPivoted: boolean
  /** Options of the setpriv(1) at the end, each by its name, so that a later one replaces an earlier. */
  setpriv: Map<string, string[]>
  directory: string
}

/** The lines of the container's steps: a subshell that becomes the container. */
export function containerSide(subject: Subject, names: Abbreviation[]): string[] {
  const walk: Walk = {
    shells: [{ lines: [], nsenter: [], unshare: [] }],
    namespaceFiles: new Map(),
    hasPivoted: false,
    setpriv: new Map(),
    directory: '/',
  }
  const steps = subject.plan.steps.filter(({ side }) => side === 'container')
  const waiting = afterMeeting(subject.plan)
  const tools = [
    ...new Set([...toolsOf(afterPivot(steps).flatMap(commandsOf)), 'env', 'setpriv', 'umount']),
  ].sort()
  let hasScoped = false
  for (const step of steps) {
    const lines = heading(step, subject.plan)
    if (!hasScoped && step.ops.some(op => 'in' in op && op.in)) {
      hasScoped = true
      here(walk).lines.push(...linkGuard(steps, scopeOf(steps), names))
    }
    if (step === waiting) here(walk).lines.push(...meetHost)
    const enters = step.ops.some(op => isGate(op) && startsShell(op, walk))
    if (enters) walk.shells.push({ lines: [], nsenter: [], unshare: [] })
    if (step.ops.some(({ op }) => op === 'pivot_root')) lines.push(...fillToolbox(tools))
    for (const op of opsFor(step)) lines.push(...containerOp(op, walk, tools, names))
    here(walk).lines.push(...lines)
  }
  return nest(walk.shells, subject)
}

/** By a file of /proc that the host has mounted the shell learns which number it has there. */
const meetHost = [
  '',
  ...comment('Now the host makes its links, for which it has to know the process by its number there.'),
  'read -r PID rest < /proc/self/stat',
  'echo "$PID" > "$MEETING/pid"',
  'read -r rest < "$MEETING/ready"',
]

/** A step that opens a terminal does nothing else in a script, which has the one it was started from. */
function opsFor({ ops }: Step): Op[] {
  const pty = ops.find(({ op }) => op === 'open_pty')
  return pty ? [pty] : ops
}

/** The shell that is being written. */
function here(walk: Walk): Shell {
  return walk.shells.at(-1)!
}

/** The root that paths of the container are resolved in. */
function scopeOf(steps: Step[]): string {
  return steps.flatMap(({ ops }) => ops.flatMap(op => ('in' in op && op.in ? op.in : [])))[0] ?? ''
}

function isGate({ op }: Op): boolean {
  return op === 'unshare' || op === 'setns'
}

/** The first namespace, and a user namespace after others, are entered by starting a shell in them. */
function startsShell(op: Op, { shells }: Walk): boolean {
  return shells.length === 1 || (op.op === 'setns' && op.namespaces.includes('user'))
}

function containerOp(op: Op, walk: Walk, tools: string[], names: Abbreviation[]): string[] {
  const gate = walk.shells.at(-1)!
  switch (op.op) {
    case 'open':
      walk.namespaceFiles.set(op.as, showText(op.path))
      return []
    case 'close':
      return []
    case 'create_userns':
      walk.namespaceFiles.set(op.as, '/proc/$USERNS_PID/ns/user')
      return [...runLines(op, names), 'export USERNS_PID']
    case 'setns': {
      if (op.pid !== undefined) break
      const option = `--${op.namespaces[0]}=${walk.namespaceFiles.get(op.slot) ?? ''}`
      gate.nsenter.push(option)
      return note(`nsenter ${option}: above, where this shell was started.`)
    }
    case 'pivot_root':
      walk.hasPivoted = true
      return enterToolbox(words('pivot_root', op.newRoot, op.putOld), tools)
    case 'umount2':
      // The shell stands in the toolbox by now; the old root lies on top of the new one.
      return runLines(op.target === '.' ? { ...op, target: '/' } : op, names)
    case 'seccomp':
      return seccompLines(shellTwin(op) as { seccompFilter: string })
  }
  const twin = shellTwin(op)
  if ('nsenter' in twin) {
    gate.nsenter.push(...twin.nsenter)
    gate.tools = tools
    walk.hasPivoted = true
    return note(`nsenter ${twin.nsenter.join(' ')}: above, where this shell was started.`)
  }
  if ('unshare' in twin && gate.tools) return note('nsenter --pid has forked already.')
  if ('unshare' in twin) {
    gate.unshare.push(...twin.unshare)
    return note(`unshare ${twin.unshare.join(' ')}: above, where this shell was started.`)
  }
  if ('setpriv' in twin) {
    const [name, ...values] = twin.setpriv
    walk.setpriv.set(name!, values)
    return note(`setpriv ${name}: below, in the last command.`)
  }
  if ('chdir' in twin) {
    if (!walk.hasPivoted) return [abbreviateCommand(words('cd', twin.chdir), names)]
    walk.directory = twin.chdir
    return note(`env --chdir=${twin.chdir}: below, in the last command.`)
  }
  if ('exec' in twin) return execLines(twin.exec, walk)
  return runLines(op, names)
}

/** A setpriv that can load a filter goes before the last command, as $@; one that cannot is told of. */
function seccompLines({ seccompFilter }: { seccompFilter: string }): string[] {
  return [
    ...note(
      'setpriv sets no_new_privs with the filter: here, unlike under minictr, setuid programs have no effect.',
    ),
    'case $(run setpriv --help) in',
    '  *--seccomp-filter*)',
    `    printf %s ${seccompFilter} | base64 -d > filter`,
    `    set -- ${replaceBy('setpriv')} --seccomp-filter ./filter`,
    '    ;;',
    '  *) printf %s\\\\n "No seccomp filter: setpriv(1) of util-linux 2.41 or later could load it." >&2 ;;',
    'esac',
  ]
}

const lookUpWarning =
  'setpriv takes a number for a name at first, and looks it up as the image says in its nsswitch.conf, still with all ' +
  'rights: run only images you trust this way. minictr makes the system calls itself and asks nobody.'

/** The chain of programs that replaces the shell: privileges given up, the environment set, the program itself. */
function execLines({ argv, env }: { argv: string[]; env: string[] }, walk: Walk): string[] {
  const isRoot = (name: string) => name === '--reuid' || name === '--regid'
  const options = [...walk.setpriv]
    // Root needs no change, and setpriv looks every number up as a name in the image's /etc/passwd first.
    .filter(([name, [value]]) => !(isRoot(name) && value === '0'))
    .map(([name, values]) => words(name, ...values))
  const looksUp = options.some(option => /^--(groups|re[ug]id)/.test(option))
  return [
    ...(looksUp ? comment(lookUpWarning) : []),
    'exec "$@" \\',
    `  ${[replaceBy('setpriv'), ...options].join(' \\\n    ')} \\`,
    `  ${replaceBy('env')} -i ${words(`--chdir=${walk.directory}`)} -- \\`,
    ...env.map(variable => `    ${quote(variable)} \\`),
    `  ${words(...argv)}`,
  ].flatMap(lines => lines.split('\n'))
}

/** The shells, each within the command that the one before starts, the first in a subshell of the script. */
function nest(shells: Shell[], { plan }: Subject): string[] {
  const takesInput = plan.steps.some(({ ops }) =>
    ops.some(op => op.op === 'spawn_init' && op.stdin !== 'none'),
  )
  let nested: string[] = []
  for (const [index, shell] of [...shells.entries()].reverse()) {
    const within = nested.length ? [...shell.lines, '', ...nested] : shell.lines
    const mark = endMark(`SHELL_${index}`, within)
    nested =
      index === 0
        ? ['(', ...within, takesInput ? ')' : ') </dev/null']
        : shell.tools
          ? inAnotherRoot(shell, shell.tools, within)
          : [`exec ${entrance(shell)}sh -euc 'eval "$(cat <&3)"' 3<<'${mark}'`, 'exec 3<&-', ...within, mark]
  }
  return nested
}

/**
 * A shell with another root: what it needs lies in a file system that only its working directory leads to. nsenter(1) looks
 * for that directory before it enters the namespaces.
 */
function inAnotherRoot(shell: Shell, tools: string[], lines: string[]): string[] {
  const inner = endMark('INSIDE', lines)
  const outer = [
    'exec 3<&-',
    ...fillToolbox([...tools, 'nsenter', 'sh'].sort(), '1777'),
    ...takeToolbox,
    ...comment(
      'Unlike minictr’s own, the processes that follow are open to those in the container, which could trace them while ' +
        'they still have all rights: enter only containers you trust this way.',
    ),
    `exec ${replaceBy('nsenter')} ${shell.nsenter.join(' ')} --wd=. \\`,
    `  ${replaceBy('sh')} -euc "$(cat <<'${inner}'`,
    ...toolFunctions(tools),
    ...lines,
    inner,
    ')"',
  ]
  const mark = endMark('TOOLS', outer)
  return [
    `exec unshare --mount --propagation private sh -euc 'eval "$(cat <&3)"' 3<<'${mark}'`,
    ...outer,
    mark,
  ]
}

/** A line by which the lines of a here-document end: none of them, whatever an image put into its variables. */
function endMark(name: string, lines: string[]): string {
  const taken = new Set(lines.flatMap(line => line.split('\n')))
  let mark = name
  while (taken.has(mark)) mark += '_'
  return mark
}

/** nsenter(1) and unshare(1) with all that was collected; nothing where no namespace is entered. */
function entrance({ nsenter, unshare }: Shell): string {
  const options = [...new Set(unshare)]
  const own = options.includes('--mount') ? ['--propagation', 'unchanged'] : []
  const ends = options.includes('--fork') ? ['--kill-child'] : []
  return [
    ...(nsenter.length ? [`nsenter ${nsenter.join(' ')} \\\n  `] : []),
    ...(options.length ? [`unshare ${[...options, ...own, ...ends].join(' ')} \\\n  `] : []),
  ].join('')
}

/**
 * The shell follows links by the host's root: a path that leads out of the container's must stop it. What lies in a file
 * system that the plan itself mounts needs no look.
 */
function linkGuard(steps: Step[], root: string, names: Abbreviation[]): string[] {
  const paths: string[] = []
  const covered: string[] = []
  for (const op of steps.flatMap(({ ops }) => ops)) {
    const path = 'in' in op && op.in === root ? scopedPath(op) : undefined
    if (path === undefined || covered.some(mount => path.startsWith(`${mount}/`))) continue
    paths.push(path)
    if (op.op === 'mount' && op.type) covered.push(path)
  }
  const shown = abbreviateCommand(quote(root), names)
  return [
    '',
    ...comment(
      'This shell follows links by the root of this machine. A link in the image must not lead it to a file out here.',
    ),
    `for path in ${[...new Set(paths)].map(quote).join(' ')}; do`,
    `  case $(realpath -m ${shown}"$path") in`,
    `    "$(realpath ${shown})"/*) ;;`,
    '    *) printf \'the image has a link that leads %s out of its root\\n\' "$path" >&2; exit 125 ;;',
    '  esac',
    'done',
  ]
}

function scopedPath(op: Op): string | undefined {
  const path = op.op === 'mount' ? op.target : 'path' in op ? showText(op.path) : '/'
  return path === '/' ? undefined : path
}

/** The steps from the one on in which the tools of this machine can no longer be found. */
function afterPivot(steps: Step[]): Step[] {
  const changesRoot = (op: Op) => op.op === 'pivot_root' || (op.op === 'setns' && op.pid !== undefined)
  return steps.slice(steps.findIndex(({ ops }) => ops.some(changesRoot)))
}

function commandsOf(step: Step): string[] {
  return opsFor(step).flatMap(op => {
    const twin = shellTwin(op)
    if ('seccompFilter' in twin) return ['base64']
    return 'run' in twin && op.op !== 'pivot_root' ? [twin.run] : []
  })
}
