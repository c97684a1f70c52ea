// The commands that are plans of steps: each can be explained and written as a script. One more is one more entry.

import type { Command } from 'commander'
import type { RunOptions } from '../containers/options.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import type { FlagGroup } from './flags/flag.ts'

export type Plannable = {
  usage: string
  /** Reads the words after the command's name and decides the act; `program` is what errors call it. */
  plan(
    args: string[],
    program: string,
    globals: GlobalOptions,
    extra: FlagGroup<unknown>[],
  ): Promise<Subject | 'help'>
}

/** The file of a command that commander parses, and that says what its plan would be. */
type ActModule = {
  command(globals: GlobalOptions): Command | Promise<Command>
  subject(words: string[], flags: object, globals: GlobalOptions, parsed: Command): Promise<Subject>
}

export const plannable: { [name: string]: Plannable } = {
  run: { usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]', plan: runSubject },
  create: { usage: 'create [OPTIONS] IMAGE [COMMAND] [ARG...]', plan: createSubject },
  start: act('start [OPTIONS] CONTAINER', () => import('./start.ts')),
  exec: { usage: 'exec [OPTIONS] CONTAINER COMMAND [ARG...]', plan: execSubject },
  pause: act('pause CONTAINER', () => import('./pause.ts')),
  unpause: act('unpause CONTAINER', () => import('./unpause.ts')),
  update: act('update [OPTIONS] CONTAINER', () => import('./update.ts')),
  rename: act('rename CONTAINER NEW_NAME', () => import('./rename.ts')),
  kill: act('kill [OPTIONS] CONTAINER', () => import('./kill.ts')),
  stop: act('stop [OPTIONS] CONTAINER', () => import('./stop.ts')),
  restart: act('restart [OPTIONS] CONTAINER', () => import('./restart.ts')),
  rm: act('rm [OPTIONS] CONTAINER', () => import('./rm.ts')),
  'network connect': { usage: 'network connect [OPTIONS] NETWORK CONTAINER', plan: connectSubject },
  'network disconnect': act('network disconnect NETWORK CONTAINER', () => import('./network-disconnect.ts')),
}

/** The name at the beginning of these words, and what follows it; undefined where they begin with no such name. */
export function namedFirst(words: string[]): { name: string; rest: string[] } | undefined {
  const found = Object.keys(plannable).find(name => name.split(' ').every((word, at) => words[at] === word))
  return found === undefined ? undefined : { name: found, rest: words.slice(found.split(' ').length) }
}

function act(usage: string, module: () => Promise<ActModule>): Plannable {
  return {
    usage,
    async plan(args, program, globals, extra) {
      const [{ command, subject }, { readCommandLine }] = await Promise.all([
        module(),
        import('./program.ts'),
      ])
      const parsed = await command(globals)
      const line = await readCommandLine(parsed, program, args, extra)
      return line === 'help' ? line : await subject(line.words, line.flags, globals, parsed)
    },
  }
}

async function runSubject(...[args, program, globals, extra]: Parameters<Plannable['plan']>) {
  const { parseRun } = await import('./run-flags.ts')
  const options = parseRun(args, program, extra)
  return options === 'help' ? options : await newContainer(options, globals, 'run')
}

async function createSubject(...[args, program, globals, extra]: Parameters<Plannable['plan']>) {
  const { createFlags, parseRun } = await import('./run-flags.ts')
  const options = parseRun(args, program, extra, createFlags)
  return options === 'help' ? options : await newContainer(options, globals, 'create')
}

async function newContainer(options: RunOptions, globals: GlobalOptions, how: 'run' | 'create') {
  const [{ planRun }, { summaryOf }] = await Promise.all([
    import('../containers/plan-run.ts'),
    import('../learn/summary.ts'),
  ])
  const { plan, spec, record } = await planRun(options, globals, undefined, how)
  const { becomes, ...summary } = summaryOf(spec, record)
  return { plan, summary: { ...summary, ...(how === 'run' && { becomes }) } }
}

async function connectSubject(...[args, program, globals, extra]: Parameters<Plannable['plan']>) {
  const { parseNetworkConnect } = await import('./network-connect-flags.ts')
  const options = parseNetworkConnect(args, program, extra)
  if (options === 'help') return options
  const { subject } = await import('./network-connect.ts')
  return subject(options, globals)
}

async function execSubject(...[args, program, globals, extra]: Parameters<Plannable['plan']>) {
  const { parseExec } = await import('./exec-flags.ts')
  const options = parseExec(args, program, extra)
  if (options === 'help') return options
  const [{ planExec }, { execSummary }, { spawnExecutor }] = await Promise.all([
    import('../containers/plan-exec.ts'),
    import('../learn/summary.ts'),
    import('../system/executor.ts'),
  ])
  let reader: ReturnType<typeof spawnExecutor> | undefined
  try {
    const { name, plan, spec } = await planExec(options, globals, () => {
      reader = spawnExecutor()
      return reader.executor
    })
    return { plan, summary: execSummary(name, spec) }
  } finally {
    await reader?.close()
  }
}
