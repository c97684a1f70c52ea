// The rules of networks in a kernel's packet filter: what they let through, what they translate, and what they refuse.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import {
  addNetworkRules,
  addPortRules,
  baseRuleset,
  type FilteredNetwork,
  type ForwardedPort,
  removeNetworkRules,
  removePortRules,
  removeRuleset,
} from '../../src/networks/ruleset.ts'
import { connect, Machine, missingTools } from './laboratory.ts'

const subnets = (index: number) => [`172.${17 + index}.0.0/16`, `fd00:${17 + index}::/64`]
const plain = { isInternal: false, isMasqueraded: true }
const front: FilteredNetwork = { bridge: 'minictr0', subnets: subnets(0), ...plain }
const back: FilteredNetwork = { bridge: 'minictr1', subnets: subnets(1), ...plain }
const routed: FilteredNetwork = { bridge: 'minictr2', subnets: subnets(2), ...plain, isMasqueraded: false }
const inner: FilteredNetwork = { bridge: 'minictr3', subnets: subnets(3), ...plain, isInternal: true }
const networks = [front, back, routed, inner]

/** What a firewall of somebody else may look like; it is there before, and must be the same afterwards. */
const foreign = `table inet somebody {
	chain forward {
		type filter hook forward priority filter; policy accept;
		counter packets 0 bytes 0 comment "theirs"
	}
}
`

const web = { containerAddress: '172.17.0.2', containerPort: 80 }
const ports: ForwardedPort[] = [
  { protocol: 'tcp', hostPort: 8080, ...web },
  { protocol: 'udp', hostPort: 8080, ...web },
  { protocol: 'tcp', hostPort: 8080, containerAddress: 'fd00:17::2', containerPort: 80 },
  { protocol: 'udp', hostPort: 8080, containerAddress: 'fd00:17::2', containerPort: 80 },
  { protocol: 'tcp', hostAddress: '192.0.2.1', hostPort: 8082, ...web },
]
const inside: ForwardedPort = {
  protocol: 'tcp',
  hostPort: 8090,
  containerAddress: '172.20.0.2',
  containerPort: 80,
}

