// Ops on links, addresses, routes and rules: what they make is seen by ip(8) and nft(8), and refusals have their numbers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { inverses } from '../../src/runtime/ops.ts'
import { call, errnoOf, succeed } from './executors.ts'
import { inNetworks, type Network } from './networks.ts'

/** The steps of a container on a bridge, as far as they concern the network. */
function vethInto(container: Network): Op[] {
  const netns = { slot: 'container-network', pid: container.pid }
  return [
    { op: 'open', path: `/proc/${container.pid}/ns/net`, how: 'read', as: netns.slot },
    {
      op: 'create_veth',
      name: 'minictr-test1',
      master: 'minictr-test0',
      mtu: 1400,
      alias: 'minictr test, a container',
      hairpin: true,
      up: true,
      peer: { name: 'eth0', mac: '02:42:ac:11:00:02', mtu: 1400, netns },
    },
    { op: 'close', slot: netns.slot },
  ]
}

const bridge: Op = {
  op: 'create_bridge',
  name: 'minictr-test0',
  mac: '02:42:00:00:00:01',
  mtu: 1450,
  alias: 'the bridge',
  up: true,
}

test('create_bridge makes a bridge with what is said of it, once', () =>
  inNetworks(async host => {
    await host.perform(bridge)
    const [link] = host.ip('link', 'show', 'dev', 'minictr-test0')
    assert.equal((link!.linkinfo as { info_kind: string }).info_kind, 'bridge')
    const { address, mtu, ifalias, flags } = link!
    assert.deepEqual(
      { address, mtu, ifalias, isUp: (flags as string[]).includes('UP') },
      { address: '02:42:00:00:00:01', mtu: 1450, ifalias: 'the bridge', isUp: true },
    )
    assert.equal(await host.errnoOf(bridge), 'EEXIST')
    await host.perform({ ...bridge, tolerate: ['EEXIST'] })
  }))

test('create_veth makes a port of the bridge, whose other end is in the other namespace under its last name', () =>
  inNetworks(async (host, container) => {
    await host.perform(bridge, ...vethInto(container))
    const [port] = host.ip('link', 'show', 'dev', 'minictr-test1')
    const info = port!.linkinfo as { info_kind: string; info_slave_data: { hairpin: boolean } }
    assert.equal(info.info_kind, 'veth')
    assert.equal(info.info_slave_data.hairpin, true)
    const { master, mtu, ifalias } = port!
    assert.deepEqual(
      { master, mtu, ifalias },
      { master: 'minictr-test0', mtu: 1400, ifalias: 'minictr test, a container' },
    )
    const [peer] = container.ip('link', 'show', 'dev', 'eth0')
    assert.equal(peer!.address, '02:42:ac:11:00:02')
    assert.equal(peer!.mtu, 1400)
    assert.equal((peer!.flags as string[]).includes('UP'), false)
    assert.equal(await host.errnoOf({ op: 'set_link', name: 'eth0', up: true }), 'ENODEV', 'not the host’s')
  }))

test('a container on a bridge reaches its gateway over IPv4 and IPv6 at once', () =>
  inNetworks(async (host, container) => {
    await host.perform(
      bridge,
      { op: 'add_address', link: 'minictr-test0', address: '172.30.0.1/16' },
      { op: 'add_address', link: 'minictr-test0', address: 'fd00:30::1/64', nodad: true },
      ...vethInto(container),
    )
    await container.perform(
      { op: 'set_link', name: 'lo', up: true },
      { op: 'set_link', name: 'eth0', up: true },
      { op: 'add_address', link: 'eth0', address: '172.30.0.2/16' },
      { op: 'add_address', link: 'eth0', address: 'fd00:30::2/64', nodad: true },
      { op: 'add_route', destination: '0.0.0.0/0', gateway: '172.30.0.1' },
      { op: 'add_route', destination: '::/0', gateway: 'fd00:30::1', link: 'eth0' },
    )
    const close = await host.serve(`net.createServer(socket => socket.end('here')).listen(8080, '::', ready)`)
    try {
      for (const address of ['172.30.0.1', 'fd00:30::1']) {
        assert.equal(container.run('bash', '-c', `cat < /dev/tcp/${address}/8080`), 'here')
      }
    } finally {
      close()
    }
    const [link] = container.ip('address', 'show', 'dev', 'eth0')
    const addresses = link!.addr_info as Record<string, unknown>[]
    const [v4] = addresses.filter(({ family }) => family === 'inet')
    assert.deepEqual([v4!.local, v4!.prefixlen, v4!.broadcast], ['172.30.0.2', 16, '172.30.255.255'])
    assert.ok(addresses.some(({ local, nodad }) => local === 'fd00:30::2' && nodad === true))
    const [route] = container.ip('route', 'show', 'default')
    assert.deepEqual([route!.gateway, route!.dev], ['172.30.0.1', 'eth0'])
    const [route6] = container.ip('-6', 'route', 'show', 'default')
    assert.deepEqual([route6!.gateway, route6!.dev], ['fd00:30::1', 'eth0'])
  }))

