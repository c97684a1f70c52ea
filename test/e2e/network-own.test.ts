// Networks that somebody made, with real containers in them: apart from others, found by name, joined and left.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { unavailable, until, useNetworkedDebian } from './networked.ts'

const debian = useNetworkedDebian()

const create = (...args: string[]) => debian.done('network', 'create', ...args)
const remove = (...names: string[]) => debian.done('rm', '-f', ...names)

/** The links of the host by their names. */
function links(): Map<string, { ifname: string; ifalias?: string; linkinfo?: { info_kind: string } }> {
  const all = JSON.parse(debian.host().run('ip', ['-j', '-d', 'link'])) as { ifname: string }[]
  return new Map(all.map(link => [link.ifname, link]))
}

/** What getent finds in a container: the addresses of a name, in no order; nothing where there is none. */
async function lookUp(container: string, name: string): Promise<string[]> {
  const text = await debian.inside(container, `getent ahosts ${name} || true`)
  return [...new Set(text.split('\n').flatMap(line => line.split(/\s+/)[0] || []))].sort()
}

/** PIDs of the DNS servers of this store. */
function servers(): number[] {
  const { runRoot } = debian.store()
  const text = debian.host().try('pgrep', ['-f', `dnsmasq.*${runRoot}/`]).stdout
  return text.trim().split('\n').filter(Boolean).map(Number)
}

describe('a network that somebody made', { skip: unavailable, timeout: 240_000 }, () => {
  it('is a bridge and a DNS server from its first container on', async () => {
    const id = (await create('--subnet', '10.20.0.0/24', 'web')).trim()
    const bridge = `minictr${id.slice(0, 8)}`
    assert.ok(!links().has(bridge))
    const first = await debian.container('first', '--network', 'web')
    assert.equal(links().get(bridge)?.ifalias, 'minictr network web')
    assert.equal(links().get(bridge)?.linkinfo?.info_kind, 'bridge')
    assert.equal(servers().length, 1)
    assert.equal(await first.ask('192.0.2.2'), '192.0.2.1')
  })

  it('is kept apart from the others', async () => {
    const alone = await debian.container('alone')
    assert.equal(await alone.ask('10.20.0.2'), 'no answer')
    assert.equal(await (await debian.beside('first')).ask('172.17.0.2'), 'no answer')
    await remove('alone')
  })

  it('gives addresses that are asked for, and no other gets them', async () => {
    const { image } = debian.store()
    const flags = ['--network', 'web', '--ip', '10.20.0.77', '--mac-address', '02:00:00:00:00:01']
    const fixed = await debian.container('fixed', ...flags)
    assert.equal(await fixed.ask('10.20.0.2'), '10.20.0.77')
    await debian.refused(
      /^minictr: Address already in use\n/,
      ...['run', '--rm', '--network', 'web', '--ip', '10.20.0.77', image, 'true'],
    )
    await debian.refused(
      /^minictr: Invalid address 10\.21\.0\.1: It does not belong to any of this network's subnets/,
      ...['run', '--rm', '--network', 'web', '--ip', '10.21.0.1', image, 'true'],
    )
    await debian.refused(
      /^minictr: user specified IP address is supported on user defined networks only/,
      ...['run', '--rm', '--ip', '172.17.0.9', image, 'true'],
    )
    await remove('fixed')
  })

  it('says when it has no address left', async () => {
    const { image } = debian.store()
    const id = (await create('--subnet', '10.20.9.0/30', 'small')).trim()
    await debian.container('only', '--network', 'small')
    await debian.refused(
      new RegExp(
        `^minictr: no available IPv4 addresses on this network's address pools: small \\(${id}\\)\n`,
      ),
      ...['run', '--rm', '--network', 'small', image, 'true'],
    )
    await remove('only')
  })

  it('that is not there is named', async () => {
    const { image } = debian.store()
    await debian.refused(
      /^minictr: network nosuch not found\n/,
      'run',
      '--rm',
      '--network',
      'nosuch',
      image,
      'true',
    )
  })

  it('is kept while a container is in it, and gone with all it had when it is removed', async () => {
    const id = (await debian.done('network', 'ls', '-q', '--no-trunc', '-f', 'name=web')).trim()
    await debian.refused(
      /^minictr: error while removing network: network web id [0-9a-f]{64} has active endpoints \(first\)\n/,
      ...['network', 'rm', 'web'],
    )
    await remove('first')
    await debian.done('network', 'rm', 'web', 'small')
    assert.ok(!links().has(`minictr${id.slice(0, 8)}`))
    assert.deepEqual(servers(), [])
    assert.doesNotMatch(debian.host().run('nft', ['list', 'ruleset']), new RegExp(`minictr${id.slice(0, 8)}`))
    assert.ok(!existsSync(join(debian.store().runRoot, 'networks', id)))
  })

  it('has no way in or out with --internal, nor asks anybody outside for names', async () => {
    await create('--internal', 'inner')
    const hidden = await debian.container('hidden', '--network', 'inner')
    const other = await debian.container('beside', '--network', 'inner')
    assert.doesNotMatch(await debian.inside('hidden', 'cat /proc/net/route'), /00000000\s+[0-9A-F]{8}\s+0003/)
    assert.equal(await hidden.ask('192.0.2.2'), 'ENETUNREACH')
    assert.match(await debian.inside('beside', 'cat /etc/hosts'), /\t[0-9a-f]{12}$/)
    assert.deepEqual((await lookUp('hidden', 'beside')).length, 1)
    const [address] = await lookUp('hidden', 'beside')
    assert.equal(await hidden.ask(address!), (await lookUp('beside', 'hidden'))[0])
    assert.match(readFileSync(`/proc/${servers()[0]}/cmdline`, 'utf8'), /--no-resolv/)
    assert.ok(other)
    await remove('hidden', 'beside')
  })

  it('has IPv6 with --ipv6, outwards too', async () => {
    await create('--ipv6', '--subnet', 'fd00:7::/64', 'six')
    const six = await debian.container('six', '--network', 'six', '--ip6', 'fd00:7::77')
    assert.equal(await six.ask('2001:db8::2'), '2001:db8::1')
    assert.match(await debian.inside('six', 'cat /etc/hosts'), /^fd00:7::77\t/m)
    assert.deepEqual(await lookUp('six', 'six.six'), [...(await lookUp('six', 'six'))])
    await remove('six')
  })
})

