// Published ports of real containers: from where they can be reached, whom the container sees, and whose a port is.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { Machine } from '../networks/laboratory.ts'
import { unavailable, until, useNetworkedDebian } from './networked.ts'
import { pullVariantInto } from './variant.ts'

const debian = useNetworkedDebian()

/** What the maps of the packet filter hold, a line each. */
function elements(): string[] {
  return debian
    .host()
    .run('nft', ['list', 'table', 'inet', 'minictr'])
    .split(/,\n|\n/)
    .map(line => line.replace(/^\s*(elements = \{ )?/, '').replace(/ \}$/, ''))
    .filter(line => /(tcp|udp|sctp) \. \d+ : /.test(line))
    .sort()
}

/** The processes that hold ports in the host of these tests. */
const holders = () =>
  readdirSync('/proc').filter(pid => {
    try {
      const [own, hosts] = [`/proc/${pid}`, `/proc/${debian.host().pid}`].map(path => netOf(path))
      return own === hosts && commOf(pid) === 'minictr-proxy'
    } catch {
      return false
    }
  })

function netOf(path: string): string {
  return readlinkSync(`${path}/ns/net`)
}

function commOf(pid: string): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}

type Case = [
  title: string,
  machine: Machine,
  address: string,
  port: number,
  protocol: 'tcp' | 'udp',
  answer: string,
]

async function expect(cases: Case[]): Promise<void> {
  const answers = await Promise.all(cases.map(([, from, ...what]) => from.ask(what[0], what[1], what[2])))
  assert.deepEqual(
    cases.map(([title], index) => `${title}: ${answers[index]}`),
    cases.map(([title, , , , , answer]) => `${title}: ${answer}`),
  )
}

describe('a published port', { skip: unavailable, timeout: 240_000 }, () => {
  let web: Machine
  before(async () => {
    if (unavailable) return
    web = await debian.container('web', '-p', '8080:80', '-p', '8080:80/udp', '-p', '127.0.0.1:8081:80')
    assert.deepEqual(elements(), ['tcp . 8080 : 172.17.0.2 . 80', 'udp . 8080 : 172.17.0.2 . 80'])
  })

  it('is listed in the order of Docker’s client', async () => {
    const ofTcp = ['0.0.0.0:8080', '127.0.0.1:8081', '[::]:8080']
    assert.deepEqual((await debian.done('port', 'web', '80')).trimEnd().split('\n'), ofTcp)
    assert.deepEqual((await debian.done('port', 'web')).trimEnd().split('\n'), [
      ...ofTcp.map(at => `80/tcp -> ${at}`),
      ...['0.0.0.0:8080', '[::]:8080'].map(at => `80/udp -> ${at}`),
    ])
  })

  it('is reached from other hosts, whose address the container sees', async () => {
    const other = debian.other()
    await expect([
      ['tcp', other, '192.0.2.1', 8080, 'tcp', '192.0.2.2'],
      ['udp', other, '192.0.2.1', 8080, 'udp', '192.0.2.2'],
      ['at loopback only', other, '192.0.2.1', 8081, 'tcp', 'ECONNREFUSED'],
    ])
  })

  it('is reached from IPv6 too, for a container that has none', async () => {
    await expect([
      ['tcp', debian.other(), '2001:db8::1', 8080, 'tcp', '172.17.0.1'],
      ['udp', debian.other(), '2001:db8::1', 8080, 'udp', '172.17.0.1'],
    ])
  })

  it('is reached from the host itself, by whichever of its addresses', async () => {
    const host = debian.host()
    await expect([
      ['127.0.0.1', host, '127.0.0.1', 8080, 'tcp', '172.17.0.1'],
      ['127.0.0.1, udp', host, '127.0.0.1', 8080, 'udp', '172.17.0.1'],
      ['::1', host, '::1', 8080, 'tcp', '172.17.0.1'],
      ['::1, udp', host, '::1', 8080, 'udp', '172.17.0.1'],
      ['its own address', host, '192.0.2.1', 8080, 'tcp', '192.0.2.1'],
      ['the bridge’s address', host, '172.17.0.1', 8080, 'tcp', '172.17.0.1'],
      ['one at loopback only', host, '127.0.0.1', 8081, 'tcp', '172.17.0.1'],
    ])
  })

  it('is reached from other containers, and from the container itself', async () => {
    const client = await debian.container('client')
    await expect([
      ['the host’s address', client, '192.0.2.1', 8080, 'tcp', '172.17.0.1'],
      ['its gateway', client, '172.17.0.1', 8080, 'udp', '172.17.0.1'],
      ['itself', web, '192.0.2.1', 8080, 'tcp', '172.17.0.1'],
      ['the host’s loopback', client, '127.0.0.1', 8081, 'tcp', 'ECONNREFUSED'],
    ])
    await debian.done('rm', '-f', 'client')
  })

  it('that somebody has is refused by his name, before anything is made', async () => {
    const { image, root } = debian.store()
    const before = readdirSync(join(root, 'containers'))
    await debian.refused(
      /^minictr: Bind for 0\.0\.0\.0:8080 failed: port is already allocated\nContainer web has it/,
      ...['run', '--rm', '-p', '8080:80', image, 'true'],
    )
    await debian.refused(
      /^minictr: failed to bind host port 0\.0\.0\.0:80\/tcp: address already in use\nIt is in use by .*\(PID \d+\)/,
      ...['run', '--rm', '-p', '80:80', image, 'true'],
    )
    await debian.refused(
      /^minictr: failed to bind host port for 192\.0\.2\.9:80: cannot assign requested address\n/,
      ...['run', '--rm', '-p', '192.0.2.9:80:80', image, 'true'],
    )
    assert.deepEqual(readdirSync(join(root, 'containers')), before)
    assert.equal(elements().length, 2)
  })

  it('is free when the container ends, and taken again when it starts', async () => {
    await debian.done('stop', '-t', '0', 'web')
    assert.deepEqual(elements(), [])
    assert.deepEqual(holders(), [])
    assert.equal(await debian.other().ask('192.0.2.1', 8080), 'ECONNREFUSED')
    await debian.done('start', 'web')
    await debian.beside('web')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
    await debian.done('rm', '-f', 'web')
    await until('the ports are free', () => holders().length === 0)
  })
})