test('a route to a network on the wire itself has the scope of a link; what is added is deleted again', () =>
  inNetworks(async host => {
    const address = { link: 'minictr-test0', address: '10.9.0.1/32' }
    const route = { destination: '10.8.0.0/24', link: 'minictr-test0' }
    await host.perform(bridge, { op: 'add_address', ...address }, { op: 'add_route', ...route })
    const [shown] = host.ip('route', 'show', '10.8.0.0/24')
    assert.equal(shown!.scope, 'link')
    assert.equal(await host.errnoOf({ op: 'add_address', ...address }), 'EEXIST')
    assert.equal(await host.errnoOf({ op: 'add_route', ...route }), 'EEXIST')
    await host.perform({ op: 'delete_route', ...route }, { op: 'delete_address', ...address })
    assert.equal(await host.errnoOf({ op: 'delete_route', ...route }), 'ESRCH')
    assert.equal(await host.errnoOf({ op: 'delete_address', ...address }), 'EADDRNOTAVAIL')
    assert.deepEqual(host.ip('route', 'show'), [])
  }))

test('a refusal comes with the kernel’s own words', () =>
  inNetworks(async host => {
    await host.perform(bridge)
    const [answer] = await host.attempt({ op: 'add_route', destination: '0.0.0.0/0', gateway: '10.9.9.9' })
    assert.equal(answer!.errno, 'ENETUNREACH')
    assert.equal(String(answer!.data), 'Nexthop has invalid gateway')
  }))

test('what is none is refused: names, masters, namespaces, addresses', () =>
  inNetworks(async host => {
    await host.perform(bridge)
    const peer = { name: 'eth0' }
    const refused: [Op, string][] = [
      [{ op: 'create_veth', name: 'minictr-test1', master: 'minictr-none', peer }, 'ENODEV'],
      [{ op: 'create_veth', name: 'minictr-test0', peer }, 'EEXIST'],
      [{ op: 'create_veth', name: 'a-name-longer-than-any', peer }, 'ERANGE'],
      [{ op: 'create_bridge', name: 'x'.repeat(5000) }, 'EMSGSIZE'],
      [{ op: 'create_veth', name: 'minictr-test1', hairpin: true, peer }, 'EOPNOTSUPP'],
      [{ op: 'create_macvlan', name: 'minictr-test2', parent: 'minictr-none', mode: 'bridge' }, 'ENODEV'],
      [{ op: 'set_link', name: 'minictr-none', up: true }, 'ENODEV'],
      // The first 15 bytes of it are another one's name.
      [{ op: 'set_link', name: 'minictr-test0xxxxx', up: true }, 'ENODEV'],
      [{ op: 'delete_link', name: 'minictr-none' }, 'ENODEV'],
      [{ op: 'add_address', link: 'minictr-none', address: '10.9.0.1/24' }, 'ENODEV'],
      [{ op: 'add_address', link: 'minictr-test0', address: '10.9.0/24' }, 'EINVAL'],
      [{ op: 'add_address', link: 'minictr-test0', address: '10.9.0.1/33' }, 'EINVAL'],
      [{ op: 'add_route', destination: '10.8.0.0/16', link: 'minictr-none' }, 'ENODEV'],
      [{ op: 'add_route', destination: '10.8.0.1/16', link: 'minictr-test0' }, 'EINVAL'],
    ]
    for (const [op, errno] of refused) assert.equal(await host.errnoOf(op), errno, JSON.stringify(op))
    const settings = ['minictr-test1', Buffer.alloc(0), 0, '', '', -1, -1, 40]
    assert.equal(await errnoOf(host.executor, call('create_bridge', ...settings)), 'EBADF', 'an empty slot')
  }))

test('set_link renames, moves to another namespace, and changes both at once', () =>
  inNetworks(async (host, container) => {
    const netns = { slot: 'container-network', pid: container.pid }
    await host.perform(
      bridge,
      { op: 'create_veth', name: 'minictr-test1', peer: { name: 'minictr-test2' } },
      { op: 'set_link', name: 'minictr-test1', newName: 'minictr-test3', mtu: 1300, alias: 'renamed' },
      { op: 'set_link', name: 'minictr-test3', master: 'minictr-test0', hairpin: true, up: true },
      { op: 'open', path: `/proc/${container.pid}/ns/net`, how: 'read', as: netns.slot },
      { op: 'set_link', name: 'minictr-test2', newName: 'eth7', netns },
    )
    const [port] = host.ip('link', 'show', 'dev', 'minictr-test3')
    const { mtu, ifalias, master } = port!
    assert.deepEqual({ mtu, ifalias, master }, { mtu: 1300, ifalias: 'renamed', master: 'minictr-test0' })
    assert.equal(container.ip('link', 'show', 'dev', 'eth7').length, 1)
    await host.perform({ op: 'set_link', name: 'minictr-test3', up: false })
    const [down] = host.ip('link', 'show', 'dev', 'minictr-test3')
    assert.equal((down!.flags as string[]).includes('UP'), false)
  }))

