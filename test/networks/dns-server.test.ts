// The DNS server of a network, a real dnsmasq: containers come and go while it runs, and are known at once.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dnsRecord, dnsServerCommand } from '../../src/networks/dns-server.ts'
import { Machine, missingTools } from './laboratory.ts'

describe('the DNS server of a network', { skip: missingTools('dnsmasq'), timeout: 60_000 }, () => {
  let host: Machine
  let directory = ''
  const servers: ChildProcess[] = []

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'minictr-dns-'))
    // dnsmasq reads as nobody.
    mkdirSync(`${directory}/hosts`, { mode: 0o755 })
    chmodSync(directory, 0o711)
    host = await Machine.start()
    host.ip(`link add minictr0 type bridge
      address add 172.18.0.1/16 dev minictr0
      address add fd00:18::1/64 dev minictr0 nodad
      link set minictr0 up`)
    writeFileSync(`${directory}/resolv.conf`, 'nameserver 127.0.0.53\n')
    // The resolver of the host, at the address where systemd-resolved has one.
    start(
      ...[
        'dnsmasq',
        '--keep-in-foreground',
        '--conf-file=/dev/null',
        '--no-hosts',
        '--no-resolv',
        '--pid-file',
      ],
      ...['--listen-address=127.0.0.53', '--bind-interfaces', '--user=nobody'],
      ...['--host-record=example.org,9.9.9.9', '--local=/back/'],
    )
    start(
      ...(dnsServerCommand({
        networkNames: ['front'],
        addresses: ['172.18.0.1', 'fd00:18::1'],
        hostsDirectories: [`${directory}/hosts`],
        upstream: { resolverFile: `${directory}/resolv.conf` },
        pidFile: `${directory}/pid`,
      }) as [string]),
      // In a test it ends with who has started it.
      '--keep-in-foreground',
    )
    await until(() => host.resolve('example.org', 'A'), ['9.9.9.9'])
  })

  after(async () => {
    for (const server of servers) server.kill()
    await host?.stop()
    rmSync(directory, { recursive: true })
  })

  function start(program: string, ...args: string[]): void {
    const words = ['--net', '--target', String(host.pid), program, ...args]
    servers.push(spawn('nsenter', words, { stdio: ['ignore', 'ignore', 'inherit'] }))
  }

  /** A container comes, or is called otherwise from now on. */
  function write(name: string, aliases: string[], addresses: string[]): void {
    const named = { containerId: `${name}0000`.padEnd(64, '0'), containerName: name, hostname: name, aliases }
    writeFileSync(`${directory}/hosts/.${name}`, dnsRecord(named, 'front', addresses))
    renameSync(`${directory}/hosts/.${name}`, `${directory}/hosts/${name}`)
  }

  it('asks the resolvers of the host for names that are no containers', async () => {
    assert.deepEqual(await host.resolve('example.org', 'A'), ['9.9.9.9'])
    assert.equal(await host.resolve('nobody', 'A'), 'ENOTFOUND')
  })

  it('knows a container as soon as it is there, by all of its names', async () => {
    write('web', ['www'], ['172.18.0.2'])
    await until(() => host.resolve('web', 'A'), ['172.18.0.2'])
    for (const name of ['www', 'web.front', 'www.front', 'web000000000']) {
      assert.deepEqual(await host.resolve(name, 'A'), ['172.18.0.2'], name)
    }
    assert.deepEqual(await host.resolve('172.18.0.2', 'PTR'), ['web.front'])
  })

  it('says that a container without IPv6 has none, and asks nobody else', async () => {
    assert.equal(await host.resolve('web', 'AAAA'), 'ENODATA')
    assert.equal(await host.resolve('web.front', 'AAAA'), 'ENODATA')
  })

  it('answers with all that have an alias in common, another one first each time', async () => {
    write('web2', ['www'], ['172.18.0.3', 'fd00:18::3'])
    await until(async () => sorted(await host.resolve('www', 'A')), ['172.18.0.2', '172.18.0.3'])
    const first = await Promise.all(
      Array.from({ length: 4 }, async () => (await host.resolve('www', 'A', '172.18.0.1'))[0]),
    )
    assert.deepEqual([...new Set(first)].sort(), ['172.18.0.2', '172.18.0.3'])
    assert.deepEqual(await host.resolve('web2', 'AAAA', 'fd00:18::1'), ['fd00:18::3'])
  })

  it('forgets names that are given up, and containers that go', async () => {
    write('web2', [], ['172.18.0.4'])
    await until(() => host.resolve('www', 'A'), ['172.18.0.2'])
    assert.deepEqual(await host.resolve('web2', 'A'), ['172.18.0.4'])
    assert.equal(await host.resolve('web2', 'AAAA'), 'ENODATA')
    rmSync(`${directory}/hosts/web`)
    await until(() => host.resolve('web', 'A'), 'ENOTFOUND')
    assert.equal(await host.resolve('www', 'A'), 'ENOTFOUND')
  })

  it('takes up other resolvers of the host', async () => {
    writeFileSync(`${directory}/.resolv.conf`, '# none\n')
    renameSync(`${directory}/.resolv.conf`, `${directory}/resolv.conf`)
    await until(() => host.resolve('example.org', 'A'), 'EREFUSED')
    assert.deepEqual(await host.resolve('web2', 'A'), ['172.18.0.4'])
  })
})

function sorted(answer: string[] | string): string[] | string {
  return typeof answer === 'string' ? answer : answer.toSorted()
}

/** Asks until the answer is the one that will come: how long a change takes is the machine's matter. */
async function until(ask: () => Promise<string[] | string>, wanted: string[] | string): Promise<void> {
  const deadline = Date.now() + 10_000
  let answer = await ask()
  while (JSON.stringify(answer) !== JSON.stringify(wanted) && Date.now() < deadline) {
    await sleep(20)
    answer = await ask()
  }
  assert.deepEqual(answer, wanted)
}