describe('ports that nobody names', { skip: unavailable, timeout: 120_000 }, () => {
  it('are some that are free', async () => {
    debian.host().sysctl({ 'ipv4/ip_local_port_range': '40000 40010' })
    await debian.container('first', '-p', '80', '-p', '80/udp')
    await debian.container('second', '-p', '127.0.0.1::80')
    assert.deepEqual(elements(), ['tcp . 40000 : 172.17.0.2 . 80', 'udp . 40000 : 172.17.0.2 . 80'])
    await expect([
      ['from outside', debian.other(), '192.0.2.1', 40000, 'tcp', '192.0.2.2'],
      ['from here', debian.host(), '127.0.0.1', 40001, 'tcp', '172.17.0.1'],
    ])
    await debian.done('rm', '-f', 'first', 'second')
  })

  it('are all that image and flags expose, with -P', async () => {
    const image = await pullVariantInto(debian.store(), { ExposedPorts: { '80/tcp': {}, '81/udp': {} } })
    await debian.done('run', '-d', '--name', 'all', '-P', '--expose', '82-83', image, 'sleep', '1000')
    await debian.beside('all')
    assert.deepEqual(
      elements().map(element => element.replace(/^(\w+) \. \d+/, '$1')),
      [80, 82, 83].map(port => `tcp : 172.17.0.2 . ${port}`).concat('udp : 172.17.0.2 . 81'),
    )
    assert.equal(await debian.other().ask('192.0.2.1', 40000), '192.0.2.2')
    await debian.done('rm', '-f', 'all')
  })

  it('are as many in a row as asked for', async () => {
    await debian.container('many', '-p', '9000-9099:9000-9099', '-p', '9200:80')
    assert.equal(elements().length, 101)
    assert.equal(holders().length, 1)
    assert.equal(await debian.other().ask('192.0.2.1', 9200), '192.0.2.2')
    await debian.done('rm', '-f', 'many')
    assert.deepEqual(elements(), [])
  })
})

describe('a port of SCTP', { skip: unavailable, timeout: 60_000 }, () => {
  it('is led to the container, whether this kernel has SCTP itself or not', async () => {
    await debian.container('stream', '-p', '8090:80/sctp')
    assert.deepEqual(elements(), ['sctp . 8090 : 172.17.0.2 . 80'])
    await debian.done('rm', '-f', 'stream')
    assert.deepEqual(elements(), [])
  })
})

describe('ports and networks', { skip: unavailable, timeout: 120_000 }, () => {
  it('of IPv6 lead to the container’s own address there', async () => {
    await debian.done('network', 'create', '--ipv6', '--subnet', 'fd00:9::/64', 'six')
    await debian.container('six', '--network', 'six', '-p', '8086:80')
    await expect([
      ['tcp', debian.other(), '2001:db8::1', 8086, 'tcp', '2001:db8::2'],
      ['udp is not', debian.other(), '2001:db8::1', 8086, 'udp', 'ECONNREFUSED'],
      ['IPv4', debian.other(), '192.0.2.1', 8086, 'tcp', '192.0.2.2'],
      ['::1', debian.host(), '::1', 8086, 'tcp', 'fd00:9::1'],
    ])
    await debian.done('rm', '-f', 'six')
  })

  it('are discarded where a network has no way in, and with the host’s', async () => {
    const { image } = debian.store()
    await debian.done('network', 'create', '--internal', 'inner')
    const inner = await debian.minictr('run', '--rm', '--network', 'inner', '-p', '8087:80', image, 'true')
    assert.equal(inner.status, 0)
    assert.match(inner.stderr, /^WARNING: Published ports are discarded: none of the networks has a way in/)
    const host = await debian.minictr('run', '--rm', '--network', 'host', '-p', '8087:80', image, 'true')
    assert.deepEqual(
      [host.status, host.stderr],
      [0, 'WARNING: Published ports are discarded when using host network mode\n'],
    )
  })

  it('are reached from containers of other networks, by the host’s address', async () => {
    await debian.done('network', 'create', 'apart')
    await debian.container('server', '-p', '8088:80')
    const apart = await debian.container('client', '--network', 'apart')
    await expect([
      ['by the port', apart, '192.0.2.1', 8088, 'tcp', await addressOf('client')],
      ['not otherwise', apart, '172.17.0.2', 80, 'tcp', 'no answer'],
    ])
    await debian.done('rm', '-f', 'server', 'client')
  })
})

async function addressOf(name: string): Promise<string> {
  const hosts = await debian.inside(name, 'tail -n 1 /etc/hosts')
  return hosts.split('\t')[0]!
}
