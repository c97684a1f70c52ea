// Each op on links, addresses, routes and rules, beside its twin in shell: what they make is the same to ip(8) and nft(8).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { shellTwin } from '../../src/runtime/ops.ts'
import { inNetworks, type Network } from '../native/networks.ts'

const bridge: Op = {
  op: 'create_bridge',
  name: 'minictr-test0',
  mac: '02:42:00:00:00:01',
  mtu: 1400,
  alias: 'a bridge, of a test',
  up: true,
}
const plainVeth: Op = {
  op: 'create_veth',
  name: 'minictr-test1',
  mac: '02:42:00:00:00:02',
  peer: { name: 'minictr-test2', mac: '02:42:00:00:00:03' },
}

/** Each a list of ops, the last ones of which are the subject; `netns` is the other namespace. */
const cases: { title: string; ops(netns: { slot: string; pid: number }): Op[] }[] = [
  { title: 'a bridge', ops: () => [bridge] },
  {
    title: 'a veth pair into another namespace',
    ops: netns => [
      bridge,
      {
        op: 'create_veth',
        name: 'minictr-test1',
        mac: '02:42:00:00:00:02',
        mtu: 1300,
        master: 'minictr-test0',
        alias: "one's end",
        hairpin: true,
        up: true,
        peer: { name: 'eth0', mac: '02:42:00:00:00:03', mtu: 1300, netns },
      },
    ],
  },
  {
    title: 'a macvlan in another namespace',
    ops: netns => [
      plainVeth,
      {
        op: 'create_macvlan',
        name: 'eth0',
        parent: 'minictr-test1',
        mode: 'private',
        mac: '02:42:00:00:00:04',
        mtu: 1200,
        netns,
      },
    ],
  },
  {
    title: 'a link that is changed',
    ops: netns => [
      bridge,
      plainVeth,
      {
        op: 'set_link',
        name: 'minictr-test1',
        newName: 'minictr-test3',
        mac: '02:42:00:00:00:05',
        mtu: 1250,
        master: 'minictr-test0',
        alias: 'changed',
        hairpin: true,
        up: true,
      },
      { op: 'set_link', name: 'minictr-test2', newName: 'eth0', netns },
      { op: 'set_link', name: 'minictr-test0', up: false },
    ],
  },
  { title: 'a link that is deleted', ops: () => [plainVeth, { op: 'delete_link', name: 'minictr-test1' }] },
  {
    title: 'addresses and routes',
    ops: () => [
      bridge,
      { op: 'add_address', link: 'minictr-test0', address: '172.30.0.1/16' },
      { op: 'add_address', link: 'minictr-test0', address: '172.31.0.1/32' },
      { op: 'add_address', link: 'minictr-test0', address: 'fd00:30::1/64', nodad: true },
      { op: 'add_route', destination: '0.0.0.0/0', gateway: '172.30.0.9' },
      { op: 'add_route', destination: '10.1.0.0/16', link: 'minictr-test0' },
      { op: 'add_route', destination: '::/0', gateway: 'fd00:30::9', link: 'minictr-test0' },
    ],
  },
  {
    title: 'addresses and routes that are deleted',
    ops: () => [
      bridge,
      { op: 'add_address', link: 'minictr-test0', address: '172.30.0.1/16' },
      { op: 'add_address', link: 'minictr-test0', address: '172.31.0.1/16' },
      { op: 'add_route', destination: '0.0.0.0/0', gateway: '172.30.0.9' },
      { op: 'delete_route', destination: '0.0.0.0/0', gateway: '172.30.0.9' },
      { op: 'delete_address', link: 'minictr-test0', address: '172.31.0.1/16' },
    ],
  },
  {
    title: 'rules of nft',
    ops: () => [
      {
        op: 'nft',
        commands:
          'add table inet minictr-test\nadd map inet minictr-test ports { type inet_service : ipv4_addr; }',
      },
      { op: 'nft', commands: 'add element inet minictr-test ports { 80 : 10.0.0.1 }' },
    ],
  },
  {
    title: 'what is there already, or gone already, where that is tolerated',
    ops: () => [
      bridge,
      { ...bridge, tolerate: ['EEXIST'] },
      { op: 'delete_link', name: 'minictr-none', tolerate: ['ENODEV'] },
      { op: 'add_address', link: 'minictr-test0', address: '172.30.0.1/16' },
      { op: 'add_address', link: 'minictr-test0', address: '172.30.0.1/16', tolerate: ['EEXIST'] },
    ],
  },
]

/** Numbers that are chosen anew each time, or counted up or down. */
const changing =
  /^(ifindex|link_index|link_netnsid|link|.*_timer|valid_life_time|preferred_life_time|stats.*)$/
/** Whether there is a carrier; the kernel finds it out a moment later. */
const carrier = ['NO-CARRIER', 'LOWER_UP', 'linkdown']
/** Addresses that the kernel makes of the MAC address, a moment later, and routes to them. */
const ofKernel = /^(fe80|ff00|multicast)/

/** What is to be seen of a namespace. */
function seen(network: Network): unknown {
  const routes = ['-4', '-6'].flatMap(family => network.ip(family, 'route', 'show', 'table', 'all'))
  const settled = (key: string, value: unknown) => {
    if (changing.test(key) || key === 'operstate') return undefined
    if (key === 'flags') return (value as string[]).filter(flag => !carrier.includes(flag))
    if (key === 'addr_info')
      return (value as { local: string }[]).filter(({ local }) => !ofKernel.test(local))
    return value
  }
  const shown = [network.ip('address', 'show'), routes.filter(({ dst }) => !ofKernel.test(String(dst)))]
  return [JSON.parse(JSON.stringify(shown, settled)), network.run('nft', 'list', 'ruleset')]
}

async function seenAfter(act: (host: Network, netns: { slot: string; pid: number }) => Promise<void>) {
  let result: unknown
  await inNetworks(async (host, container) => {
    await act(host, { slot: 'container-network', pid: container.pid })
    result = [seen(host), seen(container)]
  })
  return result
}

describe('an op on the network and its twin in shell', () => {
  for (const { title, ops } of cases) {
    it(`make the same: ${title}`, async () => {
      const byHelper = await seenAfter(async (host, netns) => {
        await host.perform({ op: 'open', path: `/proc/${netns.pid}/ns/net`, how: 'read', as: netns.slot })
        await host.perform(...ops(netns))
      })
      const byShell = await seenAfter(async (host, netns) => {
        const commands = ops(netns).map(op => (shellTwin(op) as { run: string }).run)
        host.run('sh', '-euc', commands.join('\n'))
      })
      assert.deepEqual(byShell, byHelper)
    })
  }
})
