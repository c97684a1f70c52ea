// What is decided of a container's networks before it starts, on a host that is made up.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NetworkHost } from '../../../src/containers/network-host.ts'
import type { NetworkSurroundings } from '../../../src/containers/networks.ts'
import type { NetworkWish } from '../../../src/containers/options.ts'
import { type DecidedNetworks, planNetworks } from '../../../src/containers/plan-networks.ts'
import type { PortWishes } from '../../../src/containers/record.ts'
import { type Address, parseAddress } from '../../../src/networks/address.ts'
import type { Endpoint } from '../../../src/networks/endpoint.ts'
import { type Chain, parseChains } from '../../../src/networks/foreign-firewall.ts'
import { DEFAULT_NETWORK, type Network } from '../../../src/networks/network.ts'
import { type NewNetwork, newNetwork } from '../../../src/networks/new-network.ts'
import { defaultPools } from '../../../src/networks/pool.ts'
import { NetworkStore } from '../../../src/networks/store.ts'

const made = (name: string, id: string, change: Partial<NewNetwork> = {}): Network =>
  newNetwork(
    {
      ...{ name, driver: 'bridge', hasIpv4: true, hasIpv6: false, isInternal: false, isAttachable: false },
      ...{ options: {}, labels: {}, subnets: [] },
      ...change,
    },
    { networks: [], routes: [], pools: defaultPools },
    id.repeat(64),
    '2026-01-01T00:00:00Z',
  )

const subnet = (text: string) => ({ subnet: text, auxiliaryAddresses: {} })
const web = made('web', '1', { subnets: [subnet('10.1.0.0/24')] })
const six = made('six', '2', { hasIpv6: true, subnets: [subnet('10.2.0.0/24'), subnet('fd00:2::/64')] })
const inner = made('inner', '3', { isInternal: true, subnets: [subnet('10.3.0.0/24')] })
const lan = made('lan', '4', {
  driver: 'macvlan',
  options: { parent: 'eth7' },
  subnets: [{ ...subnet('192.0.2.0/24'), gateway: '192.0.2.254' }],
})

type World = {
  networks?: Network[]
  claimed?: Record<string, string[]>
  endpoints?: Record<string, Endpoint[]>
  files?: Record<string, string>
  links?: string[]
  routes?: string[]
  chains?: Chain[]
}

class MadeUpStore extends NetworkStore {
  readonly #world: World

  constructor(world: World) {
    super({ root: '/root', runRoot: '/run' })
    this.#world = world
  }

  override list(): Network[] {
    return this.#world.networks ?? [web, six, inner, lan]
  }

  override read(id: string): Network | undefined {
    return this.list().find(network => network.id === id)
  }

  override byName(name: string): Network | undefined {
    return this.list().find(network => network.name === name)
  }