describe('the rules of networks', { skip: missingTools('nft'), timeout: 60_000 }, () => {
  let host: Machine
  /** Another host, on the same wire as ours. */
  let other: Machine
  const containers: Record<'web' | 'client' | 'database' | 'server' | 'hidden' | 'hidden2', Machine> =
    {} as never

  before(async () => {
    const names = ['web', 'client', 'database', 'server', 'hidden', 'hidden2'] as const
    const machines = await Promise.all(Array.from({ length: names.length + 2 }, () => Machine.start()))
    ;[host, other] = machines.splice(0, 2) as [Machine, Machine]
    for (const [index, name] of names.entries()) containers[name] = machines[index]!
    connect(host, 'uplink', other, 'eth0')
    host.ip(`address add 192.0.2.1/24 dev uplink
      address add 2001:db8::1/64 dev uplink nodad`)
    other.ip(`address add 192.0.2.2/24 dev eth0
      address add 2001:db8::2/64 dev eth0 nodad
      route add 172.16.0.0/12 via 192.0.2.1
      route add fd00::/16 via 2001:db8::1`)
    host.sysctl({ 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 })
    host.nft(foreign)
    for (const [index, { bridge }] of networks.entries()) {
      host.ip(`link add ${bridge} type bridge
        address add 172.${17 + index}.0.1/16 dev ${bridge}
        address add fd00:${17 + index}::1/64 dev ${bridge} nodad
        link set ${bridge} up`)
    }
    attach(containers.web, 0, 2)
    attach(containers.client, 0, 3)
    attach(containers.database, 1, 2)
    attach(containers.server, 2, 2)
    attach(containers.hidden, 3, 2)
    attach(containers.hidden2, 3, 3)
    host.nft(baseRuleset + networks.map(addNetworkRules).join('') + addPortRules([...ports, inside]))
  })

  function attach(container: Machine, network: number, last: number): void {
    const end = `mctr${network}.${last}`
    connect(host, end, container, 'eth0')
    host.ip(`link set ${end} master ${networks[network]!.bridge}
      link set ${end} type bridge_slave hairpin on`)
    container.ip(`address add 172.${17 + network}.0.${last}/16 dev eth0
      address add fd00:${17 + network}::${last}/64 dev eth0 nodad
      route add default via 172.${17 + network}.0.1
      route add default via fd00:${17 + network}::1`)
  }

  after(async () => {
    await Promise.all([host, other, ...Object.values(containers)].map(machine => machine?.stop()))
  })

  /** Each line: who asks, whom, and the answer. */
  async function expect(
    cases: [
      title: string,
      machine: Machine,
      host: string,
      port: number,
      protocol: 'tcp' | 'udp',
      answer: string,
    ][],
  ) {
    const answers = await Promise.all(
      cases.map(([, machine, address, port, protocol]) => machine.ask(address, port, protocol)),
    )
    assert.deepEqual(
      cases.map(([title], index) => `${title}: ${answers[index]}`),
      cases.map(([title, , , , , answer]) => `${title}: ${answer}`),
    )
  }

  it('let containers out under the address of the host', async () => {
    const { web, database } = containers
    await expect([
      ['tcp', web, '192.0.2.2', 80, 'tcp', '192.0.2.1'],
      ['udp', web, '192.0.2.2', 80, 'udp', '192.0.2.1'],
      ['IPv6', web, '2001:db8::2', 80, 'tcp', '2001:db8::1'],
      ['another network', database, '192.0.2.2', 80, 'tcp', '192.0.2.1'],
    ])
  })

  it('leave the address of a container as it is in a network without masquerading', async () => {
    const { server } = containers
    await expect([
      ['tcp', server, '192.0.2.2', 80, 'tcp', '172.19.0.2'],
      ['IPv6', server, '2001:db8::2', 80, 'udp', 'fd00:19::2'],
    ])
  })

  it('let containers of one network reach each other', async () => {
    const { client, hidden } = containers
    await expect([
      ['tcp', client, '172.17.0.2', 80, 'tcp', '172.17.0.3'],
      ['IPv6', client, 'fd00:17::2', 80, 'udp', 'fd00:17::3'],
      ['internal', hidden, '172.20.0.3', 80, 'tcp', '172.20.0.2'],
    ])
  })

  it('keep networks apart', async () => {
    const { web, database } = containers
    await expect([
      ['tcp', web, '172.18.0.2', 80, 'tcp', 'no answer'],
      ['udp', database, '172.17.0.2', 80, 'udp', 'no answer'],
      ['IPv6', web, 'fd00:18::2', 80, 'tcp', 'no answer'],
    ])
  })

  it('let nobody in from outside but by a published port', async () => {
    await expect([
      ['tcp', other, '172.17.0.2', 80, 'tcp', 'no answer'],
      ['IPv6', other, 'fd00:17::2', 80, 'udp', 'no answer'],
      ['not published', other, '192.0.2.1', 8099, 'tcp', 'ECONNREFUSED'],
    ])
  })

  it('let nothing into or out of an internal network, not even by a port', async () => {
    const { hidden, web } = containers
    await expect([
      ['out', hidden, '192.0.2.2', 80, 'tcp', 'no answer'],
      ['out by IPv6', hidden, '2001:db8::2', 80, 'tcp', 'no answer'],
      ['in', other, '172.20.0.2', 80, 'tcp', 'no answer'],
      ['from another network', web, '172.20.0.2', 80, 'tcp', 'no answer'],
      ['out by a port', hidden, '192.0.2.1', 8080, 'tcp', 'no answer'],
      ['in by a port', other, '192.0.2.1', 8090, 'tcp', 'no answer'],
    ])
  })

  it('lead a published port to its container, which sees who asks', async () => {
    await expect([
      ['tcp', other, '192.0.2.1', 8080, 'tcp', '192.0.2.2'],
      ['udp', other, '192.0.2.1', 8080, 'udp', '192.0.2.2'],
      ['IPv6', other, '2001:db8::1', 8080, 'tcp', '2001:db8::2'],
      ['udp over IPv6', other, '2001:db8::1', 8080, 'udp', '2001:db8::2'],
      ['at one address', other, '192.0.2.1', 8082, 'tcp', '192.0.2.2'],
    ])
  })

  it('lead it there from the host itself', async () => {
    await expect([
      ['its own address', host, '192.0.2.1', 8080, 'tcp', '192.0.2.1'],
      ['its own address of IPv6', host, '2001:db8::1', 8080, 'tcp', '2001:db8::1'],
      ['a bridge', host, '172.18.0.1', 8080, 'tcp', '172.18.0.1'],
      ['a port at one address, by another', host, '192.0.2.1', 8082, 'tcp', '192.0.2.1'],
    ])
  })

  for (const isFiltered of [0, 1]) {
    it(`lead it there from containers, by any address of the host, br_netfilter ${isFiltered ? 'on' : 'off'}`, async t => {
      if (!existsSync('/proc/sys/net/bridge')) {
        if (isFiltered) return t.skip('there is no br_netfilter here')
      } else {
        host.sysctl({
          'bridge/bridge-nf-call-iptables': isFiltered,
          'bridge/bridge-nf-call-ip6tables': isFiltered,
        })
      }
      await fromContainers()
    })
  }

  async function fromContainers(): Promise<void> {
    const { web, client, database } = containers
    await expect([
      ['its own network', client, '192.0.2.1', 8080, 'tcp', '172.17.0.1'],
      ['udp', client, '192.0.2.1', 8080, 'udp', '172.17.0.1'],
      ['IPv6', client, '2001:db8::1', 8080, 'tcp', 'fd00:17::1'],
      ['its gateway', client, '172.17.0.1', 8080, 'tcp', '172.17.0.1'],
      ['itself', web, '192.0.2.1', 8080, 'tcp', '172.17.0.1'],
      ['another network', database, '192.0.2.1', 8080, 'tcp', '172.18.0.2'],
      ['the gateway of another network', database, '172.18.0.1', 8080, 'udp', '172.18.0.2'],
    ])
  }

  it('leave loopback to the proxy, which a container cannot reach there', async () => {
    const { client } = containers
    // A container whose loopback is a route to the host: what root in a container can make of its own namespace.
    client.ip('link set lo down\naddress flush dev lo\nroute add 127.0.0.1/32 via 172.17.0.1')
    client.sysctl({ 'ipv4/conf/all/route_localnet': 1 })
    await expect([
      ['127.0.0.1', host, '127.0.0.1', 8080, 'tcp', 'ECONNREFUSED'],
      ['::1', host, '::1', 8080, 'tcp', 'ECONNREFUSED'],
      ['from a container', client, '127.0.0.1', 80, 'tcp', 'no answer'],
      ['from a container by a port', client, '127.0.0.1', 8080, 'tcp', 'no answer'],
    ])
  })

  it('do so also where somebody else lets the kernel route loopback', async () => {
    other.ip('address flush dev lo\nroute add 127.0.0.1/32 via 192.0.2.1')
    other.sysctl({ 'ipv4/conf/all/route_localnet': 1 })
    host.sysctl({ 'ipv4/conf/all/route_localnet': 1 })
    const chain = 'inet minictr published'
    await expect([['guarded', other, '127.0.0.1', 8080, 'tcp', 'ECONNREFUSED']])
    host.nft(`flush chain ${chain}\nadd rule ${chain} dnat ip to meta l4proto . th dport map @ports4`)
    await expect([['unguarded', other, '127.0.0.1', 8080, 'tcp', '192.0.2.2']])
    host.nft(baseRuleset)
    await expect([['guarded again', other, '127.0.0.1', 8080, 'tcp', 'ECONNREFUSED']])
    host.sysctl({ 'ipv4/conf/all/route_localnet': 0 })
  })

  it('are loaded again without a change, and without losing an element', () => {
    const rules = host.run('nft', ['list', 'table', 'inet', 'minictr'])
    host.nft(baseRuleset + networks.map(addNetworkRules).join('') + addPortRules(ports))
    assert.equal(host.run('nft', ['list', 'table', 'inet', 'minictr']), rules)
  })

  it('do not let a port be published twice, and change nothing then', () => {
    const rules = host.run('nft', ['list', 'table', 'inet', 'minictr'])
    const taken: ForwardedPort[] = [
      { ...ports[0]!, hostPort: 9000 },
      { ...ports[0]!, containerAddress: '172.17.0.9' },
    ]
    for (const commands of [addPortRules(taken), removePortRules(taken)]) {
      const { status, stderr } = host.try('nft', ['-f', '-'], commands)
      assert.equal(status, 1)
      assert.match(stderr, /File exists/)
      assert.equal(host.run('nft', ['list', 'table', 'inet', 'minictr']), rules)
    }
  })

  it('take a port back, and leave the others', async () => {
    host.nft(removePortRules(ports.slice(0, 2)))
    host.nft(removePortRules(ports.slice(0, 2)))
    await expect([
      ['tcp', other, '192.0.2.1', 8080, 'tcp', 'ECONNREFUSED'],
      ['IPv6', other, '2001:db8::1', 8080, 'tcp', '2001:db8::2'],
      ['at one address', other, '192.0.2.1', 8082, 'tcp', '192.0.2.2'],
    ])
  })

  it('are gone without a trace, and nothing else is', () => {
    host.nft(removePortRules(ports) + networks.map(removeNetworkRules).join(''))
    host.nft(removePortRules(ports) + networks.map(removeNetworkRules).join(''))
    assert.doesNotMatch(
      host.run('nft', ['list', 'table', 'inet', 'minictr']).replace(/elements = \{ tcp \. 8090[^}]*\}/, ''),
      /elements/,
    )
    host.nft(removeRuleset)
    host.nft(removeRuleset)
    const rest = host.run('nft', ['list', 'ruleset'])
    assert.equal(rest.replaceAll(/packets \d+ bytes \d+/g, 'packets 0 bytes 0'), foreign)
  })
})
