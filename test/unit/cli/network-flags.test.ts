// Flags about networks: those of `network create`, and those of `run` about ports and a container's place in its networks.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyDraft } from '../../../src/cli/flags/draft.ts'
import { endpointFlags, parseLink, parseNetworkWish } from '../../../src/cli/flags/endpoint.ts'
import { parseExtraHost } from '../../../src/cli/flags/extra-host.ts'
import { readFlags } from '../../../src/cli/flags/flag.ts'
import { portFlags } from '../../../src/cli/flags/ports.ts'
import { parseNetworkConnect } from '../../../src/cli/network-connect-flags.ts'
import { parseNetworkCreate } from '../../../src/cli/network-create-flags.ts'
import { chooseNetworks } from '../../../src/containers/network-wishes.ts'
import { defaultOptions, type NetworkWish, type RunOptions } from '../../../src/containers/options.ts'

describe('network create', () => {
  const plain = {
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
  const effects: [line: string, changed: object][] = [
    ['web', {}],
    ['-- web', {}],
    [
      '-d macvlan -o parent=eth0 --opt=macvlan_mode=vepa web',
      { driver: 'macvlan', options: { parent: 'eth0', macvlan_mode: 'vepa' } },
    ],
    ['web --internal --ipv6 --ipv4=false', { isInternal: true, hasIpv6: true, hasIpv4: false }],
    ['--label a=b web --label c --attachable', { labels: { a: 'b', c: '' }, isAttachable: true }],
    [
      '--subnet 10.1.0.0/16,10.2.0.0/16 web --gateway=10.2.0.1 --ip-range 10.1.5.0/24 --aux-address r=10.1.0.9',
      {
        subnets: [
          { subnet: '10.1.0.0/16', ipRange: '10.1.5.0/24', auxiliaryAddresses: { r: '10.1.0.9' } },
          { subnet: '10.2.0.0/16', gateway: '10.2.0.1', auxiliaryAddresses: {} },
        ],
      },
    ],
    ['--scope local --ipam-driver default web', {}],
  ]
  for (const [line, changed] of effects) {
    it(line, () => assert.deepEqual(parseNetworkCreate(line.split(' ')), { ...plain, ...changed }))
  }

  it('--help counts wherever it stands', () => assert.equal(parseNetworkCreate(['web', '--help']), 'help'))

  const refused: [line: string, message: RegExp][] = [
    ['', /'minictr network create' requires 1 argument/],
    ['a b', /'minictr network create' requires 1 argument/],
    ['-- web --internal', /requires 1 argument/],
    ['--sbnet 1 web', /unknown flag: --sbnet \(did you mean --subnet\?\)/],
    ['web --ingress', /--ingress: only a swarm/],
    ['--config-only web', /--config-only: networks have no configurations/],
    ['--scope swarm web', /networks are of one host here/],
    ['--ipam-driver x web', /plugin "x" not found/],
    ['--gateway 10.0.0.1 web', /every ip-range or gateway must have a corresponding subnet/],
    ['--label =x web', /invalid label '=x': empty name/],
  ]
  for (const [line, message] of refused) {
    it(`${line} is refused`, () =>
      assert.throws(() => parseNetworkCreate(line.split(' ').filter(word => word !== '')), { message }))
  }
})

describe('--network', () => {
  const read: [text: string, wish: NetworkWish][] = [
    ['web', { name: 'web', aliases: [] }],
    ['container:web', { name: 'container:web', aliases: [] }],
    ['name=web', { name: 'web', aliases: [] }],
    [
      'name=web,alias=a,alias=b.c,ip=10.0.0.9,ip6=fd00::9,mac-address=92-D0-C6-0A-29-33,gw-priority=-7',
      {
        name: 'web',
        aliases: ['a', 'b.c'],
        ipv4Address: '10.0.0.9',
        ipv6Address: 'fd00::9',
        macAddress: '92:d0:c6:0a:29:33',
        gatewayPriority: -7,
      },
    ],
    ['"name=web",ALIAS = db', { name: 'web', aliases: ['db'] }],
  ]
  for (const [text, wish] of read) it(text, () => assert.deepEqual(parseNetworkWish(text), wish))

  const refused: [text: string, message: string][] = [
    ['alias=x', 'network name/id is not specified'],
    ['name=web,zz=x', 'invalid field key zz'],
    ['name=web,zz', 'invalid field zz'],
    ['name=web,ip=zz', 'invalid IPv4 address: zz'],
    ['name=web,ip6=1.2.3.4', 'invalid IPv6 address: 1.2.3.4'],
    ['name=web,mac-address=zz', 'zz is not a valid mac address'],
    ['name=web,gw-priority=x', 'invalid gw-priority (x): invalid syntax'],
    ['name=web,alias=a b', 'invalid network alias "a b": it is no name for a DNS server'],
    ['name=web,driver-opt=a=b', "minictr has no driver-opt for a container's place in a network yet"],
  ]
  for (const [text, message] of refused) {
    it(`${text} is refused`, () => assert.throws(() => parseNetworkWish(text), { message }))
  }
})

describe('network connect', () => {
  it('takes how the container is to be in the network', () => {
    assert.deepEqual(
      parseNetworkConnect('--alias a,b web --ip 10.0.0.9 box --gw-priority -2 --link db:data'.split(' ')),
      {
        container: 'box',
        wish: { name: 'web', aliases: ['a', 'b'], ipv4Address: '10.0.0.9', gatewayPriority: -2 },
        links: [{ container: 'db', alias: 'data' }],
        watching: { step: false, timing: false },
      },
    )
    const watched = parseNetworkConnect('--step --timing --trace file web box'.split(' '))
    assert.ok(watched !== 'help')
    assert.deepEqual(watched.watching, { step: true, timing: true, traceFile: 'file' })
    assert.equal(parseNetworkConnect(['--help']), 'help')
  })

  const refused: [line: string, message: RegExp][] = [
    ['web', /'minictr network connect' requires 2 arguments/],
    ['--ip x web box', /invalid IPv4 address: x/],
    ['--link-local-ip 169.254.1.1 web box', /no other addresses than those of its networks/],
    ['--alias a bridge box', /network-scoped aliases are only supported for user-defined networks/],
    ['--alias a none box', /network-scoped aliases are only supported for user-defined networks/],
    ['--ip 10.0.0.9 none box', /user specified IP address is supported on user defined networks only/],
  ]
  for (const [line, message] of refused) {
    it(`${line} is refused`, () => assert.throws(() => parseNetworkConnect(line.split(' ')), { message }))
  }
})

describe('--add-host', () => {
  it('may name the host itself', () => {
    assert.deepEqual(parseExtraHost('host:host-gateway'), { name: 'host', address: 'host-gateway' })
    assert.deepEqual(parseExtraHost('host=host-gateway'), { name: 'host', address: 'host-gateway' })
    assert.throws(() => parseExtraHost('host:[host-gateway]'), /invalid IP address in add-host/)
  })
})

describe('--link', () => {
  it('names a container, and what it is called', () => {
    assert.deepEqual(parseLink('web'), { container: 'web', alias: 'web' })
    assert.deepEqual(parseLink('web:db'), { container: 'web', alias: 'db' })
  })

  for (const text of ['web:a:b', ':a', 'web:', 'web:a b']) {
    it(`${text} is refused`, () =>
      assert.throws(() => parseLink(text), { message: `bad format for links: ${text}` }))
  }
  it('nothing is refused', () =>
    assert.throws(() => parseLink(''), { message: 'empty string specified for links' }))
})

/** The options that flags make; `--network` is read apart until `run` takes it. */
function options(line: string, ...networks: string[]): RunOptions {
  const draft = emptyDraft()
  const words = line === '' ? [] : line.split(' ')
  const { words: left } = readFlags([portFlags, endpointFlags], words, draft, 'minictr run')
  assert.deepEqual(left, [])
  return { ...draft.options, networks: networks.map(parseNetworkWish) }
}

describe('a flag about networks', () => {
  const effects: [line: string, changed: Partial<RunOptions>][] = [
    [
      '--ip 10.0.0.9 --ip6 FD00::9',
      { endpoint: { aliases: [], ipv4Address: '10.0.0.9', ipv6Address: 'FD00::9' } },
    ],
    ['--mac-address 92d0.c60a.2933', { endpoint: { aliases: [], macAddress: '92:d0:c6:0a:29:33' } }],
    ['--network-alias a --net-alias b', { endpoint: { aliases: ['a', 'b'] } }],
    [
      '--link a --link b:c',
      {
        links: [
          { container: 'a', alias: 'a' },
          { container: 'b', alias: 'c' },
        ],
      },
    ],
    [
      '-p 80 --publish 8080:81',
      {
        publishedPorts: [
          { port: 80, protocol: 'tcp' },
          { port: 81, protocol: 'tcp', hostPorts: { first: 8080, last: 8080 } },
        ],
      },
    ],
    [
      '-P --expose 80-81/udp',
      {
        publishesAllPorts: true,
        exposedPorts: [
          { port: 80, protocol: 'udp' },
          { port: 81, protocol: 'udp' },
        ],
      },
    ],
  ]
  for (const [line, changed] of effects) {
    it(line, () => assert.deepEqual(options(line), { ...defaultOptions(), ...changed }))
  }

  it('says what is wrong with it', () => {
    assert.throws(() => options('-p x:80:80'), {
      message: 'invalid argument "x:80:80" for "-p, --publish" flag: invalid IP address: x',
    })
  })
})

describe('the networks of a container', () => {
  const names = (line: string, ...networks: string[]) => {
    const { network, networks: chosen } = chooseNetworks(options(line, ...networks))
    return [network, ...chosen.map(({ name }) => name)]
  }

  it('are the default one, unless others are named', () => {
    assert.deepEqual(names(''), ['own', 'bridge'])
    assert.deepEqual(names('', 'default'), ['own', 'bridge'])
    assert.deepEqual(names('', 'web', 'name=back'), ['own', 'web', 'back'])
  })

  it('are none where the network is another’s or nobody’s', () => {
    assert.deepEqual(names('', 'none'), ['none'])
    assert.deepEqual(names('-p 80', 'host'), ['host'])
    assert.deepEqual(names('', 'container:web'), [{ container: 'web' }])
  })

  it('take flags of their own into the first', () => {
    const { networks } = chooseNetworks(
      options('--ip 10.0.0.9 --network-alias a', 'web', 'name=back,alias=b'),
    )
    assert.deepEqual(networks, [
      { name: 'web', aliases: ['a'], ipv4Address: '10.0.0.9' },
      { name: 'back', aliases: ['b'] },
    ])
  })

  it('do not publish ports of the host’s network, which is said', () => {
    assert.deepEqual(chooseNetworks(options('-p 80', 'host')).warnings, [
      'Published ports are discarded when using host network mode',
    ])
    assert.deepEqual(chooseNetworks(options('-p 80', 'none')).warnings, [])
  })

  const unsupported = 'network-scoped aliases are only supported for user-defined networks'
  const noAddress = 'user specified IP address is supported on user defined networks only'
  const refused: [line: string, networks: string[], message: string][] = [
    ['', [''], 'no name set for network'],
    ['', ['web', 'web'], 'network "web" is specified multiple times'],
    [
      '',
      ['web', 'host'],
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    ],
    ['', ['bridge', 'host'], 'Container cannot be connected to network endpoints: bridge, host'],
    [
      '--network-alias b',
      ['name=web,alias=a'],
      'conflicting options: cannot specify both --network-alias and per-network alias',
    ],
    [
      '--ip 10.0.0.8',
      ['name=web,ip=10.0.0.9'],
      'conflicting options: cannot specify both --ip and per-network IPv4 address',
    ],
    [
      '--ip6 fd00::8',
      ['name=web,ip6=fd00::9'],
      'conflicting options: cannot specify both --ip6 and per-network IPv6 address',
    ],
    [
      '--mac-address 92:d0:c6:0a:29:33',
      ['name=web,mac-address=92:d0:c6:0a:29:34'],
      'conflicting options: cannot specify both --mac-address and per-network MAC address',
    ],
    ['--network-alias a', [], unsupported],
    ['', ['name=host,alias=a'], unsupported],
    ['--ip 10.0.0.9', ['bridge'], noAddress],
    ['--ip 10.0.0.9', ['container:web'], noAddress],
    [
      '--link a',
      ['host'],
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    ],
    [
      '--link a',
      ['container:web'],
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    ],
    ['-p 80', ['container:web'], 'conflicting options: port publishing and the container type network mode'],
    ['-P', ['container:web'], 'conflicting options: port publishing and the container type network mode'],
    [
      '--expose 80',
      ['container:web'],
      'conflicting options: port exposing and the container type network mode',
    ],
    [
      '--mac-address 92:d0:c6:0a:29:33',
      ['container:web'],
      'conflicting options: mac-address and the network mode',
    ],
  ]
  for (const [line, networks, message] of refused) {
    it(`are refused: ${networks.join(' ')} ${line}`, () =>
      assert.throws(() => chooseNetworks(options(line, ...networks)), { message }))
  }
})
