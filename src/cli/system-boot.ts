// minictr system boot: starts what its restart policy wants to run. What the machine's init calls when it has booted.

import { Command } from 'commander'
import { afterBoot } from '../containers/boot.ts'
import { listContainers } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { removeContainer } from '../containers/remove.ts'
import { startContainer } from '../containers/start.ts'
import { sweep } from '../containers/sweep.ts'
import { hostExecutor } from '../system/monitor.ts'
import type { GlobalOptions } from './command.ts'
import { eachName } from './each-name.ts'

/** The `system boot` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('boot')
    .usage('[OPTIONS]')
    .summary('Start the containers that their restart policies want to run')
    .description(
      "Start the containers that their restart policies want to run, as after a boot: 'always', 'unless-stopped' but for what somebody stopped, and 'on-failure' where the end was a failure or was not seen. Containers that were to go at their end (--rm) are removed.",
    )
    .addHelpText(
      'after',
      `
'minictr system install-service' has systemd call it at each boot; another init may, too.

Examples:
  minictr system boot             prints the names of those it has started`,
    )
    .action(() => perform(globals))
}

async function perform(globals: GlobalOptions): Promise<void> {
  await recover(globals)
  await sweep(globals)
  const { start, remove } = afterBoot(listContainers(globals))
  const ids = new Map([...start, ...remove].map(container => [container.name, container]))
  await eachName(
    remove.map(({ name }) => name),
    globals,
    async name => {
      const { executor, close } = hostExecutor()
      const how = { force: false, withVolumes: true }
      await removeContainer(ids.get(name)!, globals, executor, how).finally(close)
      return undefined
    },
  )
  await eachName(
    start.map(({ name }) => name),
    globals,
    async name => {
      await startContainer(ids.get(name)!.id, globals)
      return name
    },
  )
}
