// Which of several networks is a container's way out.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Network } from '../../../src/networks/network.ts'
import { byWayOut, hasWayOut } from '../../../src/networks/way-out.ts'

const subnet = (text: string) => ({ subnet: text, auxiliaryAddresses: {} })
const ipv4 = subnet('10.0.0.0/24')
const ipv6 = subnet('fd00::/64')

const network = (name: string, change: Partial<Network> = {}): Network => ({
  id: name.padEnd(64, '0'),
  name,
  driver: 'bridge',
  createdAt: '2026-01-01T00:00:00Z',
  hasIpv4: true,
  hasIpv6: false,
  subnets: [ipv4],
  chosenFamilies: [],
  isInternal: false,
  isAttachable: false,
  options: {},
  labels: {},
  ...change,
})

describe('the way out', () => {
  const both = { subnets: [ipv4, ipv6] }
  const orders: [title: string, joined: { network: Network; gatewayPriority?: number }[], order: string[]][] =
    [
      ['is the first by its name', [{ network: network('b') }, { network: network('a') }], ['a', 'b']],
      [
        'before it one with IPv6',
        [{ network: network('a') }, { network: network('b', { subnets: [ipv6] }) }],
        ['b', 'a'],
      ],
      [
        'before it one of both families',
        [{ network: network('a', { subnets: [ipv6] }) }, { network: network('b', both) }],
        ['b', 'a'],
      ],
      [
        'before all of them one that is not internal',
        [{ network: network('a', { ...both, isInternal: true }) }, { network: network('b') }],
        ['b', 'a'],
      ],
      [
        'and first of all what somebody has said',
        [
          { network: network('a', both) },
          { network: network('b', { isInternal: true }), gatewayPriority: 1 },
        ],
        ['b', 'a'],
      ],
      [
        'be it that one comes last',
        [{ network: network('a', both), gatewayPriority: -1 }, { network: network('b') }],
        ['b', 'a'],
      ],
    ]
  for (const [title, joined, order] of orders) {
    it(title, () =>
      assert.deepEqual(
        joined.toSorted(byWayOut).map(each => each.network.name),
        order,
      ),
    )
  }

  it('leads nowhere from an internal network, nor for a family it does not have', () => {
    assert.ok(hasWayOut(network('a'), 4))
    assert.ok(!hasWayOut(network('a'), 6))
    assert.ok(!hasWayOut(network('a', { isInternal: true }), 4))
  })
})
