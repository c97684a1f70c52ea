// minictr explain run …, explain stop …: the plan of that act as a page to read, with nothing of it performed.

import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import type { FlagGroup } from './flags/flag.ts'
import { print } from './output.ts'
import { plannedAct, plannedUsage } from './planned-command.ts'

const help = () => `${plannedUsage('explain')}
Show every step of a run, or of another command, and perform none

For each step: which process performs it and why there, its system calls with
their real arguments, the shell command that does the same, and how it is
undone. The options are those of the command itself, and:

      --json           The same as data
      --only <step>    One step, by its id

Examples:
  minictr explain run debian:trixie bash                       all of it
  minictr explain run --memory 64m debian:trixie | less        what a flag changes
  minictr explain run --only pivot-root debian:trixie          one step
  minictr explain run -p 8080:80 --only create-veth nginx      how it gets its link
  minictr explain exec -it web bash                            getting into a container
  minictr explain stop web                                     how one is ended, and all that is undone
  minictr explain network connect back web                     how one more network is joined
  minictr explain run --json debian:trixie | jq '.steps[].id'  for programs
`

/** Prints the plan of the act that the arguments describe; returns 0. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const wants: { json: boolean; only?: string } = { json: false }
  const planned = await plannedAct('explain', args, globals, [flagsInto(wants)])
  if (planned === 'help') return await print(help())
  const { plan } = planned
  if (wants.only !== undefined && !plan.steps.some(({ id }) => id === wants.only)) {
    throw new MinictrError(`this ${plan.command} has no step '${wants.only}'`, {
      remedy: `Its steps are: ${plan.steps.map(({ id }) => id).join(' ')}`,
    })
  }
  const { explanationData, explanationText } = await import('../learn/explain.ts')
  if (wants.json) {
    const { visibleJson } = await import('../system/visible.ts')
    const data = explanationData(planned, wants.only)
    return await print(`${visibleJson(JSON.stringify(data, null, 2))}\n`)
  }
  const { pageFor } = await import('../learn/page.ts')
  const page = pageFor(process.stdout, process.env, process.stderr)
  return await print(`${explanationText(planned, page, wants.only)}\n`)
}

function flagsInto(wants: { json: boolean; only?: string }): FlagGroup<unknown> {
  return {
    title: 'Explaining',
    flags: [
      {
        name: 'json',
        about: 'The same as data',
        turn: (_, on) => {
          wants.json = on
        },
      },
      {
        name: 'only',
        takes: 'step',
        about: 'One step, by its id',
        set: (_, id) => {
          wants.only = id
        },
      },
    ],
  }
}
