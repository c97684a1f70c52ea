// Ops that have another program do something: nft(8), and servers that stay in the background.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { identify } from '../../src/system/process-identity.ts'
import { isThere, until } from './clients.ts'
import { call, succeed, temporaryDirectory } from './executors.ts'
import { inNetworks } from './networks.ts'

const table =
  'add table inet minictr-test\nadd map inet minictr-test ports { type inet_service : ipv4_addr; }'
const shells = ['/bin/sh', '/usr/bin/sh']

test('nft performs its commands in the executor’s network namespace', () =>
  inNetworks(async (host, container) => {
    await host.perform(
      { op: 'nft', commands: `${table}\nadd element inet minictr-test ports { 80 : 10.0.0.1 }` },
      { op: 'nft', commands: 'add element inet minictr-test ports { 81 : 10.0.0.2, 82 : 10.0.0.3 }' },
      { op: 'nft', commands: 'delete element inet minictr-test ports { 82 }' },
    )
    assert.match(host.run('nft', 'list', 'ruleset'), /elements = { 80 : 10.0.0.1, 81 : 10.0.0.2 }/)
    assert.equal(container.run('nft', 'list', 'ruleset'), '')
  }))

test('nft: all of the commands or none', () =>
  inNetworks(async host => {
    await host.perform({ op: 'nft', commands: table })
    const before = host.run('nft', 'list', 'ruleset')
    const commands =
      'add element inet minictr-test ports { 80 : 10.0.0.1 }\ndelete element inet minictr-test ports { 81 }'
    const [answer] = await host.attempt({ op: 'nft', commands })
    assert.equal(answer!.errno, 'ENOENT')
    assert.match(String(answer!.data), /No such file or directory\ndelete element inet minictr-test/)
    assert.equal(host.run('nft', 'list', 'ruleset'), before)
  }))

test('nft: what it says has the number of an error where it speaks of one', () =>
  inNetworks(async host => {
    await host.perform(
      { op: 'nft', commands: table },
      { op: 'nft', commands: 'add element inet minictr-test ports { 80 : 10.0.0.1 }' },
    )
    const refused = [
      ['create table inet minictr-test', 'EEXIST'],
      ['add element inet minictr-test ports { 80 : 10.0.0.2 }', 'EEXIST'],
      ['delete table inet minictr-none', 'ENOENT'],
      ['add element inet minictr-none ports { 80 : 10.0.0.2 }', 'ENOENT'],
      ['no command', 'EINVAL'],
    ]
    for (const [commands, errno] of refused) {
      assert.equal(await host.errnoOf({ op: 'nft', commands: commands! }), errno, commands)
    }
    // To add what is to be removed first makes a removal that may come twice.
    const element = 'element inet minictr-test ports { 80 : 10.0.0.1 }'
    const removal = { op: 'nft', commands: `add ${element}\ndelete ${element}` } as const
    await host.perform(removal, removal)
    assert.doesNotMatch(host.run('nft', 'list', 'ruleset'), /elements/)
  }))

test('nft takes more commands than any pipe holds', () =>
  inNetworks(async host => {
    const elements = Array.from({ length: 5000 }, (_, port) => `${port + 1} : 10.0.0.1`)
    const commands = elements.map(element => `add element inet minictr-test ports { ${element} }`)
    await host.perform({ op: 'nft', commands: [table, ...commands].join('\n') })
    const listed = host.run('nft', '--json', 'list', 'map', 'inet', 'minictr-test', 'ports')
    assert.equal(JSON.parse(listed).nftables[1].map.elem.length, 5000)
  }))

test('run_program waits for the end, and tells what went wrong', () =>
  inNetworks(async host => {
    const attempt = async (script: string) =>
      (await host.attempt({ op: 'run_program', candidates: shells, argv: ['sh', '-c', script] }))[0]!
    assert.equal((await attempt('exit 0')).errno, undefined)
    const busy = await attempt('echo "server: bind: Address already in use" >&2; exit 2')
    assert.equal(busy.errno, 'EADDRINUSE')
    assert.equal(String(busy.data), 'server: bind: Address already in use\n')
    assert.equal((await attempt('exit 1')).errno, 'EINVAL')
    assert.equal((await attempt('kill -9 $$')).errno, 'ECANCELED')
    const long = await attempt('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1')
    assert.equal(long.data!.length, 4096)
    const absent = { op: 'run_program', candidates: ['/none/a', '/none/b'], argv: ['a'] } as const
    const [answer] = await host.attempt({ ...absent, candidates: [...absent.candidates], argv: ['a'] })
    assert.deepEqual([answer!.errno, answer!.data], ['ENOENT', undefined])
  }))

test('what run_program leaves in the background holds nothing of the executor, and outlives it', async t => {
  const directory = temporaryDirectory(t)
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  t.after(() => monitor.close())
  const path = (name: string) => join(directory, name)
  const server = `echo $$ > ${path('new')}; mv ${path('new')} ${path('pid')}; exec sleep 1000`
  await succeed(
    monitor.host,
    call('lock', path('lock'), 0, 0),
    call('run_program', shells, ['sh', '-c', `sh -c '${server}' &`], Buffer.alloc(0), -1),
  )
  await until(() => existsSync(path('pid')), 'the server runs')
  const pid = Number(readFileSync(path('pid'), 'utf8'))
  t.after(() => process.kill(pid, 'SIGKILL'))
  const isServer = () => readlinkSync(`/proc/${pid}/exe`).endsWith('sleep')
  await until(isServer, 'it has become the program')
  const open = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
  assert.deepEqual(open, ['/dev/null', '/dev/null', '/memfd:minictr (deleted)'])
  const field = (of: number, number: number) => readFileSync(`/proc/${of}/stat`, 'utf8').split(' ')[number]
  assert.notEqual(field(pid, 3), String(monitor.pid), 'its parent')
  assert.notEqual(field(pid, 5), field(monitor.pid, 5), 'its session')
  await monitor.close() // nothing was watched: what was half made is ended
  assert.equal(isThere(pid), true)
})

