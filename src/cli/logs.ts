// minictr logs: what a container has printed, and prints.

import { Command } from 'commander'
import { readLog } from '../containers/logs.ts'
import { findContainer } from '../containers/lookup.ts'
import { parseMoment } from '../containers/moment.ts'
import { recover } from '../containers/recover.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { whileRead, writeBytes } from './output.ts'

type Flags = {
  follow?: boolean
  tail: string
  since?: string
  until?: string
  timestamps?: boolean
  details?: boolean
}

export const saysLittle = true

/** The `logs` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('logs')
    .summary('Fetch the logs of a container')
    .description('Fetch the logs of a container: what it printed, in its order')
    .usage('[OPTIONS] CONTAINER')
    .argument('<container>', 'name, id, or the beginning of an id')
    .option('--details', 'Show extra details provided to logs (there are none)')
    .option('-f, --follow', 'Follow log output')
    .option('--since <string>', 'Show logs since a time ("2013-01-02T13:23:37Z") or relative ("42m")')
    .option('-n, --tail <string>', 'Number of lines to show from the end of the logs', 'all')
    .option('-t, --timestamps', 'Show timestamps')
    .option('--until <string>', 'Show logs before a time ("2013-01-02T13:23:37Z") or relative ("42m")')
    .addHelpText(
      'after',
      `
Its standard output goes to standard output, its standard error to standard
error. Following ends with the container.

Examples:
  minictr logs web                        all of it
  minictr logs -f --tail 20 web           the last 20 lines, and what comes
  minictr logs --since 10m -t web         the last ten minutes, with times
  minictr logs --since 2026-11-21T09:30 --until 2026-11-21T10:00 web
  minictr logs web 2>/dev/null            only its standard output`,
    )
    .action((name: string, flags: Flags) => perform(name, flags, globals))
}

async function perform(name: string, flags: Flags, globals: GlobalOptions): Promise<void> {
  const { details = false, follow = false, timestamps = false } = flags
  const nowMs = Date.now()
  const sinceNs = flags.since === undefined ? undefined : parseMoment(flags.since, 'since', nowMs)
  // 0 stands for no end, as in Docker.
  const untilNs =
    flags.until === undefined || flags.until === '0' ? undefined : parseMoment(flags.until, 'until', nowMs)
  const tail = parseTail(flags.tail)
  await recover(globals)
  const { id } = findContainer(globals, name)
  const reading = { details, follow, timestamps, tail, sinceNs, untilNs }
  await whileRead(() => readLog(globals, id, reading, ({ stream, bytes }) => writeBytes(stream, bytes)))
}

/** As Docker: a negative number means all. */
function parseTail(text: string): number | undefined {
  if (text === 'all') return undefined
  if (!/^-?\d+$/.test(text)) {
    throw new MinictrError(`invalid value for "tail": "${text}"`, {
      remedy: 'Give a number of lines, or all.',
    })
  }
  return text.startsWith('-') ? undefined : Number(text)
}
