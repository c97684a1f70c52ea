// Which address a container gets: the lowest that is free, or the one it asks for.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatAddress, parseAddress } from '../../../src/networks/address.ts'
import { leaseAddresses } from '../../../src/networks/container-addresses.ts'
import { macAddressOf, parseMacAddress } from '../../../src/networks/mac.ts'
import type { Network } from '../../../src/networks/network.ts'
import type { SubnetConfig } from '../../../src/networks/subnets.ts'

function network(subnets: (Partial<SubnetConfig> & { subnet: string })[], name = 'web'): Network {
  return {
    id: 'ab'.repeat(32),
    name,
    driver: 'bridge',
    createdAt: '2026-11-21T09:30:00.000Z',
    hasIpv4: true,
    hasIpv6: subnets.length > 1,
    subnets: subnets.map(each => ({ auxiliaryAddresses: {}, ...each })),
    chosenFamilies: [4, 6],
    isInternal: false,
    isAttachable: false,
    options: {},
    labels: {},
  }
}

const plain = network([{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }])

function lease(of: Network, claimed: string[] = [], wish = {}): string[] {
  return leaseAddresses(
    of,
    claimed.map(address => parseAddress(address)!),
    wish,
  ).map(formatAddress)
}

describe('the address of a container', () => {
  it('is the lowest that nobody has', () => {
    assert.deepEqual(lease(plain), ['10.0.0.2'])
    assert.deepEqual(lease(plain, ['10.0.0.2', '10.0.0.3', '10.0.0.5']), ['10.0.0.4'])
  })

  it('is none of the gateway’s or the auxiliary addresses', () => {
    const subnet = '10.0.0.0/24'
    const auxiliaryAddresses = { router: '10.0.0.1', printer: '10.0.0.2' }
    assert.deepEqual(lease(network([{ subnet, gateway: '10.0.0.3', auxiliaryAddresses }])), ['10.0.0.4'])
  })

  it('comes from the range, if there is one', () => {
    const ranged = network([{ subnet: '10.0.0.0/16', gateway: '10.0.5.0', ipRange: '10.0.5.0/30' }])
    assert.deepEqual(lease(ranged), ['10.0.5.1'])
    assert.deepEqual(lease(ranged, ['10.0.5.1', '10.0.5.2']), ['10.0.5.3'])
    assert.throws(() => lease(ranged, ['10.0.5.1', '10.0.5.2', '10.0.5.3']), {
      message: `no available IPv4 addresses on this network's address pools: web (${'ab'.repeat(32)})`,
    })
    assert.deepEqual(lease(ranged, [], { ipv4Address: '10.0.9.9' }), ['10.0.9.9'])
  })

  it('is one of each family', () => {
    const both = network([
      { subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
      { subnet: 'fd00::/64', gateway: 'fd00::1' },
    ])
    assert.deepEqual(lease(both, ['10.0.0.2', 'fd00::2', 'fd00::3']), ['10.0.0.3', 'fd00::4'])
  })

  it('is not one that means all of a subnet', () => {
    const small = network([{ subnet: '10.0.0.0/30', gateway: '10.0.0.1' }])
    assert.deepEqual(lease(small), ['10.0.0.2'])
    assert.throws(() => lease(small, ['10.0.0.2']), /no available IPv4 addresses/)
    const link = network([{ subnet: '10.0.0.0/31', gateway: '10.0.0.0' }])
    assert.deepEqual(lease(link), ['10.0.0.1'])
    const six = network([{ subnet: 'fd00::/126', gateway: 'fd00::1' }])
    assert.deepEqual(lease(six, ['fd00::2']), ['fd00::3'])
  })

  it('is the one asked for, unless that cannot be', () => {
    const asked = (ipv4Address: string, claimed: string[] = []) => lease(plain, claimed, { ipv4Address })
    assert.deepEqual(asked('10.0.0.77'), ['10.0.0.77'])
    for (const taken of ['10.0.0.0', '10.0.0.1', '10.0.0.9', '10.0.0.255']) {
      assert.throws(() => asked(taken, ['10.0.0.9']), { message: 'Address already in use' })
    }
    assert.throws(() => asked('10.0.1.0'), {
      message: "Invalid address 10.0.1.0: It does not belong to any of this network's subnets",
    })
  })

  it('can be asked for where a person chose the subnet only', () => {
    const chosen =
      'user specified IP address is supported only when connecting to networks with user configured subnets'
    assert.throws(() => lease({ ...plain, chosenFamilies: [] }, [], { ipv4Address: '10.0.0.9' }), {
      message: chosen,
    })
    assert.throws(() => lease(plain, [], { ipv6Address: 'fd00::9' }), { message: chosen })
    assert.throws(() => lease({ ...plain, name: 'bridge' }, [], { ipv4Address: '10.0.0.9' }), {
      message: 'user specified IP address is supported on user defined networks only',
    })
  })
})

describe('a hardware address', () => {
  it('is made of the address', () => {
    assert.equal(macAddressOf(parseAddress('172.17.0.2')!), '02:42:ac:11:00:02')
    assert.equal(macAddressOf(parseAddress('fd00::1:a')!), '02:42:00:01:00:0a')
  })

  it('is read in three forms', () => {
    for (const text of ['92:D0:c6:0a:29:33', '92-d0-c6-0a-29-33', '92d0.c60a.2933']) {
      assert.equal(parseMacAddress(text), '92:d0:c6:0a:29:33')
    }
    for (const text of [
      '',
      'x',
      '92:d0:c6:0a:29',
      '92:d0:c6:0a:29:33:44',
      '92:d0-c6:0a:29:33',
      '92d0c60a2933',
    ]) {
      assert.equal(parseMacAddress(text), undefined)
    }
  })
})
