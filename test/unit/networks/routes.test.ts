// The routes of a host, out of the kernel's tables.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatSubnet } from '../../../src/networks/address.ts'
import { parseIpv4Routes, parseIpv6Routes } from '../../../src/networks/routes.ts'

/** A host in 192.0.2.0/24 with a VPN whose table is apart, and one whose routes stand in for the default one. */
const trie = `Id 51820:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.8.0.0
        /16 universe UNICAST
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
        /1 universe UNICAST
     |-- 128.0.0.0
        /1 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.128
           /32 universe UNICAST
           /25 universe BLACKHOLE
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.128
           /32 host LOCAL
`

it('IPv4: those of all tables, each once, but for default routes', () => {
  assert.deepEqual(parseIpv4Routes(trie).map(formatSubnet), [
    '10.8.0.0/16',
    '192.0.2.0/24',
    '192.0.2.128/32',
    '192.0.2.128/25',
    '127.0.0.0/8',
    '127.0.0.1/32',
    '192.0.2.2/32',
  ])
})

it('IPv6: likewise', () => {
  const table = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo
`
  assert.deepEqual(parseIpv6Routes(table).map(formatSubnet), ['fd00::/64', 'fe80::/64', '::1/128'])
})

it('none, where there is no table', () => {
  assert.deepEqual([...parseIpv4Routes(''), ...parseIpv6Routes('')], [])
})
