// Addresses and subnets: read from text, written canonically, compared as numbers.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  contains,
  formatAddress,
  formatSubnet,
  lastOf,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
  sizeOf,
} from '../../../src/networks/address.ts'

const subnet = (text: string): Subnet => parseCidr(text)!.subnet

describe('an address', () => {
  const written: [text: string, canonical: string][] = [
    ['0.0.0.0', '0.0.0.0'],
    ['172.17.0.2', '172.17.0.2'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['FD00:0:0:1::0001', 'fd00:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ]
  for (const [text, canonical] of written) {
    it(`${text} is ${canonical}`, () => assert.equal(formatAddress(parseAddress(text)!), canonical))
  }

  const none = [
    ...['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', '1.2.3.-4', 'localhost', '0x1.2.3.4'],
    ...[':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '1:2:3:4:5:6:7:8::', '12345::', 'g::'],
    ...['fe80::1%eth0', '::1.2.3', '1.2.3.4::', '[::1]', '::1/128'],
  ]
  for (const text of none) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseAddress(text), undefined))
  }
})

describe('a subnet', () => {
  it('is read with the address that was written', () => {
    const { address, subnet } = parseCidr('10.1.3.7/24')!
    assert.equal(formatAddress(address), '10.1.3.7')
    assert.equal(formatSubnet(subnet), '10.1.3.0/24')
    assert.equal(formatSubnet(parseCidr('fd00:1:2:3::9/48')!.subnet), 'fd00:1:2::/48')
  })

  for (const text of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '::/129',
    '/8',
    'x/8',
    '1.2.3.4/-1',
  ]) {
    it(`${text} is none`, () => assert.equal(parseCidr(text), undefined))
  }

  it('has a size, a first and a last address', () => {
    assert.equal(sizeOf(subnet('10.0.0.0/24')), 256n)
    assert.equal(sizeOf(subnet('10.0.0.1/32')), 1n)
    assert.equal(sizeOf(subnet('fd00::/64')), 1n << 64n)
    assert.equal(formatAddress({ family: 4, value: lastOf(subnet('10.1.0.0/16')) }), '10.1.255.255')
    assert.equal(formatAddress({ family: 6, value: lastOf(subnet('fd00::/120')) }), 'fd00::ff')
  })

  it('contains what begins with its bits, in its family', () => {
    const inside = (text: string, address: string) => contains(subnet(text), parseAddress(address)!)
    assert.ok(inside('10.1.0.0/16', '10.1.255.255'))
    assert.ok(!inside('10.1.0.0/16', '10.2.0.0'))
    assert.ok(inside('0.0.0.0/0', '192.0.2.1'))
    assert.ok(!inside('::/0', '192.0.2.1'))
  })

  it('overlaps those that share an address with it', () => {
    const both = (a: string, b: string) => overlaps(subnet(a), subnet(b))
    assert.ok(both('10.0.0.0/8', '10.9.9.0/24'))
    assert.ok(both('10.9.9.0/24', '10.0.0.0/8'))
    assert.ok(!both('10.0.0.0/24', '10.0.1.0/24'))
    assert.ok(!both('0.0.0.0/0', '::/0'))
  })
})
