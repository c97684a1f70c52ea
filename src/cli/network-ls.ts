// minictr network ls: the networks there are.

import { Command } from 'commander'
import { listNetworks } from '../containers/networks.ts'
import { networkFilter } from '../networks/filter.ts'
import type { Network } from '../networks/network.ts'
import { NetworkStore } from '../networks/store.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { repeatable } from './repeatable.ts'
import { formatRows } from './table.ts'

type Flags = { filter?: string[]; format?: string; quiet?: boolean; trunc: boolean }

const TITLES = {
  CreatedAt: 'CREATED AT',
  Driver: 'DRIVER',
  ID: 'NETWORK ID',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  Name: 'NAME',
  Scope: 'SCOPE',
}

const TABLE = 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}'

/** The `network ls` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('ls')
    .summary('List networks')
    .description('List networks')
    .usage('[OPTIONS]')
    .option('-f, --filter <filter>', 'Provide filter values (e.g. "driver=bridge")', repeatable)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each network")
    .option('--no-trunc', 'Do not truncate the output')
    .option('-q, --quiet', 'Only display network IDs')
    .addHelpText(
      'after',
      `
Filters:
  dangling=true|false          no container is in it, or one is
  driver=bridge|macvlan|ipvlan
  id=TEXT, name=TEXT           a part of the id or of the name
  label=NAME, label=NAME=VALUE
  scope=local
  type=builtin|custom          always there, or made by somebody

Examples:
  minictr network ls
  minictr network ls -q --filter dangling=true
  minictr network ls --filter type=custom --format 'table {{.Name}}\\t{{.Internal}}'
  minictr network ls --format json --no-trunc`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

function perform({ filter = [], format, quiet, trunc }: Flags, globals: GlobalOptions): void {
  const store = new NetworkStore(globals)
  const keep = networkFilter(filter, ({ id }) => store.endpoints(id).length > 0)
  const rows = listNetworks(globals)
    .filter(keep)
    .map(network => row(network, trunc))
  const plain = quiet ? '{{.ID}}' : TABLE
  const text = formatRows(rows, format === undefined || format === 'table' ? plain : format, TITLES)
  process.stdout.write(visibleOn(process.stdout, text))
}

function row(network: Network, isShort: boolean): Record<keyof typeof TITLES, string> {
  const { id, name, driver, createdAt, hasIpv4, hasIpv6, isInternal, labels } = network
  return {
    CreatedAt: createdAt.replace('T', ' ').replace(/\.?0*Z$/, ' +0000 UTC'),
    Driver: driver,
    ID: isShort ? id.slice(0, 12) : id,
    IPv4: String(hasIpv4),
    IPv6: String(hasIpv6),
    Internal: String(isInternal),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    Name: name,
    Scope: 'local',
  }
}
