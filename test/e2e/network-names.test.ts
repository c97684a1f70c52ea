// Containers with a DNS server of their own: on the wire of the host, with --dns, in several networks. Seen from inside.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Journal } from '../../src/runtime/journal.ts'
import { family, killIfThere, textOf } from '../fixtures/victims.ts'
import { isThere } from '../native/clients.ts'
import { type Machine, missingTools } from '../networks/laboratory.ts'
import { pidOf, unavailable, until, useNetworkedDebian } from './networked.ts'

const debian = useNetworkedDebian()

const RESOLVER = '127.0.0.11'
const create = (...args: string[]) => debian.done('network', 'create', ...args)
const remove = (...names: string[]) => debian.done('rm', '-f', ...names)
const idOf = (name: string) => readFileSync(join(debian.store().root, 'names', name), 'utf8')

/** What a container's own server answers. */
async function asked(name: string, question: string, type: 'A' | 'AAAA' | 'PTR' = 'A') {
  return await (await debian.beside(name)).resolve(question, type, RESOLVER)
}

/** The addresses getent finds in a container, in no order. */
async function lookUp(container: string, name: string): Promise<string[]> {
  const text = await debian.inside(container, `getent ahosts ${name} || true`)
  return [...new Set(text.split('\n').flatMap(line => line.split(/\s+/)[0] || []))].sort()
}

const pidFile = (name: string) => join(debian.store().runRoot, 'networks/resolvers', `${idOf(name)}.pid`)

/** The PID of a container's own server; undefined where it has none. */
function serverOf(name: string): number | undefined {
  const pid = Number(textOf(pidFile(name)).trim())
  return pid > 0 && textOf(`/proc/${pid}/cmdline`).includes(pidFile(name)) ? pid : undefined
}

