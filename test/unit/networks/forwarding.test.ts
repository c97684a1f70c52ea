// What the packet filter does of a network and its ports, as nft is told, and what is left to the proxy.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  filteredNetwork,
  forwardedPorts,
  publishAddresses,
  relayedPorts,
} from '../../../src/networks/forwarding.ts'
import type { Network } from '../../../src/networks/network.ts'
import type { PortBinding } from '../../../src/networks/port-bindings.ts'
import {
  addNetworkRules,
  addPortRules,
  removeNetworkRules,
  removePortRules,
} from '../../../src/networks/ruleset.ts'

const web: Network = {
  id: 'ab12cd34'.repeat(8),
  name: 'web',
  driver: 'bridge',
  createdAt: '2026-11-21T09:30:00.000Z',
  hasIpv4: true,
  hasIpv6: true,
  subnets: [
    { subnet: '10.0.0.0/24', gateway: '10.0.0.1', auxiliaryAddresses: {} },
    { subnet: 'fd00::/64', gateway: 'fd00::1', auxiliaryAddresses: {} },
  ],
  chosenFamilies: [],
  isInternal: false,
  isAttachable: false,
  options: {},
  labels: {},
}

const option = (key: string, value: string): Network => ({
  ...web,
  options: { [`com.docker.network.bridge.${key}`]: value },
})

describe('a network', () => {
  it('is elements of the sets', () => {
    assert.equal(
      addNetworkRules(filteredNetwork(web)),
      [
        'add element inet minictr bridges { "minictrab12cd34" }\n',
        'add element inet minictr same { "minictrab12cd34" . "minictrab12cd34" }\n',
        'add element inet minictr same4 { "minictrab12cd34" . 10.0.0.0/24 }\n',
        'add element inet minictr same6 { "minictrab12cd34" . fd00::/64 }\n',
        'add element inet minictr masqueraded { "minictrab12cd34" }\n',
      ].join(''),
    )
  })

  it('is none of those that leave under the host’s address where it is internal, or told so', () => {
    const internal = addNetworkRules(filteredNetwork({ ...web, isInternal: true }))
    assert.match(internal, /internal \{/)
    assert.doesNotMatch(internal, /masqueraded/)
    const routed = addNetworkRules(filteredNetwork(option('enable_ip_masquerade', 'false')))
    assert.doesNotMatch(routed, /masqueraded|internal/)
  })

  it('is taken out by what added it', () => {
    const lines = removeNetworkRules(filteredNetwork(web)).split('\n')
    assert.equal(lines.length, 11)
    assert.equal(lines[1], lines[0]?.replace('add', 'delete'))
  })

  it('publishes at all addresses, or at its own', () => {
    assert.deepEqual(publishAddresses(web, true), ['0.0.0.0', '::'])
    assert.deepEqual(publishAddresses(web, false), ['0.0.0.0'])
    assert.deepEqual(publishAddresses(option('host_binding_ipv4', '127.0.0.1'), true), ['127.0.0.1'])
    assert.deepEqual(publishAddresses(option('host_binding_ipv4', '0.0.0.0'), true), ['0.0.0.0', '::'])
  })
})

describe('ports', () => {
  const at = (hostAddress: string): PortBinding => ({
    protocol: 'tcp',
    port: 80,
    hostAddress,
    hostPort: 8080,
  })
  const bindings = ['0.0.0.0', '::', '127.0.0.1', '::1', '2001:db8::1'].map(at)
  const addresses = ['10.0.0.2', 'fd00::2']

  it('are elements of the maps, those at loopback apart', () => {
    const rules = [
      'ports4 { tcp . 8080 : 10.0.0.2 . 80 }',
      'ports6 { tcp . 8080 : fd00::2 . 80 }',
      'address_ports6 { 2001:db8::1 . tcp . 8080 : fd00::2 . 80 }',
    ].map(element => `add element inet minictr ${element}\n`)
    const ports = forwardedPorts(bindings, addresses)
    assert.equal(addPortRules(ports), rules.join(''))
    assert.equal(removePortRules(ports), rules.map(rule => rule + rule.replace('add', 'delete')).join(''))
  })

  it('of the family that a container has not are the proxy’s alone', () => {
    const ipv4Only = ['10.0.0.2']
    assert.equal(forwardedPorts(bindings, ipv4Only).length, 1)
    assert.deepEqual(
      relayedPorts(bindings, ipv4Only).map(each => `${each.hostAddress} ${each.containerAddress}`),
      ['0.0.0.0 10.0.0.2', ':: 10.0.0.2', '127.0.0.1 10.0.0.2', '::1 10.0.0.2', '2001:db8::1 10.0.0.2'],
    )
    assert.deepEqual(relayedPorts(bindings.slice(1, 2), addresses), [
      {
        protocol: 'tcp',
        hostAddress: '::',
        hostPort: 8080,
        containerAddress: 'fd00::2',
        containerPort: 80,
        count: 1,
      },
    ])
    assert.deepEqual(relayedPorts(bindings, []), [])
  })

  it('that are neighbours on both sides are one for the proxy', () => {
    const port = (hostPort: number, port: number, hostAddress = '0.0.0.0'): PortBinding => {
      return { protocol: 'tcp', port, hostAddress, hostPort }
    }
    const several = [port(80, 80), port(80, 80, '::'), port(81, 81), port(81, 81, '::'), port(90, 82)]
    assert.deepEqual(
      relayedPorts(several, addresses).map(({ hostAddress, hostPort, count }) => [
        hostAddress,
        hostPort,
        count,
      ]),
      [
        ['0.0.0.0', 80, 2],
        ['::', 80, 2],
        ['0.0.0.0', 90, 1],
      ],
    )
  })
})
