// Which subnet a network gets that names none: the first that nobody uses.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatSubnet, parseCidr } from '../../../src/networks/address.ts'
import { chooseSubnet, defaultPools, type Pool, uniqueLocalPool } from '../../../src/networks/pool.ts'

const subnets = (...texts: string[]) => texts.map(text => parseCidr(text)!.subnet)

function chosen(pools: readonly Pool[], family: 4 | 6, ...taken: string[]): string | undefined {
  const subnet = chooseSubnet(pools, family, subnets(...taken))
  return subnet && formatSubnet(subnet)
}

it('Docker’s own pools are given in order', () => {
  const given: string[] = []
  for (let next = chosen(defaultPools, 4); next !== undefined; next = chosen(defaultPools, 4, ...given)) {
    given.push(next)
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
  assert.deepEqual(given, [
    ...numbers(15).map(index => `172.${17 + index}.0.0/16`),
    ...numbers(16).map(index => `192.168.${16 * index}.0/20`),
  ])
})

it('what overlaps a route or a network is passed over', () => {
  assert.equal(chosen(defaultPools, 4, '172.17.0.0/16'), '172.18.0.0/16')
  assert.equal(chosen(defaultPools, 4, '172.17.9.9/32', '172.18.0.0/15'), '172.20.0.0/16')
  assert.equal(chosen(defaultPools, 4, '172.16.0.0/12'), '192.168.0.0/20')
  assert.equal(chosen(defaultPools, 4, '172.16.0.0/12', '192.168.0.0/16'), undefined)
})

it('a route that begins before a candidate moves on to the next whole one', () => {
  const pools = [{ base: subnets('10.0.0.0/8')[0]!, prefixLength: 24 }]
  assert.equal(chosen(pools, 4, '10.0.0.0/23', '10.0.2.128/25'), '10.0.3.0/24')
})

it('IPv6 has 65,536 subnets under 40 bits of the host’s own', () => {
  const pool = uniqueLocalPool(Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a, 0xff))
  assert.equal(chosen([pool], 6), 'fd12:3456:789a::/64')
  assert.equal(chosen([pool], 6, 'fd12:3456:789a::/64'), 'fd12:3456:789a:1::/64')
  assert.equal(chosen([pool], 6, 'fd12:3456:789a::/49'), 'fd12:3456:789a:8000::/64')
  assert.equal(chosen([pool], 6, 'fd12:3456:789a::/48'), undefined)
  assert.equal(chosen([pool], 4), undefined)
})