describe('names in a network', { skip: unavailable, timeout: 240_000 }, () => {
  before(async () => {
    if (unavailable) return
    await create('--subnet', '10.30.0.0/24', 'town')
    await debian.container('alice', '--network', 'town', '--network-alias', 'wonder')
  })

  it('are those of containers: name, alias, beginning of the id, hostname; with the network’s behind them', async () => {
    await debian.container('bob', '--network', 'town', '--hostname', 'builder', '--network-alias', 'wonder')
    const id = readFileSync(join(debian.store().root, 'names/bob'), 'utf8')
    for (const name of ['bob', 'builder', id.slice(0, 12), 'bob.town', 'builder.town']) {
      assert.deepEqual(await lookUp('alice', name), ['10.30.0.3'], name)
    }
    assert.deepEqual(await lookUp('bob', 'alice'), ['10.30.0.2'])
    assert.deepEqual(await lookUp('alice', 'carol'), [])
  })

  it('lead to all who have an alias in common, another one first each time', async () => {
    assert.deepEqual(await lookUp('alice', 'wonder'), ['10.30.0.2', '10.30.0.3'])
    const bob = await debian.beside('bob')
    const answers = await Promise.all([1, 2, 3, 4].map(() => bob.resolve('wonder', 'A', '10.30.0.1')))
    assert.deepEqual([...new Set(answers.map(([first]) => first))].sort(), ['10.30.0.2', '10.30.0.3'])
  })

  it('are known as soon as a container runs, and forgotten when it has ended', async () => {
    await debian.done('stop', '-t', '0', 'bob')
    await until('bob is forgotten', async () => (await lookUp('alice', 'bob')).length === 0)
    assert.deepEqual(await lookUp('alice', 'wonder'), ['10.30.0.2'])
    await debian.done('start', 'bob')
    assert.deepEqual(await lookUp('alice', 'bob'), ['10.30.0.3'])
  })

  it('are the new ones when a container is renamed', async () => {
    await debian.container('before', '--network', 'town')
    const addresses = await lookUp('alice', 'before')
    assert.equal(addresses.length, 1)
    await debian.done('rename', 'before', 'after')
    await until('the new name is known', async () => (await lookUp('alice', 'after')).length > 0)
    assert.deepEqual(await lookUp('alice', 'after'), addresses)
    await until('the old name is forgotten', async () => (await lookUp('alice', 'before')).length === 0)
    assert.match(await debian.done('network', 'inspect', 'town'), /"Name": "after"/)
    await remove('after')
  })

  it('come back with a server that was killed, when the next container comes', async () => {
    const [server] = servers().filter(pid =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('10.30.0.1'),
    )
    process.kill(server!, 'SIGKILL')
    await debian.container('carol', '--network', 'town')
    assert.deepEqual(await lookUp('alice', 'carol'), ['10.30.0.4'])
    assert.deepEqual(await lookUp('alice', 'bob'), ['10.30.0.3'])
    await remove('carol')
  })

  it('outside of it are asked for at the resolvers of the host', async () => {
    const text = readFileSync('/etc/resolv.conf', 'utf8')
    assert.match(await debian.inside('alice', 'cat /etc/resolv.conf'), /^nameserver 10\.30\.0\.1\n/m)
    const [server] = servers().filter(pid =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('10.30.0.1'),
    )
    assert.match(readFileSync(`/proc/${server}/cmdline`, 'utf8'), /--resolv-file=\/etc\/resolv\.conf/)
    assert.ok(text.length >= 0)
  })
})

