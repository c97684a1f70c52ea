// Firewalls of others, known by their tables and chains, and what to type about each.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  type Chain,
  describeDrops,
  foreignDrops,
  hasOwnTable,
  legacyDrops,
  parseChains,
} from '../../../src/networks/foreign-firewall.ts'

const describe = (chains: Chain[], hasServer = false) =>
  describeDrops(foreignDrops(chains, hasServer), chains)

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

it('firewalld lets pass what is of a trusted zone', () => {
  const chains = parseChains(
    '1\tfirewalld\tfilter_INPUT\t1\t1\n1\tfirewalld\tfilter_FORWARD\t2\t1\n1\tminictr\tforward\t2\t0\n',
  )
  assert.deepEqual(describe(chains), [
    {
      chains: ['inet firewalld filter_FORWARD', 'inet firewalld filter_INPUT'],
      owner: 'firewalld',
      remedy: ['firewall-cmd --permanent --zone=trusted --add-interface=minictr+', 'firewall-cmd --reload'],
    },
  ])
})

it('ufw has routes of its own, and speaks of both families at once', () => {
  const chains = parseChains(
    [
      '2\tfilter\tINPUT\t1\t0',
      '2\tfilter\tFORWARD\t2\t0',
      '2\tfilter\tufw-user-forward\t-1\t1',
      '10\tfilter\tFORWARD\t2\t0',
      '10\tfilter\tufw6-user-forward\t-1\t1',
      '',
    ].join('\n'),
  )
  assert.deepEqual(describe(chains), [
    {
      chains: ['ip filter FORWARD', 'ip6 filter FORWARD', 'ip filter INPUT'],
      owner: 'ufw',
      remedy: [
        'ufw route allow in on minictr+',
        'ufw route allow out on minictr+',
        'ufw allow in on minictr+ to any port 53',
      ],
    },
  ])
})

it('what comes to this host is of interest where containers ask a server here, or all is to be opened anyway', () => {
  const input = '1\tguard\tin\t1\t0\n'
  assert.deepEqual(describe(parseChains(input)), [])
  const openInput = `nft insert rule inet guard in iifname '"minictr*"' meta l4proto '{ tcp, udp }' th dport 53 accept`
  const [drop] = describe(parseChains(input), true)
  assert.deepEqual(drop, { chains: ['inet guard in'], remedy: [openInput] })
  assert.equal(describe(parseChains(`${input}1\tother\tforward\t2\t0\n`)).length, 1)
  const [both] = describe(parseChains(`${input}1\tguard\tthrough\t2\t0\n`))
  assert.deepEqual(both?.chains, ['inet guard through', 'inet guard in'])
  assert.equal(both?.remedy.at(-1), openInput)
})

it('the older iptables are asked for their policies', () => {
  const drops = (rules: string, program = 'iptables-legacy', hasServer = false) =>
    legacyDrops(rules, program, hasServer)
  assert.deepEqual(drops('-P FORWARD ACCEPT\n-A FORWARD -j DROP\n'), [])
  assert.deepEqual(drops('-P INPUT DROP\n-P FORWARD ACCEPT\n'), [])
  assert.deepEqual(
    drops('-P INPUT DROP\n-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n', 'ip6tables-legacy'),
    [
      {
        chains: ['ip6tables-legacy FORWARD', 'ip6tables-legacy INPUT'],
        owner: 'Docker',
        remedy: [
          'ip6tables-legacy -I DOCKER-USER -i minictr+ -j ACCEPT',
          'ip6tables-legacy -I DOCKER-USER -o minictr+ -j ACCEPT',
          'ip6tables-legacy -I INPUT -i minictr+ -p udp --dport 53 -j ACCEPT',
          'ip6tables-legacy -I INPUT -i minictr+ -p tcp --dport 53 -j ACCEPT',
        ],
      },
    ],
  )
  assert.deepEqual(drops('-P INPUT DROP\n', 'iptables-legacy', true)[0]?.chains, ['iptables-legacy INPUT'])
  const [ufw] = drops('-P INPUT DROP\n-P FORWARD DROP\n-N ufw-user-forward\n')
  assert.equal(ufw?.owner, 'ufw')
  assert.equal(ufw?.remedy[0], 'ufw route allow in on minictr+')
})