test('a monitor still takes in the container’s orphans after run_program', async t => {
  const directory = temporaryDirectory(t)
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  try {
    const script = `sleep 1000 & echo $! > ${directory}/new; mv ${directory}/new ${directory}/pid`
    await succeed(
      monitor.host,
      call('run_program', shells, ['sh', '-c', 'exit 0'], Buffer.alloc(0), -1),
      call('spawn_init', 0, 0),
    )
    const { closed } = await monitor.init.perform([
      call('execve', shells, ['sh', '-c', script], ['PATH=/usr/bin:/bin']),
    ])
    assert.equal(closed, true)
    await until(() => existsSync(join(directory, 'pid')), 'the orphan runs')
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
    const parentOf = () => /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
    await until(() => parentOf() === String(monitor.pid), 'it is the monitor’s')
  } finally {
    await monitor.close()
  }
})

test('dnsmasq is ready when run_program is done, is stopped as any process, and says why it cannot start', async t => {
  const candidates = ['/usr/sbin/dnsmasq', '/usr/bin/dnsmasq'].filter(path => existsSync(path))
  if (candidates.length === 0) return t.skip('there is no dnsmasq on this machine')
  const directory = temporaryDirectory(t)
  await inNetworks(async host => {
    const argv = [
      ...['dnsmasq', '--conf-file=/dev/null', `--pid-file=${directory}/pid`, '--user=root'],
      ...['--no-resolv', '--no-hosts', '--listen-address=127.0.0.1', '--bind-interfaces'],
      '--host-record=web,10.1.2.3',
    ]
    await host.perform({ op: 'set_link', name: 'lo', up: true }, { op: 'run_program', candidates, argv })
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
    assert.match(readlinkSync(`/proc/${pid}/exe`), /dnsmasq$/)
    const lookUp =
      "const { Resolver } = require('node:dns'); const r = new Resolver(); r.setServers(['127.0.0.1']); r.resolve4('web', (e, a) => console.log(String(e ?? a)))"
    assert.equal(host.run(process.execPath, '-e', lookUp), '10.1.2.3\n')
    const [second] = await host.attempt({ op: 'run_program', candidates, argv })
    assert.equal(second!.errno, 'EADDRINUSE')
    assert.match(
      String(second!.data),
      /failed to create listening socket for 127.0.0.1: Address already in use/,
    )
    await host.perform(
      { op: 'open_process', pid, startTimeTicks: identify(pid)!.startTimeTicks, as: 'server' },
      { op: 'signal_process', slot: 'server', pid, signal: 'SIGTERM' },
      { op: 'await_exit', slot: 'server', pid, timeoutMs: 10_000 },
    )
  })
})

test('run_program and nft go into another network namespace where one is given, and say so where it cannot be', () =>
  inNetworks(async (host, container) => {
    const netns = { slot: 'container-network', pid: container.pid }
    const program = 'test "$(readlink /proc/self/ns/net)" = "$0" || { echo No such device >&2; exit 1; }'
    const namespace = host.run('readlink', `/proc/${container.pid}/ns/net`).trim()
    const there = { op: 'run_program' as const, candidates: shells, argv: ['sh', '-c', program] }
    const [, within, , here] = await host.attempt(
      { op: 'open', path: `/proc/${container.pid}/ns/net`, how: 'read', as: netns.slot },
      { ...there, argv: ['sh', '-c', program, namespace], netns },
      { op: 'nft', commands: table, netns },
      { ...there, argv: ['sh', '-c', program, namespace] },
    )
    assert.equal(within!.errno, undefined)
    assert.equal(here!.errno, 'ENODEV')
    assert.match(container.run('nft', 'list', 'ruleset'), /minictr-test/)
    assert.equal(host.run('nft', 'list', 'ruleset'), '')
    const [, refused] = await host.attempt(
      { op: 'open', path: `/proc/${container.pid}/ns/uts`, how: 'read', as: 'other' },
      { ...there, netns: { slot: 'other', pid: container.pid } },
    )
    assert.deepEqual([refused!.errno, String(refused!.data)], ['EINVAL', 'setns: Invalid argument'])
  }))

test('end_server ends what names the file, and nothing else that has the PID', async t => {
  const directory = temporaryDirectory(t)
  const pidFile = join(directory, 'server.pid')
  await inNetworks(async host => {
    const sleeper = (name: string) => {
      const child = spawn('sh', ['-c', 'echo $$ > "$1"; read x', 'sh', name])
      t.after(() => child.kill('SIGKILL'))
      return child
    }
    const end: Op = { op: 'end_server', pidFile, timeoutMs: 10_000 }
    await host.perform(end)

    const server = sleeper(pidFile)
    await until(
      () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'),
      'it has told its PID',
    )
    await host.perform(end)
    if (server.signalCode === null) await once(server, 'exit')
    assert.equal(server.signalCode, 'SIGKILL')
    assert.equal(existsSync(pidFile), false)

    const stranger = sleeper(join(directory, 'other'))
    writeFileSync(pidFile, `${stranger.pid}\n`)
    await host.perform(end)
    assert.equal(isThere(stranger.pid!), true)
    assert.equal(existsSync(pidFile), false)
  })
})