describe('several networks of one container', { skip: unavailable, timeout: 240_000 }, () => {
  before(async () => {
    if (unavailable) return
    await create('--subnet', '10.40.0.0/24', 'back')
    await debian.container('database', '--network', 'back')
  })

  it('are a link each; names of all of them are found, and the way out is that of the first by its name', async () => {
    const flags = ['--network', 'name=town,alias=shop', '--network', 'name=back,alias=stock']
    const both = await debian.container('both', ...flags)
    const text = await debian.inside('both', 'ls /sys/class/net; cat /proc/net/route')
    assert.match(text, /^eth0\neth1\nlo\n/)
    assert.match(text, /^eth1\s+00000000\s+0100280A/m, 'by back, at 10.40.0.1')
    assert.equal(await both.ask('10.30.0.2'), '10.30.0.4')
    assert.equal(await both.ask('10.40.0.2'), '10.40.0.3')
    assert.deepEqual(await lookUp('both', 'alice'), ['10.30.0.2'])
    assert.deepEqual(await lookUp('both', 'database'), ['10.40.0.2'])
    assert.deepEqual(await lookUp('alice', 'shop'), ['10.30.0.4'])
    assert.deepEqual(await lookUp('database', 'stock'), ['10.40.0.3'])
    assert.deepEqual(await lookUp('alice', 'stock'), [])
    // The two networks are not joined by it.
    assert.equal(await (await debian.beside('alice')).ask('10.40.0.2'), 'no answer')
    await remove('both')
  })

  it('have the way out that gw-priority says', async () => {
    const flags = ['--network', 'name=town,gw-priority=1', '--network', 'name=back']
    await debian.container('other', ...flags)
    assert.match(await debian.inside('other', 'cat /proc/net/route'), /^eth0\s+00000000\s+01001E0A/m)
    await remove('other')
  })

  it('are joined and left while it runs', async () => {
    await debian.container('mover', '--network', 'town')
    assert.equal(
      await debian.done('network', 'connect', '--alias', 'moved', '--ip', '10.40.0.50', 'back', 'mover'),
      '',
    )
    const mover = await debian.beside('mover')
    assert.equal(await mover.ask('10.40.0.2'), '10.40.0.50')
    assert.equal(await mover.ask('192.0.2.2'), '192.0.2.1')
    assert.match(await debian.inside('mover', 'cat /proc/net/route'), /^eth1\s+00000000\s+0100280A/m)
    assert.match(await debian.inside('mover', 'cat /etc/hosts'), /^10\.40\.0\.50\t/m)
    assert.deepEqual(await lookUp('database', 'moved'), ['10.40.0.50'])
    assert.deepEqual(await lookUp('mover', 'database'), ['10.40.0.2'])
    await debian.refused(
      /^minictr: endpoint with name mover already exists in network back\n/,
      ...['network', 'connect', 'back', 'mover'],
    )
    assert.equal(await debian.done('network', 'disconnect', 'town', 'mover'), '')
    assert.equal(await debian.inside('mover', 'ls /sys/class/net'), 'eth1\nlo')
    assert.deepEqual(await lookUp('alice', 'mover'), [])
    assert.equal(await mover.ask('192.0.2.2'), '192.0.2.1')
    await debian.refused(
      /^minictr: container [0-9a-f]{64} is not connected to network town\n/,
      ...['network', 'disconnect', 'town', 'mover'],
    )
    await debian.done('network', 'disconnect', 'back', 'mover')
    assert.equal(await debian.inside('mover', 'ls /sys/class/net'), 'lo')
  })

  it('are joined by a container that does not run when it starts', async () => {
    await debian.done('stop', '-t', '0', 'mover')
    await debian.done('network', 'connect', 'back', 'mover')
    await debian.done('start', 'mover')
    assert.equal(await debian.inside('mover', 'ls /sys/class/net'), 'eth0\nlo')
    assert.deepEqual(await lookUp('mover', 'database'), ['10.40.0.2'])
    await remove('mover')
  })

  it('are none for one that has the host’s, or another’s', async () => {
    const { image } = debian.store()
    await debian.done('create', '--name', 'hostly', '--network', 'host', image, 'true')
    const sharing =
      /^minictr: container sharing network namespace with another container or host cannot be connected to any other network\n/
    for (const name of ['back', 'none']) await debian.refused(sharing, 'network', 'connect', name, 'hostly')
    await debian.refused(
      /^minictr: endpoint with name hostly already exists in network host\n/,
      ...['network', 'connect', 'host', 'hostly'],
    )
    const refusedByHost =
      /^minictr: container cannot be disconnected from host network or connected to host network\n/
    await debian.refused(refusedByHost, 'network', 'disconnect', 'host', 'hostly')
    await debian.refused(
      /^minictr: container [0-9a-f]{64} is not connected to network none\n/,
      ...['network', 'disconnect', 'none', 'hostly'],
    )
    await debian.done('create', '--name', 'joiner', '--network', 'container:alice', image, 'true')
    await debian.refused(sharing, 'network', 'connect', 'back', 'joiner')
    await debian.refused(refusedByHost, 'network', 'connect', 'host', 'alice')
    await debian.refused(
      /^minictr: container [0-9a-f]{64} is not connected to network host\n/,
      ...['network', 'disconnect', 'host', 'alice'],
    )
    await remove('hostly', 'joiner')
  })

  it('are joined by one that was in none, once it has left that', async () => {
    await debian.container('lonely', '--network', 'none', '-p', '8080:80')
    const alone =
      /^minictr: container cannot be connected to multiple networks with one of the networks in private \(none\) mode\n/
    const networks = () => debian.done('ps', '-a', '--filter', 'name=lonely', '--format', '{{.Networks}}')
    await debian.refused(alone, 'network', 'connect', 'back', 'lonely')
    await debian.refused(
      /^minictr: endpoint with name lonely already exists in network none\n/,
      ...['network', 'connect', 'none', 'lonely'],
    )
    assert.equal(await debian.done('network', 'disconnect', 'none', 'lonely'), '')
    assert.equal(await networks(), '\n')
    await debian.refused(
      /^minictr: container [0-9a-f]{64} is not connected to network none\n/,
      ...['network', 'disconnect', 'none', 'lonely'],
    )
    await debian.done('network', 'connect', '--alias', 'social', 'back', 'lonely')
    assert.deepEqual(await lookUp('database', 'social'), await lookUp('lonely', 'lonely'))
    assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
    await debian.refused(alone, 'network', 'connect', 'none', 'lonely')
    await debian.done('restart', '-t', '0', 'lonely')
    assert.equal(await debian.inside('lonely', 'ls /sys/class/net'), 'eth0\nlo')
    await debian.done('network', 'disconnect', 'back', 'lonely')
    await debian.done('stop', '-t', '0', 'lonely')
    await debian.done('network', 'connect', 'none', 'lonely')
    assert.equal(await networks(), 'none\n')
    assert.equal(await debian.done('inspect', '-f', '{{.HostConfig.NetworkMode}}', 'lonely'), 'none\n')
    await debian.done('start', 'lonely')
    assert.equal(await debian.inside('lonely', 'ls /sys/class/net'), 'lo')
    await remove('lonely')
  })

  it('have the ports follow the way out, and are left with them by the next one', async () => {
    await debian.container('server', '--network', 'town', '-p', '8080:80')
    const published = async () => [
      await debian.other().ask('192.0.2.1', 8080),
      await debian.host().ask('127.0.0.1', 8080),
      await debian.done('port', 'server'),
    ]
    const places = async (name: string) => {
      const [{ NetworkSettings }] = JSON.parse(await debian.done('inspect', 'server'))
      return NetworkSettings.Networks[name]?.IPAddress
    }
    const ruleset = () => debian.host().run('nft', ['list', 'ruleset'])
    const byTown = ['192.0.2.2', '10.30.0.1', '80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n']
    const byBack = byTown.with(1, '10.40.0.1')
    assert.deepEqual(await published(), byTown)
    // By its name it comes first, and is the way out.
    await debian.done('network', 'connect', 'back', 'server')
    assert.deepEqual(await published(), byBack)
    assert.match(ruleset(), new RegExp(`8080 : ${await places('back')} \\. 80`))
    await debian.done('network', 'disconnect', 'back', 'server')
    assert.deepEqual(await published(), byTown)
    await debian.done('network', 'connect', '--gw-priority', '-1', 'back', 'server')
    assert.deepEqual(await published(), byTown)
    await debian.done('network', 'disconnect', 'town', 'server')
    assert.deepEqual(await published(), byBack)
    await debian.done('network', 'disconnect', 'back', 'server')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), 'ECONNREFUSED')
    assert.doesNotMatch(ruleset(), /8080/)
    await debian.done('network', 'connect', 'town', 'server')
    assert.deepEqual(await published(), byTown)
    await debian.done('restart', '-t', '0', 'server')
    await debian.beside('server')
    assert.deepEqual(await published(), byTown)
    await debian.done('network', 'connect', 'back', 'server')
    await remove('server')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), 'ECONNREFUSED')
    assert.doesNotMatch(ruleset(), /8080/)
  })

  it('bring ports to one that was in an internal network alone, unless somebody has them', async () => {
    const { image } = debian.store()
    const run = [
      'run',
      '-d',
      '--name',
      'inside',
      '--network',
      'inner',
      '-p',
      '8080:80',
      image,
      'sleep',
      '1000',
    ]
    assert.match((await debian.minictr(...run)).stderr, /Published ports are discarded/)
    await debian.beside('inside')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), 'ECONNREFUSED')
    await debian.container('holder', '-p', '8080:80')
    await debian.refused(
      /^minictr: Bind for 0\.0\.0\.0:8080 failed: port is already allocated/,
      ...['network', 'connect', 'town', 'inside'],
    )
    assert.equal(await debian.inside('inside', 'ls /sys/class/net'), 'eth0\nlo')
    await remove('holder')
    await debian.done('network', 'connect', 'town', 'inside')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
    await remove('inside')
  })
})

