// Making a network out of what a person asks for, and refusing what cannot be, in Docker's words.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCidr } from '../../../src/networks/address.ts'
import { withDefaultNetwork } from '../../../src/networks/default-network.ts'
import { bridgeName, vethName } from '../../../src/networks/link-names.ts'
import {
  checkNetworkName,
  DEFAULT_NETWORK,
  findNetwork,
  fixedNetworks,
  type Network,
} from '../../../src/networks/network.ts'
import { type NewNetwork, newNetwork, type Surroundings } from '../../../src/networks/new-network.ts'
import { defaultPools, uniqueLocalPool } from '../../../src/networks/pool.ts'
import { readNetworkSettings } from '../../../src/networks/settings.ts'

const pools = [...defaultPools, uniqueLocalPool(Uint8Array.of(1, 2, 3, 4, 5))]
const nothing: Surroundings = { networks: [], routes: [], pools }
const id = '0123456789abcdef'.repeat(4)
const createdAt = '2026-11-21T09:30:00.000Z'

function make(wish: Partial<NewNetwork>, around: Partial<Surroundings> = {}): Network {
  const plain: NewNetwork = {
    name: 'web',
    driver: 'bridge',
    hasIpv4: true,
    hasIpv6: false,
    subnets: [],
    isInternal: false,
    isAttachable: false,
    options: {},
    labels: {},
  }
  return newNetwork({ ...plain, ...wish }, { ...nothing, ...around }, id, createdAt)
}

const subnet = (text: string, more = {}) => ({ subnet: text, auxiliaryAddresses: {}, ...more })

