// Debian containers on a host of their own: a network namespace in which bridges, rules and servers may be made, with another
// host on the same wire. All of it goes with the processes that hold the namespaces.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  minictr,
  type Outcome,
  type RunOptions as ProcessOptions,
  type Running,
  startMinictr,
} from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { connect, Machine, missingTools } from '../networks/laboratory.ts'
import { assertNothingLeft, namesIn } from './debian.ts'

export const unavailable = missingTools('nft', 'dnsmasq')

/** What this file's tests have; usable inside tests. */
export type Networked = {
  store(): DebianStore
  /** Where minictr runs: 192.0.2.1 and 2001:db8::1. */
  host(): Machine
  /** Another host on the same wire: 192.0.2.2 and 2001:db8::2. Its port 80 tells who asks. */
  other(): Machine
  minictr(...args: string[]): Promise<Outcome>
  /** The same; fails where it does not succeed, or says something on standard error. Returns what it prints. */
  done(...args: string[]): Promise<string>
  /** The same, refused with this message. */
  refused(message: RegExp, ...args: string[]): Promise<void>
  start(args: string[], options?: ProcessOptions): Running
  /** A container in the background that sleeps; a server in it tells on port 80 who asks. Both end with the tests. */
  container(name: string, ...flags: string[]): Promise<Machine>
  /** The server in a container that runs. */
  beside(name: string): Promise<Machine>
  /** What a shell prints in a container that runs, without the last newline. */
  inside(name: string, script: string): Promise<string>
}

/** Makes host and store before the tests of this file; after them nothing may be left but what networks keep. */
export function useNetworkedDebian(pulled: () => Promise<DebianStore> = debianStore): Networked {
  let store: DebianStore | undefined
  let machines: Machine[] = []
  /** By the PIDs of the containers they stand beside. */
  const servers = new Map<number, Machine>()
  before(async () => {
    if (unavailable) return
    store = await pulled()
    machines = await Promise.all([Machine.start(), Machine.start()])
    const [host, other] = machines as [Machine, Machine]
    connect(host, 'uplink', other, 'eth0')
    host.ip(`address add 192.0.2.1/24 dev uplink
      address add 2001:db8::1/64 dev uplink nodad
      route add default via 192.0.2.2`)
    other.ip(`address add 192.0.2.2/24 dev eth0
      address add 2001:db8::2/64 dev eth0 nodad`)
  })
  after(async () => {
    await Promise.all([...servers.values()].map(server => server.stop()))
    try {
      if (store) {
        for (const id of namesIn(join(store.root, 'containers')))
          await networked.minictr('rm', '-f', '-v', id)
        await assertNothingLeft(store)
        await removeNetworks()
      }
    } finally {
      await Promise.all(machines.map(machine => machine.stop()))
      store?.remove()
    }
  })
  const ready = () => store ?? assert.fail('the store is there only while tests run')
  /** The DNS servers would outlive the namespace. */
  async function removeNetworks(): Promise<void> {
    await networked.done('network', 'prune', '-f')
    assert.deepEqual(namesIn(join(ready().root, 'networks/names')), [])
  }
  const networked: Networked = {
    store: ready,
    host: () => machines[0]!,
    other: () => machines[1]!,
    minictr: (...args) => minictr([...ready().globals, ...args], { within: machines[0]!.entrance }),
    start: (args, options) =>
      startMinictr([...ready().globals, ...args], { ...options, within: machines[0]!.entrance }),
    async done(...args) {
      const { status, stdout, stderr } = await networked.minictr(...args)
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
      return stdout
    },
    async refused(message, ...args) {
      const { status, stdout, stderr } = await networked.minictr(...args)
      assert.match(stderr, message)
      assert.notEqual(status, 0)
      assert.equal(stdout, '')
    },
    async container(name, ...flags) {
      await networked.done('run', '-d', '--name', name, ...flags, ready().image, 'sleep', '1000')
      return await networked.beside(name)
    },
    async beside(name) {
      const pid = pidOf(ready(), name)
      const server = servers.get(pid) ?? (await Machine.beside(pid))
      servers.set(pid, server)
      return server
    },
    async inside(name, script) {
      return (await networked.done('exec', name, 'sh', '-c', script)).replace(/\n$/, '')
    },
  }
  return networked
}

/** The PID of a container that runs, as the host sees it. */
export function pidOf({ root, runRoot }: DebianStore, name: string): number {
  const id = readFileSync(join(root, 'names', name), 'utf8')
  return JSON.parse(readFileSync(join(runRoot, id, 'state.json'), 'utf8')).pid
}

/** Waits until it is so: what the kernel does in the background takes it some time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isSo()); attempt++) {
    assert.ok(attempt < 500, `${what} does not become so`)
    await sleep(20)
  }
}

/** Whether the kernel has the setting at all. */
export function hasSetting(path: string): boolean {
  return existsSync(`/proc/sys/net/${path}`)
}
