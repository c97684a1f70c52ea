// minictr network inspect: all that is known about networks, and who is in them.

import { Command } from 'commander'
import { listNetworks } from '../containers/networks.ts'
import { withOmitted } from '../images/nil.ts'
import type { Endpoint } from '../networks/endpoint.ts'
import { bridgeName } from '../networks/link-names.ts'
import { DEFAULT_NETWORK, findNetwork, type Network } from '../networks/network.ts'
import { NetworkStore } from '../networks/store.ts'
import type { SubnetConfig } from '../networks/subnets.ts'
import type { GlobalOptions } from './command.ts'
import { printInspected } from './inspected.ts'

/** The `network inspect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('inspect')
    .summary('Display detailed information on one or more networks')
    .description('Display detailed information on one or more networks')
    .usage('[OPTIONS] NETWORK [NETWORK...]')
    .argument('<network...>', 'names, ids or beginnings of ids')
    .option('-f, --format <string>', "'json', or a Go template that is filled with each network")
    .option('-v, --verbose', 'Verbose output for diagnostics (of swarms only)')
    .addHelpText(
      'after',
      `
Examples:
  minictr network inspect web
  minictr network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}' web
  minictr network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{"\\n"}}{{end}}' web
  minictr network inspect -f '{{json .Options}}' bridge`,
    )
    .action((names: string[], { format }: { format?: string }) => {
      const networks = listNetworks(globals)
      const store = new NetworkStore(globals)
      printInspected(names, name => describeNetwork(findNetwork(networks, name), store), format)
    })
}

/** A network as Docker's API tells of it. */
export function describeNetwork(network: Network, store: NetworkStore): NetworkDescription {
  return new NetworkDescription(network, store.endpoints(network.id))
}

/** What the default network has anyway; Docker tells of it as of options. */
const defaultOptions = {
  'com.docker.network.bridge.default_bridge': 'true',
  'com.docker.network.bridge.enable_icc': 'true',
  'com.docker.network.bridge.enable_ip_masquerade': 'true',
  'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
  'com.docker.network.driver.mtu': '1500',
}

/** A network under the names Go has for it, in Docker's order; JSON has Id in place of ID (moby, api/types/network). */
class NetworkDescription {
  Name: string
  ID: string
  Created: string
  Scope = 'local'
  Driver: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  IPAM: { Driver: string; Options: Map<string, string> | null; Config: SubnetDescription[] }
  Internal: boolean
  Attachable: boolean
  Ingress = false
  ConfigFrom = { Network: '' }
  ConfigOnly = false
  Containers: Map<string, ReturnType<typeof describeEndpoint>>
  Options: Map<string, string>
  Labels: Map<string, string>

  constructor(network: Network, endpoints: Endpoint[]) {
    const isDefault = network.id === DEFAULT_NETWORK.id
    const names = { 'com.docker.network.bridge.name': isDefault ? bridgeName(network) : '' }
    this.Name = network.name
    this.ID = network.id
    this.Created = network.createdAt.replace(/\.?0*Z$/, 'Z')
    this.Driver = network.driver
    this.EnableIPv4 = network.hasIpv4
    this.EnableIPv6 = network.hasIpv6
    this.IPAM = {
      Driver: 'default',
      Options: network.createdAt.startsWith('0001') ? null : new Map(),
      Config: network.subnets.map(subnet => new SubnetDescription(subnet)),
    }
    this.Internal = network.isInternal
    this.Attachable = network.isAttachable
    this.Containers = sortedMap(endpoints.map(each => [each.containerId, describeEndpoint(each)]))
    this.Options = sortedMap(
      Object.entries({ ...(isDefault && { ...defaultOptions, ...names }), ...network.options }),
    )
    this.Labels = sortedMap(Object.entries(network.labels))
    // Docker's templates find JSON's names too.
    withOmitted(this, { Id: network.id })
  }

  toJSON(): object {
    const { Name, ID, ...rest } = this
    return { Name, Id: ID, ...rest }
  }
}

/** JSON leaves out what is not there; Go has an empty text. */
class SubnetDescription {
  Subnet: string
  IPRange: string
  Gateway: string
  AuxAddress: Map<string, string>

  constructor({ subnet, ipRange = '', gateway = '', auxiliaryAddresses }: SubnetConfig) {
    this.Subnet = subnet
    this.IPRange = ipRange
    this.Gateway = gateway
    this.AuxAddress = sortedMap(Object.entries(auxiliaryAddresses))
  }

  toJSON(): object {
    const { Subnet, IPRange, Gateway, AuxAddress } = this
    return {
      Subnet,
      ...(IPRange && { IPRange }),
      ...(Gateway && { Gateway }),
      ...(AuxAddress.size > 0 && { AuxiliaryAddresses: AuxAddress }),
    }
  }
}

function describeEndpoint({ containerName, id, macAddress, ipv4Address, ipv6Address }: Endpoint) {
  return {
    Name: containerName,
    EndpointID: id,
    MacAddress: macAddress,
    IPv4Address: ipv4Address ?? '',
    IPv6Address: ipv6Address ?? '',
  }
}

function sortedMap<Value>(entries: [string, Value][]): Map<string, Value> {
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