describe('a new network', () => {
  it('gets a subnet and a gateway', () => {
    assert.deepEqual(make({ labels: { a: 'b' } }), {
      id,
      name: 'web',
      driver: 'bridge',
      createdAt,
      hasIpv4: true,
      hasIpv6: false,
      subnets: [subnet('172.17.0.0/16', { gateway: '172.17.0.1' })],
      chosenFamilies: [],
      isInternal: false,
      isAttachable: false,
      options: {},
      labels: { a: 'b' },
    })
  })

  it('keeps away from other networks and from routes', () => {
    const networks = [parseCidr('172.17.0.0/16')!.subnet]
    const routes = [parseCidr('172.18.4.0/24')!.subnet]
    assert.equal(make({}, { networks, routes }).subnets[0]?.subnet, '172.19.0.0/16')
  })

  it('gets one of each family', () => {
    assert.deepEqual(make({ hasIpv6: true }).subnets, [
      subnet('172.17.0.0/16', { gateway: '172.17.0.1' }),
      subnet('fd01:203:405::/64', { gateway: 'fd01:203:405::1' }),
    ])
    assert.deepEqual(make({ hasIpv4: false, hasIpv6: true }).subnets.length, 1)
  })

  it('takes the subnet asked for, also over a route', () => {
    const wish = { subnets: [subnet('10.1.0.0/16', { gateway: '10.1.9.9' })] }
    const made = make(wish, { routes: [parseCidr('10.0.0.0/8')!.subnet] })
    assert.deepEqual(made.subnets, [subnet('10.1.0.0/16', { gateway: '10.1.9.9' })])
    assert.deepEqual(made.chosenFamilies, [4])
  })

  it('has its gateway at the beginning of the range', () => {
    const [config] = make({ subnets: [subnet('10.50.0.0/16', { ipRange: '10.50.5.0/24' })] }).subnets
    assert.equal(config?.gateway, '10.50.5.0')
  })

  const refused: [title: string, wish: Partial<NewNetwork>, message: string | RegExp][] = [
    ['no addresses', { hasIpv4: false }, 'IPv4 or IPv6 must be enabled'],
    ['an unknown driver', { driver: 'foo' }, 'plugin "foo" not found'],
    ['another host', { driver: 'host' }, 'only one instance of "host" network is allowed'],
    ['a swarm', { driver: 'overlay' }, /not a swarm manager/],
    ['macvlan without a parent', { driver: 'macvlan' }, /needs -o parent=LINK/],
    [
      'no subnet',
      { subnets: [subnet('10.1.0.0')] },
      'invalid network config:\ninvalid subnet 10.1.0.0: invalid CIDR block notation',
    ],
    [
      'several reasons',
      { subnets: [subnet('10.1.3.7/24', { gateway: 'x', ipRange: '10.1.0.0/16' })] },
      'invalid network config:\n* invalid subnet 10.1.3.7/24: it should be 10.1.3.0/24\n* invalid ip-range 10.1.0.0/16: CIDR block is bigger than its parent subnet 10.1.3.7/24\n* invalid gateway x: invalid address',
    ],
    [
      'a range elsewhere',
      { subnets: [subnet('10.1.0.0/16', { ipRange: '10.2.0.1/24' })] },
      "invalid network config:\n* invalid ip-range 10.2.0.1/24: it should be 10.2.0.0/24\n* invalid ip-range 10.2.0.1/24: parent subnet 10.1.0.0/16 doesn't contain ip-range",
    ],
    [
      'a gateway of the other family',
      { subnets: [subnet('10.1.0.0/16', { gateway: 'fd00::1' })] },
      'invalid network config:\ninvalid gateway fd00::1: parent subnet is an IPv4 block',
    ],
    [
      'a gateway that is none',
      { subnets: [subnet('10.1.8.0/24', { gateway: '10.1.8.0' })] },
      'failed to allocate gateway (10.1.8.0): Address already in use',
    ],
    [
      'an address of the gateway’s',
      { subnets: [subnet('10.1.7.0/24', { auxiliaryAddresses: { a: '10.1.7.1' } })] },
      'failed to allocate secondary ip address (a:10.1.7.1): Address already in use',
    ],
    [
      'two subnets',
      { subnets: [subnet('10.1.0.0/24'), subnet('10.2.0.0/24')] },
      "bridge driver doesn't support multiple subnets",
    ],
    [
      'IPv6 that is not enabled',
      { subnets: [subnet('fd00::/64')] },
      '--subnet fd00::/64: the network has no IPv6',
    ],
    ['an option of nobody’s', { options: { foo: 'bar' } }, "minictr's bridge driver has no option foo"],
    [
      'an MTU that is none',
      { options: { 'com.docker.network.driver.mtu': 'x' } },
      'failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing "x": invalid syntax)',
    ],
    ['an MTU too small', { options: { 'com.docker.network.driver.mtu': '60' } }, /between 68 and 65535/],
    [
      'a foreign bridge',
      { options: { 'com.docker.network.bridge.name': 'br0' } },
      'invalid com.docker.network.bridge.name "br0"',
    ],
    [
      'containers kept apart',
      { options: { 'com.docker.network.bridge.enable_icc': 'false' } },
      /does not keep containers of one network apart yet/,
    ],
    [
      'a mode that is none',
      { driver: 'macvlan', options: { parent: 'eth0', macvlan_mode: 'zz' } },
      "requested macvlan mode 'zz' is not valid, 'bridge' mode is the macvlan driver default",
    ],
  ]
  for (const [title, wish, message] of refused) {
    it(`is refused: ${title}`, () => assert.throws(() => make(wish), { message }))
  }

  it('is refused where another network has a part of the subnet', () => {
    const networks = [parseCidr('10.1.0.0/16')!.subnet]
    assert.throws(() => make({ subnets: [subnet('10.1.2.0/24')] }, { networks }), {
      message: 'invalid pool request: Pool overlaps with other one on this address space',
    })
  })

  it('is refused where no subnet is left', () => {
    const routes = ['172.16.0.0/12', '192.168.0.0/16'].map(text => parseCidr(text)!.subnet)
    assert.throws(() => make({}, { routes }), {
      message: 'all predefined address pools have been fully subnetted',
    })
  })
})

describe('the name of a network', () => {
  for (const name of ['web', 'Web-1', 'a', '0_x.y', 'container'])
    it(`may be ${name}`, () => checkNetworkName(name))

  const refused: [name: string, message: string | RegExp][] = [
    ['host', 'operation is not permitted on predefined host network'],
    ['default', 'operation is not permitted on predefined default network'],
    ['', /^Invalid network name \(\)/],
    ['../x', /^Invalid network name \(\.\.\/x\)/],
    ['a'.repeat(256), /at most 255/],
  ]
  for (const [name, message] of refused) {
    it(`may not be ${name.slice(0, 9)}`, () => assert.throws(() => checkNetworkName(name), { message }))
  }
})

describe('the links of a network', () => {
  it('have names of minictr’s in 15 characters', () => {
    const web = make({})
    assert.equal(bridgeName(web), 'minictr01234567')
    assert.equal(vethName('f'.repeat(64), web.id), 'mctrffffff01234')
    assert.equal(
      bridgeName({ ...web, options: { 'com.docker.network.bridge.name': 'minictr-web' } }),
      'minictr-web',
    )
  })
})

