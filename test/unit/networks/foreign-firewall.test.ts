// What to do about firewalls that cannot be tried here: firewalld and ufw, known by their tables and chains.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  type Chain,
  describeDrop,
  foreignDrops,
  hasOwnTable,
  legacyDrops,
  parseChains,
} from '../../../src/networks/foreign-firewall.ts'

const describe = (chains: Chain[], ...bridges: string[]) =>
  foreignDrops(chains).map(drop => describeDrop(drop, chains, bridges))

it('chains are read as the kernel tells of them', () => {
  const chains = parseChains(
    '1\tminictr\tforward\t2\t1\n2\tfilter\tFORWARD\t2\t0\n2\tfilter\tDOCKER-USER\t-1\t1\n',
  )
  assert.deepEqual(chains, [
    { family: 'inet', table: 'minictr', name: 'forward', hook: 'forward', policy: 'accept' },
    { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' },
    { family: 'ip', table: 'filter', name: 'DOCKER-USER', policy: 'accept' },
  ])
  assert.deepEqual(parseChains(''), [])
  assert.ok(hasOwnTable(chains) && !hasOwnTable(chains.slice(1)))
})

it('firewalld forwards for zones that are trusted', () => {
  const chains = parseChains('1\tfirewalld\tfilter_FORWARD\t2\t1\n1\tminictr\tforward\t2\t0\n')
  assert.deepEqual(describe(chains, 'minictr0', 'minictr01234567'), [
    {
      chain: 'inet firewalld filter_FORWARD',
      owner: 'firewalld',
      remedy: [
        'firewall-cmd --permanent --zone=trusted --add-interface=minictr0',
        'firewall-cmd --permanent --zone=trusted --add-interface=minictr01234567',
        'firewall-cmd --reload',
      ],
    },
  ])
})

it('ufw has routes of its own', () => {
  const chains = parseChains(
    '2\tfilter\tFORWARD\t2\t0\n2\tfilter\tufw-user-forward\t-1\t1\n10\tfilter\tFORWARD\t2\t1\n',
  )
  assert.deepEqual(describe(chains, 'minictr0'), [
    {
      chain: 'ip filter FORWARD',
      owner: 'ufw',
      remedy: ['ufw route allow in on minictr0', 'ufw route allow out on minictr0'],
    },
  ])
})

it('the older iptables are asked for their policy', () => {
  assert.deepEqual(legacyDrops('-P FORWARD ACCEPT\n-A FORWARD -j DROP\n', 'iptables-legacy'), [])
  assert.deepEqual(legacyDrops('-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n', 'ip6tables-legacy'), [
    {
      chain: 'ip6tables-legacy FORWARD',
      owner: 'Docker',
      remedy: [
        'ip6tables-legacy -I DOCKER-USER -i minictr+ -j ACCEPT',
        'ip6tables-legacy -I DOCKER-USER -o minictr+ -j ACCEPT',
      ],
    },
  ])
})