test('set_link switches the loopback on, and off again', () =>
  inNetworks(async host => {
    const flags = () => host.ip('link', 'show', 'dev', 'lo')[0]!.flags
    await host.perform({ op: 'set_link', name: 'lo', up: true })
    assert.deepEqual(flags(), ['LOOPBACK', 'UP', 'LOWER_UP'])
    await host.perform({ op: 'set_link', name: 'lo', up: false })
    assert.deepEqual(flags(), ['LOOPBACK'])
  }))

test('inverses leave nothing behind, also where they come twice', () =>
  inNetworks(async (host, container) => {
    const ops: Op[] = [
      bridge,
      ...vethInto(container),
      { op: 'add_address', link: 'minictr-test0', address: '10.9.0.1/24' },
      { op: 'add_address', link: 'minictr-test0', address: 'fd00:9::1/64', nodad: true },
      { op: 'add_route', destination: '10.8.0.0/24', gateway: '10.9.0.9' },
      { op: 'create_macvlan', name: 'minictr-test2', parent: 'minictr-test1', mode: 'bridge' },
    ]
    const before = [host, container].map(network => network.ip('address', 'show'))
    await host.perform(...ops.filter(({ op }) => op !== 'create_macvlan'))
    const all = inverses(ops)
    assert.deepEqual(
      all.map(({ op }) => op),
      ['delete_link', 'delete_route', 'delete_address', 'delete_address', 'delete_link', 'delete_link'],
    )
    await host.perform(...all)
    await host.perform(...all)
    assert.deepEqual(
      [host, container].map(network => network.ip('address', 'show')),
      before,
    )
  }))

test('delete_link takes both ends of a veth pair; the name is free at once', () =>
  inNetworks(async (host, container) => {
    await host.perform(bridge)
    for (let round = 0; round < 3; round++) {
      await host.perform(...vethInto(container), { op: 'delete_link', name: 'minictr-test1' })
    }
    assert.deepEqual(
      container.ip('link').map(({ ifname }) => ifname),
      ['lo'],
    )
  }))

test('create_macvlan puts a link with the mode into the other namespace', () =>
  inNetworks(async (host, container) => {
    const netns = { slot: 'container-network', pid: container.pid }
    await host.perform(
      { op: 'create_veth', name: 'minictr-test1', up: true, peer: { name: 'minictr-test2' } },
      { op: 'open', path: `/proc/${container.pid}/ns/net`, how: 'read', as: netns.slot },
      {
        op: 'create_macvlan',
        name: 'eth0',
        parent: 'minictr-test1',
        mode: 'bridge',
        mac: '02:42:ac:11:00:03',
        netns,
      },
    )
    const [link] = container.ip('link', 'show', 'dev', 'eth0')
    assert.equal(link!.address, '02:42:ac:11:00:03')
    const info = link!.linkinfo as { info_kind: string; info_data: { mode: string } }
    assert.deepEqual([info.info_kind, info.info_data.mode], ['macvlan', 'bridge'])
  }))

test('create_ipvlan makes a link with mode and flag', async t =>
  inNetworks(async host => {
    await host.perform({ op: 'create_veth', name: 'minictr-test1', peer: { name: 'minictr-test2' } })
    const parent = 'minictr-test1'
    const op: Op = { op: 'create_ipvlan', name: 'minictr-test3', parent, mode: 'l3', flag: 'private' }
    const [answer] = await host.attempt(op)
    if (answer!.errno === 'EOPNOTSUPP') return t.skip(`this kernel has no ipvlan: ${answer!.data}`)
    const [link] = host.ip('link', 'show', 'dev', 'minictr-test3')
    const info = link!.linkinfo as { info_kind: string; info_data: { mode: string; flags: string } }
    assert.deepEqual([info.info_kind, info.info_data.mode, info.info_data.flags], ['ipvlan', 'l3', 'private'])
  }))

test('an executor that left its network namespace speaks to the new one', () =>
  inNetworks(async (host, container) => {
    await host.perform(bridge)
    await succeed(
      host.executor,
      call('open', '', `/proc/${container.pid}/ns/net`, 2, 9),
      call('setns', 9, 0x40000000),
    )
    assert.equal(await host.errnoOf({ op: 'set_link', name: 'minictr-test0', up: true }), 'ENODEV')
  }))