  override claimedAddresses(id: string): Address[] {
    return (this.#world.claimed?.[id] ?? []).map(text => parseAddress(text)!)
  }

  override endpoints(id: string): Endpoint[] {
    return this.#world.endpoints?.[id] ?? []
  }
}

function around(world: World): NetworkSurroundings {
  const host: NetworkHost = {
    hasIpv6: () => true,
    hasLink: name => (world.links ?? []).includes(name),
    exists: path => path in (world.files ?? {}),
    readText: path => world.files?.[path] ?? '',
    namesIn: () => ['all', 'default', 'eth0', 'lo'],
    routes: () => [],
    ports: () => [],
    ephemeral: () => ({ first: 40_000, last: 40_001 }),
    newId: () => 'e'.repeat(64),
    now: () => '2026-01-01T00:00:00Z',
  }
  return {
    store: new MadeUpStore(world),
    settings: () => ({ pools: defaultPools, defaultNetwork: { hasIpv6: false, subnets: [], options: {} } }),
    host,
    ...(world.chains && { chains: world.chains }),
    findContainer: text => {
      throw new Error(`no container ${text}`)
    },
    hostsFileOf: container => `/root/containers/${container}/hosts`,
  }
}

const id = 'c'.repeat(64)
const noPorts: PortWishes = { published: [], exposed: [], publishesAll: false }

function decide(
  wishes: (string | NetworkWish)[],
  world: World = {},
  ports = noPorts,
  dnsServers: string[] = [],
): DecidedNetworks {
  const networks = wishes.map(wish => (typeof wish === 'string' ? { name: wish, aliases: [] } : wish))
  const naming = { extraHosts: [], dnsServers, dnsSearch: [], dnsOptions: [] }
  const record = { name: 'box', networks, ports, links: [], naming }
  return planNetworks({ id, record, hostname: 'boxhost' }, around(world))
}

/** A host on which the network is there, with all that it needs. */
const ready = (network: Network, bridge = `minictr${network.id.slice(0, 8)}`): World => {
  const directory = `/run/networks/${network.id}`
  return {
    links: [bridge],
    files: {
      [`${directory}/ready`]: bridge,
      [`${directory}/dns.pid`]: '77\n',
      '/proc/77/cmdline': `dnsmasq\0--pid-file=${directory}/dns.pid\0`,
      '/proc/sys/net/ipv4/ip_forward': '1\n',
    },
  }
}

describe('the networks of a start', () => {
  it('are the default one, recorded and made where nobody was in it before', () => {
    const { planned, names } = decide(['bridge'], {
      networks: [],
      files: { '/proc/sys/net/ipv4/ip_forward': '0\n' },
    })
    assert.equal(planned.newRecord?.path, `/root/networks/${DEFAULT_NETWORK.id}/network.json`)
    assert.match(planned.newRecord!.text, /"subnet": "172\.17\.0\.0\/16"/)
    assert.deepEqual(planned.hostSettings, [{ path: '/proc/sys/net/ipv4/ip_forward', value: '1' }])
    assert.match(planned.rules!, /add element inet minictr bridges \{ "minictr0" \}/)
    assert.deepEqual(
      planned.bridges.map(({ name, addresses, macAddress }) => [name, addresses, macAddress]),
      [['minictr0', ['172.17.0.1/16'], '02:42:ac:11:00:01']],
    )
    assert.deepEqual(planned.nameServers, [])
    assert.deepEqual(names, {
      hostsLines: ['172.17.0.2\tboxhost'],
      servers: [],
      hostGateway: '172.17.0.1',
    })
  })

  it('need nothing more where all is there', () => {
    const { planned } = decide(['web'], ready(web))
    const { hostSettings, rules, bridges, nameServers, newRecord, ports } = planned
    assert.deepEqual(
      { hostSettings, rules, bridges, nameServers, newRecord, ports },
      {
        hostSettings: [],
        rules: undefined,
        bridges: [],
        nameServers: [],
        newRecord: undefined,
        ports: undefined,
      },
    )
  })

  it('give the lowest address that nobody has, and all that follows from it', () => {
    const world = { ...ready(web), claimed: { [web.id]: ['10.1.0.2', '10.1.0.4'] } }
    const [place] = decide(['web'], world).planned.places
    assert.deepEqual(place!.claims, [`/run/networks/${web.id}/addresses/10.1.0.3`])
    assert.deepEqual(place!.link, {
      name: 'eth0',
      kind: {
        driver: 'bridge',
        hostLink: 'mctrcccccceeeee',
        bridge: 'minictr11111111',
        alias: 'minictr cccccccccccc web',
        isHairpin: false,
      },
      macAddress: '02:42:0a:01:00:03',
      addresses: ['10.1.0.3/24'],
      defaultRoutes: [{ destination: '0.0.0.0/0', gateway: '10.1.0.1' }],
      settings: [{ path: '/proc/sys/net/ipv6/conf/eth0/disable_ipv6', value: '1' }],
    })
    assert.deepEqual(JSON.parse(place!.endpoint.content).dnsNames, ['box', 'cccccccccccc', 'boxhost'])
    assert.deepEqual(
      place!.names.map(({ text }) => text),
      ['10.1.0.3\tbox.web box cccccccccccc boxhost cccccccccccc.web boxhost.web\n'],
    )
  })

  it('have one way out for each family, and all names', () => {
    const { planned, names } = decide(['web', 'six', 'inner'])
    assert.deepEqual(
      planned.places.map(({ link }) => [link.name, ...link.defaultRoutes.map(({ gateway }) => gateway)]),
      [['eth0'], ['eth1', '10.2.0.1', 'fd00:2::1'], ['eth2']],
    )
    assert.deepEqual(names.servers, ['127.0.0.11'])
    assert.deepEqual(
      planned.nameServers.map(({ argv }) => argv.includes('--no-resolv')),
      [false, false, true],
    )
  })

  it('turn the host into a router for IPv6, and leave it the routes that it is told of', () => {
    const files = {
      '/proc/sys/net/ipv4/ip_forward': '1',
      '/proc/sys/net/ipv6/conf/all/forwarding': '0',
      '/proc/sys/net/ipv6/conf/eth0/accept_ra': '1',
      '/proc/sys/net/ipv6/conf/lo/accept_ra': '1',
      '/proc/net/ipv6_route':
        '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n' +
        '00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo\n',
    }
    assert.deepEqual(decide(['six'], { files }).planned.hostSettings, [
      { path: '/proc/sys/net/ipv6/conf/eth0/accept_ra', value: '2' },
      { path: '/proc/sys/net/ipv6/conf/all/forwarding', value: '1' },
    ])
    assert.deepEqual(decide(['web'], { files }).planned.hostSettings, [])
  })

  it('may be a part of a link of the host’s', () => {
    const { planned, names } = decide([{ name: 'lan', aliases: [], macAddress: '02:00:00:00:00:09' }])
    const [{ link, names: files }] = planned.places as [(typeof planned.places)[number]]
    assert.deepEqual(link.kind, { driver: 'macvlan', parent: 'eth7', mode: 'bridge' })
    assert.deepEqual(link.defaultRoutes, [{ destination: '0.0.0.0/0', gateway: '192.0.2.254' }])
    assert.ok(link.settings.some(({ path }) => path.endsWith('/eth0/arp_notify')))
    assert.deepEqual([planned.bridges, planned.rules, planned.nameServers], [[], undefined, []])
    assert.deepEqual(names.servers, ['127.0.0.11'])
    assert.equal(files[0]!.path, `/run/networks/${lan.id}/hosts/${id}`)
  })

  it('are refused where one is named twice, or is not there', () => {
    assert.throws(() => decide(['web', '1'.repeat(12)]), {
      message: `network "${'1'.repeat(12)}" is specified multiple times`,
    })
    assert.throws(() => decide(['nosuch']), { message: 'network nosuch not found' })
  })
})

describe('the DNS server of a container’s own', () => {
  const files = { '/etc/resolv.conf': 'nameserver 127.0.0.1\nnameserver 192.0.2.53\n' }
  const asked = (wishes: string[], dnsServers: string[] = []) => {
    const { planned, names } = decide(wishes, { files }, noPorts, dnsServers)
    const { argv = [] } = planned.resolver ?? {}
    const values = (flag: string) =>
      argv.filter(word => word.startsWith(`--${flag}=`)).map(word => word.slice(flag.length + 3))
    assert.equal(names.servers[0] === '127.0.0.11', planned.resolver !== undefined)
    return planned.resolver && { upstream: values('server'), local: values('local') }
  }

  it('is for those whom one at a gateway would not do', () => {
    for (const wishes of [['bridge'], ['web'], ['bridge', 'web'], ['inner']])
      assert.equal(asked(wishes), undefined)
    assert.equal(asked(['bridge'], ['192.0.2.1']), undefined)
    assert.deepEqual(asked(['web'], ['192.0.2.1', '192.0.2.2']), {
      upstream: ['192.0.2.1', '192.0.2.2'],
      local: ['/web/'],
    })
    assert.deepEqual(asked(['bridge', 'web', 'inner']), {
      upstream: ['10.1.0.1'],
      local: ['/web/', '/inner/'],
    })
  })

  it('asks this host’s resolvers where no gateway does, but for those on its loopback', () => {
    assert.deepEqual(asked(['lan']), { upstream: ['192.0.2.53'], local: ['/lan/'] })
    assert.deepEqual(asked(['lan', 'inner'])!.upstream, ['192.0.2.53'])
    assert.deepEqual(asked(['lan', 'web'])!.upstream, ['10.1.0.1'])
  })
})

describe('ports of a start', () => {
  const ports: PortWishes = {
    published: [{ port: 80, protocol: 'tcp', hostPorts: { first: 8080, last: 8080 } }],
    exposed: [{ port: 53, protocol: 'udp' }],
    publishesAll: true,
  }

  it('lead to the container by its way out', () => {
    const { planned } = decide(['inner', 'web', 'six'], {}, ports)
    assert.deepEqual(
      planned.ports!.held.map(({ hostAddress, hostPort, containerAddress }) => [
        hostAddress,
        hostPort,
        containerAddress,
      ]),
      [
        ['0.0.0.0', 8080, '10.2.0.2'],
        ['::', 8080, 'fd00:2::2'],
        ['0.0.0.0', 40_000, '10.2.0.2'],
        ['::', 40_000, 'fd00:2::2'],
      ],
    )
    const withPorts = planned.places.filter(({ endpoint }) => JSON.parse(endpoint.content).ports.length > 0)
    assert.deepEqual(
      withPorts.map(({ networkName }) => networkName),
      ['six'],
    )
    assert.match(planned.ports!.addRules, /ports6 \{ tcp \. 8080 : fd00:2::2 \. 80 \}/)
  })

  it('turn back on the bridge only where the packet filter sees what passes it', () => {
    const hairpin = (files: World['files'], wishes = ports) =>
      decide(['web'], { files }, wishes).planned.places.map(
        ({ link: { kind } }) => 'isHairpin' in kind && kind.isHairpin,
      )
    const filtered = { '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n' }
    assert.deepEqual([hairpin(filtered), hairpin({}), hairpin(filtered, noPorts)], [[true], [false], [false]])
  })

  it('are discarded, with a word, where nothing comes in', () => {
    const { planned, warnings } = decide(['inner'], {}, ports)
    assert.equal(planned.ports, undefined)
    assert.equal(warnings.length, 1)
  })
})

describe('rules that somebody has flushed', () => {
  it('come back with those of other networks and containers', () => {
    const endpoint = {
      ipv4Address: '10.2.0.9/24',
      ports: [{ port: 80, protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8089 }],
    } as Endpoint
    const [own, other] = [ready(web), ready(six)]
    const world: World = {
      links: [...own.links!, ...other.links!],
      files: { ...own.files, ...other.files },
      endpoints: { [six.id]: [endpoint] },
    }
    const flushed = decide(['web'], { ...world, chains: parseChains('2\tfilter\tINPUT\t1\t1\n') }).planned
    assert.match(flushed.rules!, /"minictr11111111"[\s\S]*"minictr22222222"/)
    assert.match(flushed.rules!, /ports4 \{ tcp \. 8089 : 10\.2\.0\.9 \. 80 \}/)
    assert.deepEqual(flushed.bridges, [])
    const whole = decide(['web'], { ...world, chains: parseChains('1\tminictr\tforward\t2\t1\n') }).planned
    assert.equal(whole.rules, undefined)
  })
})
