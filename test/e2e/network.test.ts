// The default network, as a container and its host see it.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hasSetting, unavailable, until, useNetworkedDebian } from './networked.ts'

const debian = useNetworkedDebian()

/** A container to its end: what a shell prints in it. */
async function run(flags: string[], script: string): Promise<string> {
  const out = await debian.done('run', '--rm', ...flags, debian.store().image, 'sh', '-c', script)
  return out.replace(/\n$/, '')
}

/** The links of the host that are minictr's. */
const links = () =>
  (JSON.parse(debian.host().run('ip', ['-j', 'link'])) as { ifname: string }[])
    .map(({ ifname }) => ifname)
    .filter(name => /^(minictr|mctr)/.test(name))

const filesOf = (kind: string) => {
  const directory = join(debian.store().runRoot, 'networks')
  return readdirSync(directory).flatMap(id => {
    try {
      return readdirSync(join(directory, id, kind))
    } catch {
      return []
    }
  })
}

describe('a container that names no network', { skip: unavailable, timeout: 240_000 }, () => {
  it('finds itself in the default one, which is made for it: address, hardware address, way out, files', async () => {
    debian.host().sysctl({ 'ipv4/ip_forward': 0 })
    const script =
      'cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu /sys/class/net/eth0/operstate; ls /sys/class/net; cat /proc/net/route /etc/hosts; hostname'
    const text = await run(['--hostname', 'box', '--domainname', 'example.org'], script)
    assert.match(text, /^02:42:ac:11:00:02\n1500\nup\neth0\nlo\n/)
    assert.match(text, /^eth0\s+00000000\s+010011AC\s+0003/m)
    assert.match(text, /^eth0\s+000011AC\s+00000000\s+0001/m)
    assert.match(text, /^127\.0\.0\.1\tlocalhost$/m)
    assert.match(text, /^172\.17\.0\.2\tbox\.example\.org box$/m)
    const [bridge] = links()
    const [shown] = JSON.parse(debian.host().run('ip', ['-j', '-d', 'address', 'show', 'dev', bridge!]))
    assert.equal(shown.linkinfo.info_kind, 'bridge')
    assert.equal(shown.ifalias, 'minictr network bridge')
    assert.ok(shown.addr_info.some(({ local }: { local: string }) => local === '172.17.0.1'))
    assert.equal(debian.host().run('cat', ['/proc/sys/net/ipv4/ip_forward']), '1\n')
  })

  it('has the resolvers of the host, but for those that it cannot reach', async () => {
    const host = readFileSync('/etc/resolv.conf', 'utf8')
    const reachable = host.split('\n').filter(line => /^nameserver (?!127\.|::1)/.test(line))
    const text = await run([], 'cat /etc/resolv.conf')
    for (const line of reachable) assert.ok(text.includes(line), line)
    assert.doesNotMatch(text, /nameserver (127\.|::1)/)
    const given = await run(['--dns', '192.0.2.2', '--dns-search', 'example.org'], 'cat /etc/resolv.conf')
    assert.match(given, /^search example\.org\nnameserver 192\.0\.2\.2$/m)
  })

  it('has no IPv6 address of the kernel’s making', async t => {
    if (!hasSetting('ipv6')) return t.skip('this kernel has no IPv6')
    assert.doesNotMatch(await run([], 'cat /proc/net/if_inet6'), /eth0/)
  })

  it('reaches other hosts under the host’s address, and the host itself', async () => {
    const web = await debian.container('web')
    assert.equal(await web.ask('192.0.2.2'), '192.0.2.1')
    assert.equal(await web.ask('192.0.2.2', 80, 'udp'), '192.0.2.1')
    assert.equal(await web.ask('172.17.0.1'), '172.17.0.2')
    // Nobody gets in who is not let in.
    debian.other().ip('route add 172.17.0.0/16 via 192.0.2.1')
    assert.equal(await debian.other().ask('172.17.0.2'), 'no answer')
    assert.equal(await debian.host().ask('172.17.0.2'), '172.17.0.1')
  })

  it('reaches another one of the same network', async () => {
    const client = await debian.container('client')
    assert.equal(await client.ask('172.17.0.2'), '172.17.0.3')
  })

  it('is in `network inspect`, keeps the network in use, and makes itself known by events', async () => {
    const template = '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.MacAddress}};{{end}}'
    const inside = await debian.done('network', 'inspect', '-f', template, 'bridge')
    assert.deepEqual(inside.trim().split(';').sort(), [
      ...['', 'client 172.17.0.3/16 02:42:ac:11:00:03', 'web 172.17.0.2/16 02:42:ac:11:00:02'],
    ])
    const shown = await debian.done(
      ...['events', '--since', '10m', '--until', '0s', '--filter', 'type=network'],
      ...['--format', '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'],
    )
    assert.match(shown, /^connect bridge bridge$/m)
    assert.match(shown, /^disconnect bridge bridge$/m)
  })

  it('gives its address back at its end, and gets one anew when it starts', async () => {
    await debian.done('stop', '-t', '0', 'web')
    assert.deepEqual(filesOf('addresses'), ['172.17.0.3'])
    assert.equal(filesOf('endpoints').length, 1)
    const third = await debian.container('third')
    assert.equal(await third.ask('172.17.0.3'), '172.17.0.2')
    await debian.done('start', 'web')
    assert.match(await debian.inside('web', 'cat /etc/hosts'), /^172\.17\.0\.4\t/m)
    assert.equal(await (await debian.beside('web')).ask('172.17.0.3'), '172.17.0.4')
    await debian.done('restart', '-t', '0', 'web')
    await debian.done('rm', '-f', 'web', 'client', 'third')
    assert.deepEqual([filesOf('addresses'), filesOf('endpoints')], [[], []])
    // Though processes of the test still stand in their namespaces.
    await until('the links go', () => links().every(name => !name.startsWith('mctr')))
  })

  it('is made without a network, and joins it when it starts', async () => {
    const { image } = debian.store()
    await debian.done('create', '--name', 'later', image, 'sh', '-c', 'cat /etc/hosts /proc/net/route')
    assert.deepEqual(filesOf('addresses'), [])
    assert.match(await debian.done('start', '-a', 'later'), /^172\.17\.0\.2\t[0-9a-f]{12}$[\s\S]*^eth0/m)
    await debian.done('rm', 'later')
  })

  it('may have a hardware address of its own; its neighbours hear of it', async () => {
    const peer = await debian.container('peer')
    await debian.container('plain')
    assert.equal(await peer.ask('172.17.0.3'), '172.17.0.2')
    await debian.done('rm', '-f', 'plain')
    await debian.container('other', '--mac-address', '02:00:00:00:00:77')
    assert.equal(await debian.inside('other', 'cat /sys/class/net/eth0/address'), '02:00:00:00:00:77')
    assert.equal(await peer.ask('172.17.0.3'), '172.17.0.2')
    await debian.done('rm', '-f', 'peer', 'other')
  })

  it('finds the host by host-gateway', async () => {
    const script = 'grep host.test /etc/hosts'
    assert.equal(await run(['--add-host', 'host.test:host-gateway'], script), '172.17.0.1\thost.test')
    const none = ['--network', 'none', '--add-host', 'host.test:host-gateway']
    assert.equal(await run(none, script), '172.17.0.1\thost.test')
  })

  it('works with users of its own, and with a terminal', async () => {
    const text = await run(
      ['--userns-remap', 'auto', '-t'],
      'cat /sys/class/net/eth0/address /proc/net/route',
    )
    assert.match(text, /02:42:ac:11:00:02\r?\n[\s\S]*^eth0\s+00000000\s+010011AC/m)
  })

  it('shares its network with another one', async () => {
    await debian.container('first')
    const joined = await run(['--network', 'container:first'], 'cat /sys/class/net/eth0/address /etc/hosts')
    assert.match(joined, /^02:42:ac:11:00:02\n[\s\S]*^172\.17\.0\.2\t/m)
    assert.equal(filesOf('addresses').length, 1)
    await debian.done('rm', '-f', 'first')
  })
})

