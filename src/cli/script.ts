// minictr script run …: the plan of that run as a shell script, for a machine without minictr.

import type { GlobalOptions } from './command.ts'
import { print } from './output.ts'
import { plannedRun } from './planned-command.ts'

const help = `Usage:  minictr script run [OPTIONS] IMAGE [COMMAND] [ARG...]

Print a shell script that makes the same container without minictr

A POSIX shell with util-linux, coreutils, findutils, iproute2 and hostname is
all it needs, beside root and the unpacked layers. Each step has its reason as a
comment; what no shell tool can do says so. The options are those of
'minictr run'.

Examples:
  minictr script run debian:trixie cat /etc/os-release > box.sh
  sudo sh box.sh
`

/** Prints the script of the run that the arguments describe; returns 0. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const planned = await plannedRun('script', args, globals)
  if (planned === 'help') return await print(help)
  const { scriptText } = await import('../learn/script.ts')
  return await print(scriptText(planned))
}
