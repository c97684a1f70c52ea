// minictr script run …, script stop …: the plan of that act as a shell script, for a machine without minictr.

import type { GlobalOptions } from './command.ts'
import { print } from './output.ts'
import { plannedAct, plannedUsage } from './planned-command.ts'

const help = () => `${plannedUsage('script')}
Print a shell script that does the same without minictr

A POSIX shell with util-linux, coreutils, findutils, iproute2 and hostname is
all it needs, beside root and the unpacked layers; where it makes networks or
publishes ports, nft and dnsmasq as well. Each step has its reason as a comment;
what no shell tool can do says so. The options are those of the command itself.

Examples:
  minictr script run debian:trixie cat /etc/os-release > box.sh
  sudo sh box.sh
  minictr script exec web id | sudo sh
  minictr script stop web | sudo sh
`

/** Prints the script of the act that the arguments describe; returns 0. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const planned = await plannedAct('script', args, globals)
  if (planned === 'help') return await print(help())
  const { scriptText } = await import('../learn/script.ts')
  return await print(scriptText(planned))
}