describe('--link', { skip: unavailable, timeout: 120_000 }, () => {
  it('tells a container of another one: a line of hosts, and variables', async () => {
    await debian.container('database', '--expose', '5432', '-e', 'PASSWORD=secret')
    const text = await run(['--name', 'app', '--link', 'database:db'], 'cat /etc/hosts; env')
    assert.match(text, /^172\.17\.0\.2\tdb [0-9a-f]{12} database$/m)
    for (const variable of [
      'DB_PORT=tcp://172.17.0.2:5432',
      'DB_PORT_5432_TCP_ADDR=172.17.0.2',
      'DB_NAME=/app/db',
      'DB_ENV_PASSWORD=secret',
    ]) {
      assert.ok(text.split('\n').includes(variable), variable)
    }
  })

  it('follows one that starts again with another address, while the container runs', async () => {
    const hosts = (name: string) => debian.inside(name, 'cat /etc/hosts')
    await debian.container(
      'app',
      '--link',
      'database:db',
      '--link',
      'database:store',
      '--add-host',
      'db2:1.2.3.4',
    )
    await debian.inside('app', 'echo 1.2.3.5 own >> /etc/hosts')
    const before = await hosts('app')
    assert.match(before, /^172\.17\.0\.2\tdb [0-9a-f]{12} database$/m)
    await debian.done('stop', '-t', '0', 'database')
    assert.equal(await hosts('app'), before)
    await debian.container('squatter')
    await debian.done('start', 'database')
    const [{ NetworkSettings }] = JSON.parse(await debian.done('inspect', 'database'))
    const address = NetworkSettings.IPAddress as string
    assert.notEqual(address, '172.17.0.2')
    assert.equal(await hosts('app'), before.replaceAll(/^172\.17\.0\.2\t(db|store) /gm, `${address}\t$1 `))
    assert.match(await hosts('app'), new RegExp(`^${address}\tstore `, 'm'))
    // Nobody is told who does not run, or has no link.
    const squatters = await hosts('squatter')
    await debian.done('rm', '-f', 'app')
    await debian.done('restart', '-t', '0', 'database')
    assert.equal(await hosts('squatter'), squatters)
    await debian.done('rm', '-f', 'squatter')
    await debian.done('restart', '-t', '0', 'database')
  })

  it('with no network is of a container that there is, and tells nothing', async () => {
    const { image } = debian.store()
    const flags = ['--name', 'app', '--network', 'none', '--link', 'database:db']
    assert.doesNotMatch(await run(flags, 'cat /etc/hosts; env'), /db|DB/)
    await debian.done('create', ...flags, image, 'true')
    const format = '{{json .HostConfig.Links}} {{range .NetworkSettings.Networks}}{{json .Links}}{{end}}'
    assert.equal(await debian.done('inspect', '-f', format, 'app'), '["/database:/app/db"] null\n')
    await debian.done('rm', 'app')
    await debian.done('create', '--name', 'hostly', '--network', 'host', image, 'true')
    await debian.done('create', '--name', 'joiner', '--network', 'container:hostly', image, 'true')
    for (const network of ['none', 'bridge']) {
      for (const linked of ['hostly', 'joiner']) {
        await debian.refused(
          /^minictr: conflicting options: host type networking can't be used with links\./,
          ...['create', '--network', network, '--link', linked, image, 'true'],
        )
      }
      await debian.refused(
        /^minictr: could not get container for nosuch: No such container: nosuch\n/,
        ...['create', '--network', network, '--link', 'nosuch', image, 'true'],
      )
    }
    await debian.done('rm', 'hostly', 'joiner')
  })

  it('needs one that is there, runs, and is in the network', async () => {
    const { image } = debian.store()
    await debian.refused(
      /^minictr: could not get container for nosuch: No such container: nosuch\n/,
      ...['run', '--rm', '--link', 'nosuch', image, 'true'],
    )
    await debian.done(
      'create',
      '--name',
      'client',
      '--link',
      'database:db',
      image,
      'grep',
      'db',
      '/etc/hosts',
    )
    assert.match(await debian.done('start', '-a', 'client'), /^172\.17\.0\.2\tdb /)
    await debian.done('stop', '-t', '0', 'database')
    await debian.refused(
      /^minictr: Cannot link to a non running container: \/database AS \/client\/db\n/,
      ...['start', '-a', 'client'],
    )
    await debian.done('rm', '-f', 'database', 'client')
  })
})
