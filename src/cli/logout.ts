// minictr logout: forget the credentials for a registry.

import { Command } from 'commander'
import { credentialsKey, eraseCredentials } from '../images/credentials.ts'
import type { GlobalOptions } from './command.ts'

/** The `logout` command of commander. */
export function command(_globals: GlobalOptions): Command {
  return new Command('logout')
    .summary('Log out from a registry')
    .description('Log out from a registry.\nDefaults to Docker Hub if no server is specified.')
    .usage('[SERVER]')
    .argument('[server]', 'the registry: HOST[:PORT]')
    .addHelpText(
      'after',
      `
Examples:
  minictr logout                          Docker Hub
  minictr logout registry.example:5000

Takes the entry out of ~/.docker/config.json (or $DOCKER_CONFIG/config.json) and
out of the credential helper.`,
    )
    .action((server: string | undefined) => perform(server ?? ''))
}

async function perform(server: string): Promise<void> {
  process.stdout.write(`Removing login credentials for ${credentialsKey(server)}\n`)
  await eraseCredentials(server)
}
