// minictr port: where the ports of a container are reached on this host.

import { Command } from 'commander'
import { findContainer } from '../containers/lookup.ts'
import { openPorts } from '../containers/networking.ts'
import { endpointsOf } from '../containers/networks.ts'
import { recover } from '../containers/recover.ts'
import { bracketed, type PortBinding } from '../networks/port-bindings.ts'
import { portName } from '../networks/ports.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** The `port` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('port')
    .summary('List port mappings or a specific mapping for the container')
    .description('List port mappings or a specific mapping for the container')
    .usage('CONTAINER [PRIVATE_PORT[/PROTO]]')
    .argument('<container>', 'name, id, or the beginning of an id')
    .argument('[port]', 'a port of the container, 80 or 53/udp')
    .addHelpText(
      'after',
      `
Examples:
  minictr port web              80/tcp -> 0.0.0.0:8080
  minictr port web 80           0.0.0.0:8080
  minictr port dns 53/udp`,
    )
    .action((name: string, port: string | undefined) => perform(name, port, globals))
}

async function perform(name: string, port: string | undefined, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const container = findContainer(globals, name)
  const { bindings } = openPorts(container, endpointsOf(globals, container.id))
  const published = bindings.sort(byPort).map(binding => ({
    port: portName(binding),
    at: `${bracketed(binding.hostAddress)}:${binding.hostPort}`,
  }))
  if (!port) {
    for (const each of published) process.stdout.write(`${each.port} -> ${each.at}\n`)
    return
  }
  const number = port.split('/')[0]!
  if (!/^\d+$/.test(number) || Number(number) > 65535) {
    throw new MinictrError(`invalid port (${number}): it is no number up to 65535`, {
      remedy: 'Give a port of the container: 80, or 53/udp.',
    })
  }
  const wanted = port.includes('/') ? port.toLowerCase() : `${port}/tcp`
  const found = published.filter(each => each.port === wanted)
  if (found.length === 0)
    throw new MinictrError(`No public port '${port}' published for ${name}`, {
      remedy: `minictr port ${name} lists those that are.`,
    })
  for (const { at } of found) process.stdout.write(`${at}\n`)
}

/** The order of Docker's client: by the container's port, then IPv4 before IPv6, then by the host's port. */
function byPort(a: PortBinding, b: PortBinding): number {
  return (
    a.port - b.port ||
    compare(a.protocol, b.protocol) ||
    compare(bracketed(a.hostAddress), bracketed(b.hostAddress)) ||
    a.hostPort - b.hostPort
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