/** A resolver on another host: two addresses, each of which knows a name the other does not. */
function serve(machine: Machine, address: string, record: string): ChildProcess {
  const [enter, ...words] = [...machine.entrance, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null']
  const flags = ['--no-hosts', '--no-resolv', '--pid-file', '--bind-interfaces', '--user=root']
  return spawn(
    enter!,
    [...words, ...flags, `--listen-address=${address}`, `--host-record=${record}`, '--local=/org/'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
}

const resolvers: ChildProcess[] = []
const lacking = unavailable || missingTools('dnsmasq')

describe('the resolvers of another host', { skip: lacking }, () => {
  before(async () => {
    if (lacking) return
    debian.other().ip('address add 192.0.2.3/24 dev eth0')
    resolvers.push(serve(debian.other(), '192.0.2.2', 'example.org,198.51.100.1'))
    resolvers.push(serve(debian.other(), '192.0.2.3', 'second.example.org,198.51.100.2'))
    for (const [server, name] of [
      ['192.0.2.2', 'example.org'],
      ['192.0.2.3', 'second.example.org'],
    ] as const)
      await until('it answers', async () => Array.isArray(await debian.host().resolve(name, 'A', server)))
  })

  it('are there', async () => {
    assert.deepEqual(await debian.host().resolve('example.org', 'A', '192.0.2.2'), ['198.51.100.1'])
  })
})

after(() => {
  for (const each of resolvers) each.kill()
})

describe('--dns in a network that somebody made', { skip: lacking, timeout: 240_000 }, () => {
  before(async () => {
    if (lacking) return
    await create('--subnet', '10.30.0.0/24', 'town')
    await debian.container('alice', '--network', 'town', '--network-alias', 'wonder')
    await debian.container('bob', '--network', 'town', '--dns', '192.0.2.2', '--dns', '192.0.2.3')
  })
  after(() => remove('alice', 'bob'))

  it('is asked for other names; containers are found as without it', async () => {
    const text = await debian.inside('bob', 'cat /etc/resolv.conf')
    assert.match(text, /^nameserver 127\.0\.0\.11\n(options .*)?ndots:0$/m)
    for (const name of ['alice', 'wonder', idOf('alice').slice(0, 12), 'alice.town'])
      assert.deepEqual(await lookUp('bob', name), ['10.30.0.2'], name)
    assert.deepEqual(await lookUp('bob', 'example.org'), ['198.51.100.1'])
    assert.deepEqual(await asked('bob', '10.30.0.2', 'PTR'), ['alice.town'])
    assert.equal(serverOf('alice'), undefined, 'the one at the gateway is enough')
  })

  it('is asked in its order: what the first one denies is not asked for again', async () => {
    for (const name of ['second.example.org', 'third.example.org'])
      for (let count = 0; count < 4; count++) assert.equal(await asked('bob', name), 'ENOTFOUND', name)
  })

  it('is not asked for a container’s address that it has not', async () => {
    for (const name of ['alice', 'alice.town', 'wonder.town'])
      assert.equal(await asked('bob', name, 'AAAA'), 'ENODATA', name)
    assert.equal(await asked('bob', 'nobody.town'), 'ENOTFOUND')
  })

  it('knows at once who comes and who goes', async () => {
    await debian.container('carol', '--network', 'town')
    await until('carol is known', async () => (await lookUp('bob', 'carol'))[0] === '10.30.0.4')
    await remove('carol')
    await until('carol is forgotten', async () => (await lookUp('bob', 'carol')).length === 0)
  })

  it('keeps search domains and options that were given', async () => {
    const flags = ['--dns', '192.0.2.2', '--dns-search', 'example.org', '--dns-option', 'timeout:1']
    await debian.container('dan', '--network', 'town', '--read-only', ...flags)
    assert.equal(
      await debian.inside('dan', 'cat /etc/resolv.conf'),
      'search example.org\nnameserver 127.0.0.11\noptions timeout:1 ndots:0',
    )
    assert.deepEqual(await lookUp('dan', 'alice'), ['10.30.0.2'])
    await remove('dan')
  })

  it('has the networks of a container that others join', async () => {
    const { image } = debian.store()
    const flags = ['run', '--rm', '--network', 'container:bob', image]
    assert.match(await debian.done(...flags, 'getent', 'ahostsv4', 'alice'), /^10\.30\.0\.2 /)
  })

  it('leaves port 53 to a program of the container', async () => {
    const program = `
      const servers = [require('node:dgram').createSocket('udp4'), require('node:net').createServer()]
      servers[0].bind(53, '0.0.0.0', () => servers[1].listen(53, '0.0.0.0', () => { console.log('both'); process.exit() }))`
    const bob = await debian.beside('bob')
    assert.equal(bob.run(process.execPath, ['--eval', program]), 'both\n')
  })

  it('does not let the container see the server, and ends it with the container', async () => {
    const server = serverOf('bob')!
    const [own, ofServer] = [pidOf(debian.store(), 'bob'), server].map(pid =>
      ['net', 'pid', 'mnt', 'user'].map(name => debian.host().run('readlink', [`/proc/${pid}/ns/${name}`])),
    )
    assert.equal(own![0], ofServer![0])
    assert.notEqual(own![1], ofServer![1])
    assert.notEqual(own![2], ofServer![2])
    assert.doesNotMatch(await debian.inside('bob', 'cat /proc/[0-9]*/cmdline'), /dnsmasq/)
    await debian.done('restart', '-t', '0', 'bob')
    assert.ok(!isThere(server))
    assert.deepEqual(await lookUp('bob', 'alice'), ['10.30.0.2'])
    const next = serverOf('bob')!
    await debian.done('stop', '-t', '0', 'bob')
    assert.ok(!isThere(next))
    assert.ok(!existsSync(pidFile('bob')))
    await debian.done('start', 'bob')
  })

  it('is undone after SIGKILL to the container and its monitor', async () => {
    const { runRoot } = debian.store()
    const server = serverOf('bob')!
    for (const pid of family(new Journal(join(runRoot, idOf('bob'))).owner()!.pid)) killIfThere(pid)
    assert.equal(await debian.done('system', 'recover'), '')
    assert.ok(!isThere(server))
    assert.ok(!existsSync(pidFile('bob')))
  })
})

describe('names in an internal network with --dns', { skip: lacking, timeout: 120_000 }, () => {
  it('are found, and nobody outside is reached', async () => {
    await create('--internal', '--subnet', '10.31.0.0/24', 'inner')
    await debian.container('hidden', '--network', 'inner', '--dns', '192.0.2.2')
    await debian.container('beside', '--network', 'inner')
    assert.deepEqual(await lookUp('hidden', 'beside'), ['10.31.0.3'])
    assert.equal(await asked('hidden', 'example.org'), 'EREFUSED')
    await remove('hidden', 'beside')
  })
})

describe('names of several networks', { skip: lacking, timeout: 240_000 }, () => {
  before(async () => {
    if (lacking) return
    await create('--subnet', '10.32.0.0/24', '--ipv6', 'back')
    await create('--subnet', '10.33.0.0/24', 'front')
    await debian.container('database', '--network', 'back', '--ip', '10.32.0.9')
    await debian.container('proxy', '--network', 'front', '--ip', '10.33.0.9')
  })
  after(() => remove('database', 'proxy'))

  it('are those of its own networks, and nobody is asked for another family', async () => {
    await debian.container('both', '--network', 'back', '--network', 'front')
    assert.deepEqual(await asked('both', 'database'), ['10.32.0.9'])
    assert.deepEqual(await asked('both', 'proxy.front'), ['10.33.0.9'])
    for (const name of ['proxy', 'proxy.front']) assert.equal(await asked('both', name, 'AAAA'), 'ENODATA')
    assert.equal((await asked('both', 'database.back', 'AAAA')).length, 1)
    assert.deepEqual(await lookUp('proxy', 'database'), [])
    await remove('both')
  })

  it('come and go with the networks that a container joins and leaves', async () => {
    await debian.container('mover', '--network', 'front')
    assert.equal(serverOf('mover'), undefined)
    await debian.done('network', 'connect', 'back', 'mover')
    assert.deepEqual(await asked('mover', 'database'), ['10.32.0.9'])
    assert.deepEqual(await asked('mover', 'proxy'), ['10.33.0.9'])
    const server = serverOf('mover')!
    await create('--subnet', '10.34.0.0/24', 'third')
    await debian.container('last', '--network', 'third')
    await debian.done('network', 'connect', 'third', 'mover')
    assert.ok(!isThere(server))
    assert.deepEqual(await asked('mover', 'last'), ['10.34.0.2'])
    for (const name of ['third', 'back']) await debian.done('network', 'disconnect', name, 'mover')
    assert.equal(serverOf('mover'), undefined)
    assert.equal(await (await debian.beside('mover')).run('nft', ['list', 'ruleset']), '')
    assert.deepEqual(await lookUp('mover', 'proxy'), ['10.33.0.9'])
    await debian.done('network', 'connect', 'back', 'mover')
    const again = serverOf('mover')!
    await remove('mover', 'last')
    assert.ok(!isThere(again))
  })
})

describe('names on the wire of the host', { skip: lacking, timeout: 240_000 }, () => {
  for (const driver of ['macvlan', 'ipvlan']) {
    it(`${driver}: containers find each other, and others by their own way out`, async t => {
      const probe = ['link', 'add', 'link', 'uplink', 'name', 'minictr-probe', 'type', driver]
      if (debian.host().try('ip', probe).status !== 0) return t.skip(`this kernel has no ${driver}`)
      debian.host().ip('link delete minictr-probe')
      const subnet = ['--subnet', '192.0.2.0/24', '--gateway', '192.0.2.2', '--ip-range', '192.0.2.128/25']
      await create('-d', driver, '-o', 'parent=uplink', ...subnet, driver)
      await debian.container('one', '--network', driver, '--network-alias', 'first', '--dns', '192.0.2.2')
      await debian.container('two', '--network', driver)
      for (const name of ['one', 'first', idOf('one').slice(0, 12), `one.${driver}`])
        assert.deepEqual(await lookUp('two', name), ['192.0.2.128'], name)
      assert.deepEqual(await lookUp('one', 'two'), ['192.0.2.129'])
      assert.equal(await asked('one', 'two', 'AAAA'), 'ENODATA')
      assert.deepEqual(await lookUp('one', 'example.org'), ['198.51.100.1'])
      await remove('two')
      await until('two is forgotten', async () => (await lookUp('one', 'two')).length === 0)
      await remove('one')
      await debian.done('network', 'rm', driver)
    })
  }
})
