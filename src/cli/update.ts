// minictr update: other limits for containers, while they run or for their next start; and another restart policy.

import { Command } from 'commander'
import { parseRestartPolicy } from '../containers/restart-policy.ts'
import { planUpdate, type Update, updateContainer } from '../containers/update.ts'
import type { Subject } from '../learn/explain.ts'
import { limitsOf } from '../learn/summary.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { addFlags, applyFlags } from './flag-options.ts'
import type { Draft } from './flags/draft.ts'
import { emptyDraft } from './flags/draft.ts'
import type { Flag } from './flags/flag.ts'
import { refusedFlags } from './flags/refused.ts'
import { resourceFlags } from './flags/resources.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

type UpdateDraft = Draft & { policy?: string }

/** Of the limits of `run`, those that the kernel takes while processes run. */
const notUpdated = ['memory-swappiness', 'oom-kill-disable']
const refused = [
  'kernel-memory',
  'blkio-weight-device',
  'cpu-rt-period',
  'cpu-rt-runtime',
  ...['device-read-bps', 'device-read-iops', 'device-write-bps', 'device-write-iops'],
]

const flagsOfUpdate: Flag<UpdateDraft>[] = [
  ...resourceFlags.flags.filter(({ name }) => !notUpdated.includes(name)),
  ...refusedFlags.flags.filter(({ name }) => refused.includes(name)),
  {
    name: 'restart',
    takes: 'string',
    about: 'Restart policy to apply when a container exits',
    set: (draft, policy) => {
      draft.policy = policy
    },
  },
]

/** The `update` command of commander. */
export function command(globals: GlobalOptions): Command {
  const update = new Command('update')
    .summary('Update configuration of one or more containers')
    .description('Update configuration of one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
  return watchOptions(addFlags(update, flagsOfUpdate))
    .addHelpText(
      'after',
      `
What is not given stays as it is. A container that runs has the new limits at once, and keeps them.

Examples:
  minictr update -m 512m --memory-swap 1g db      more memory, without a restart
  minictr update --cpus 1.5 --pids-limit 200 web  other limits
  minictr update --restart unless-stopped web     what becomes of it when it ends
  minictr explain update --cpus 2 web             which steps that takes, performing none`,
    )
    .action((names: string[], flags: WatchFlags) => perform(names, flags, globals, update))
}

async function perform(
  names: string[],
  flags: WatchFlags,
  globals: GlobalOptions,
  parsed: Command,
): Promise<void> {
  const wanted = updateOf(parsed)
  const warnings: string[] = []
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    const warned = await updateContainer(container, globals, executor, wanted, observer)
    warnings.push(...(warned ?? []))
    return warned !== undefined
  })
  if (warnings.length > 0) process.stdout.write(`${warnings.join('\n')}\n`)
}

/** What `explain update` and `script update` are about. */
export async function subject(
  words: string[],
  _: object,
  globals: GlobalOptions,
  parsed: Command,
): Promise<Subject> {
  const container = oneContainer(words, globals)
  const wanted = updateOf(parsed)
  const { plan } = planUpdate(container, globals, wanted)
  const facts = { limits: limitsOf(container.spec.linux.resources ?? {}) }
  return { plan, summary: { title: 'Other limits for a container', name: container.name, facts } }
}

function updateOf(parsed: Command): Update {
  const draft: UpdateDraft = emptyDraft()
  const count = applyFlags(parsed, flagsOfUpdate, draft, parsed.name())
  if (count === 0) throw new MinictrError('you must provide one or more flags when using this command')
  return {
    resources: draft.options.resources,
    ...(draft.policy && { restart: parseRestartPolicy(draft.policy) }),
  }
}
