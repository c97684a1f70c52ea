// minictr ps: the containers there are, and how each one is.

import { Command } from 'commander'
import { recover } from '../containers/recover.ts'
import { type Container, listContainers } from '../containers/state.ts'
import { annotation } from '../runtime/spec.ts'
import type { GlobalOptions } from './command.ts'
import { humanDuration } from './human.ts'
import { table } from './table.ts'

type Flags = { all?: boolean; quiet?: boolean; trunc: boolean }

/** The `ps` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('ps')
    .summary('List containers')
    .description('List containers: those that run, or with --all those that have ended too')
    .usage('[OPTIONS]')
    .option('-a, --all', 'Show all containers (default shows just running)')
    .option('-q, --quiet', 'Only display container IDs')
    .option('--no-trunc', "Don't truncate output")
    .addHelpText(
      'after',
      `
Examples:
  minictr ps                 what runs now
  minictr ps -a              what has ended as well
  minictr ps -aq             only the ids, for scripts`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform(flags: Flags, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const containers = listContainers(globals).filter(({ status }) => flags.all || status === 'running')
  const id = (container: Container) => (flags.trunc ? container.id.slice(0, 12) : container.id)
  if (flags.quiet) {
    for (const container of containers) process.stdout.write(`${id(container)}\n`)
    return
  }
  const rows = containers.map(container => row(container, id(container), flags.trunc, Date.now()))
  process.stdout.write(table([['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAMES'], ...rows]))
}

const commandWidth = 20

function row(container: Container, id: string, truncates: boolean, nowMs: number): string[] {
  const { annotations, process } = container.spec
  const command = process.args.map(arg => (arg.includes(' ') ? `'${arg}'` : arg)).join(' ')
  const shown =
    truncates && command.length > commandWidth ? `${command.slice(0, commandWidth - 1)}…` : command
  const createdAtMs = Date.parse(annotations[annotation.createdAt] ?? '')
  return [
    id,
    annotations[annotation.image] ?? '',
    `"${shown}"`,
    `${humanDuration(nowMs - createdAtMs)} ago`,
    statusText(container, nowMs),
    container.name,
  ]
}

function statusText({ status, run, exit }: Container, nowMs: number): string {
  if (status === 'running') return `Up ${humanDuration(nowMs - run!.startedAtMs)}`
  if (status === 'created') return 'Created'
  if (exit === undefined) return 'Exited (unknown)'
  return `Exited (${exit.exitStatus ?? 'unknown'}) ${humanDuration(nowMs - exit.finishedAtMs)} ago`
}