describe('networks on the wire of the host', { skip: unavailable, timeout: 120_000 }, () => {
  for (const driver of ['macvlan', 'ipvlan']) {
    it(`${driver}: a container is one more host there`, async t => {
      const probe = ['link', 'add', 'minictr-probe', 'link', 'uplink', 'type', driver]
      if (debian.host().try('ip', probe).status !== 0) return t.skip(`this kernel has no ${driver}`)
      debian.host().ip('link delete minictr-probe')
      const subnet = ['--subnet', '192.0.2.0/24', '--gateway', '192.0.2.2', '--ip-range', '192.0.2.128/25']
      await create('-d', driver, '-o', 'parent=uplink', ...subnet, driver)
      const peer = await debian.container('wired', '--network', driver)
      assert.equal(await peer.ask('192.0.2.2'), '192.0.2.128')
      assert.equal(await debian.other().ask('192.0.2.128'), '192.0.2.2')
      assert.match(await debian.inside('wired', 'cat /proc/net/route'), /^eth0\s+00000000\s+020200C0/m)
      assert.equal(await peer.ask('192.0.2.1'), 'no answer', 'parent and child do not see each other')
      await remove('wired')
      await debian.done('network', 'rm', driver)
    })
  }

  it('say when the parent has gone', async () => {
    const { image } = debian.store()
    debian.host().ip('link add minictr-gone type veth peer name minictr-gone2')
    await create('-d', 'macvlan', '-o', 'parent=minictr-gone', '--subnet', '198.51.100.0/24', 'gone')
    debian.host().ip('link delete minictr-gone')
    await debian.refused(
      /create-sublink.*ENODEV[\s\S]*there is no link minictr-gone on this host/,
      ...['run', '--rm', '--network', 'gone', image, 'true'],
    )
  })
})

describe('what is not used', { skip: unavailable, timeout: 120_000 }, () => {
  it('goes with `network prune`, and with the pruning of all the default network and the rules too', async () => {
    const { root, runRoot } = debian.store()
    await remove('alice', 'bob', 'database')
    const pruned = await debian.done('network', 'prune', '-f')
    assert.deepEqual(pruned.trim().split('\n').slice(1).sort(), ['back', 'gone', 'inner', 'six', 'town'])
    assert.deepEqual(servers(), [])
    const own = () => [...links().keys()].filter(name => name.startsWith('minictr'))
    assert.equal(own().length, 1, 'the default bridge stays')
    const program = `
      import { pruneNetworks } from ${JSON.stringify(join(import.meta.dirname, '../../src/containers/network-removal.ts'))}
      const places = ${JSON.stringify({ root, runRoot, configFile: join(root, '../config.json') })}
      await pruneNetworks(places, { keep: () => true, withDefault: true })`
    debian.host().run(process.execPath, ['--input-type=module', '--eval', program])
    assert.deepEqual(own(), [])
    assert.equal(debian.host().run('nft', ['list', 'ruleset']), '')
    // It is made again when a container needs it.
    await debian.container('again')
    assert.equal(own().length, 1)
    await remove('again')
  })
})
