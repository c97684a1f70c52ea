// A login: asking a registry whether it takes our credentials, before they are kept.

import { MinictrError } from '../system/error.ts'
import type { Configuration } from './configuration.ts'
import type { Credentials } from './credentials.ts'
import { openRegistry } from './registry.ts'
import { RegistryError } from './registry-error.ts'
import { Transport } from './transport.ts'

/**
 * Resolves if the registry of SERVER (`host[:port]`, a URL, or '' for Docker Hub) accepts the credentials, or wants none.
 * Throws MinictrError where it does not, or does not answer.
 */
export async function checkLogin(
  server: string,
  credentials: Credentials,
  configuration: Configuration,
): Promise<void> {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  const domain = host === '' || host === 'index.docker.io' ? 'docker.io' : host
  const transport = new Transport(configuration)
  try {
    await openRegistry(domain, configuration, transport, async () => credentials).checkLogin()
  } catch (error) {
    if (!(error instanceof RegistryError) || (error.status !== 401 && error.status !== 403)) throw error
    throw new MinictrError(
      `Login to ${domain} failed: it does not accept this user name and password. ${error.message}`,
      {
        remedy: 'Check both; many registries want a personal access token in place of the password.',
        cause: error,
      },
    )
  } finally {
    await transport.close()
  }
}
