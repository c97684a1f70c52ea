// `minictr exec --help`.

import { execFlags } from './exec-flags.ts'
import { flagHelp } from './flag-help.ts'

const examples: [line: string, about: string][] = [
  ['minictr exec -it web bash', 'a shell in the container web'],
  ['minictr exec web cat /etc/os-release', 'what a file says in there'],
  ['minictr exec -u www-data -w /srv -e DEBUG=1 web ./check', 'as another user, elsewhere'],
  ['minictr exec -d web sleep 60', 'in the background'],
  ['minictr explain exec web true', 'how it gets in, step by step'],
]

/** The text of `minictr exec --help`. */
export function execHelp(): string {
  return flagHelp({
    name: 'minictr exec',
    usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
    summary: 'Execute a command in a running container',
    groups: execFlags,
    examples,
  })
}