describe('a network is found', () => {
  const networks = [
    make({}),
    { ...make({ name: 'web2' }), id: `${'0123456789abcdef'.repeat(3)}0000000000000000` },
    { ...make({ name: '0123' }), id: 'f'.repeat(64) },
    ...fixedNetworks,
  ]

  it('by its id, its name, or a beginning that no other has', () => {
    assert.equal(findNetwork(networks, id).name, 'web')
    assert.equal(findNetwork(networks, 'web2').name, 'web2')
    assert.equal(findNetwork(networks, 'ff').name, '0123')
    assert.equal(findNetwork(networks, '0123').name, '0123')
    assert.equal(findNetwork(networks, 'host').driver, 'host')
  })

  it('or it is said why not', () => {
    assert.throws(() => findNetwork(networks, 'nosuch'), { message: 'network nosuch not found' })
    assert.throws(() => findNetwork(networks, '01234'), {
      message: 'network 01234 is ambiguous (2 matches found based on ID prefix)',
    })
  })
})

describe('the configuration file', () => {
  const read = (configuration: Record<string, unknown>) =>
    readNetworkSettings(
      configuration,
      '/etc/minictr/config.json',
      uniqueLocalPool(Uint8Array.of(1, 2, 3, 4, 5)),
    )
  const bridge = (configuration: Record<string, unknown>, routes: string[] = []) =>
    withDefaultNetwork(
      [],
      read(configuration),
      routes.map(text => parseCidr(text)!.subnet),
    )[0]!

  it('leaves the default network Docker’s first subnet that is free', () => {
    const network = bridge({})
    assert.equal(network.id, DEFAULT_NETWORK.id)
    assert.deepEqual(network.subnets, [subnet('172.17.0.0/16', { gateway: '172.17.0.1' })])
    assert.equal(bridgeName(network), 'minictr0')
    assert.equal(bridge({}, ['172.17.0.0/16']).subnets[0]?.subnet, '172.18.0.0/16')
  })

  it('may name its address, its range, its IPv6 and its options', () => {
    const network = bridge({
      bip: '10.7.0.1/16',
      'fixed-cidr': '10.7.8.0/24',
      ipv6: true,
      'fixed-cidr-v6': 'fd77::/64',
      mtu: 1400,
      'ip-masq': false,
      ip: '127.0.0.1',
    })
    assert.deepEqual(network.subnets, [
      subnet('10.7.0.0/16', { gateway: '10.7.0.1', ipRange: '10.7.8.0/24' }),
      subnet('fd77::/64', { gateway: 'fd77::1' }),
    ])
    assert.deepEqual(network.options, {
      'com.docker.network.driver.mtu': '1400',
      'com.docker.network.bridge.enable_ip_masquerade': 'false',
      'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
    })
  })

  it('may name the pools of all networks', () => {
    const network = bridge({ 'default-address-pools': [{ base: '10.9.0.0/16', size: 24 }], ipv6: true })
    assert.deepEqual(
      network.subnets.map(each => each.subnet),
      ['10.9.0.0/24', 'fd01:203:405::/64'],
    )
  })

  const wrong: [configuration: Record<string, unknown>, message: RegExp][] = [
    [{ bip: 'x' }, /config.json: bip: invalid CIDR address: x/],
    [{ bip: 5 }, /config.json: bip: 5 is not a text/],
    [{ ipv6: 'yes' }, /config.json: ipv6: "yes" is neither true nor false/],
    [{ 'default-address-pools': {} }, /default-address-pools: it is not a list/],
    [{ 'default-address-pools': [{ base: 'x', size: 24 }] }, /invalid base pool "x"/],
    [
      { 'default-address-pools': [{ base: '10.0.0.0/16', size: 8 }] },
      /invalid pool size 8: it is between 16 and 32/,
    ],
  ]
  for (const [configuration, message] of wrong) {
    it(`is refused: ${JSON.stringify(configuration)}`, () =>
      assert.throws(() => read(configuration), { message }))
  }

  it('is refused where its address is another network’s', () => {
    const other = make({ subnets: [subnet('10.7.0.0/16')] })
    assert.throws(() => withDefaultNetwork([other], read({ bip: '10.7.0.1/24' }), []), /Pool overlaps/)
  })

  it('does not count once the network is recorded', () => {
    const recorded = { ...bridge({}), createdAt }
    assert.deepEqual(withDefaultNetwork([recorded], read({ bip: '10.7.0.1/24' }), []), [recorded])
  })
})
