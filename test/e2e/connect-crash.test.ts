// Killed with SIGKILL before each step of joining a network and of leaving one, minictr alone or all of its processes: the next
// command takes a join back and goes on with a leave; the container runs on, and can be reached as before.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { commandsWith, family, killIfThere, textOf } from '../fixtures/victims.ts'
import type { Machine } from '../networks/laboratory.ts'
import { networkTraces } from './network-traces.ts'
import { unavailable, until, useNetworkedDebian } from './networked.ts'

const debian = useNetworkedDebian()
const prompt = 'next continue quit sh look plan help > '
const victims = ['minictr', 'all of its processes']
const connect = ['connect', '--gw-priority', '1', '--alias', 'www', 'town', 'box']
const disconnect = ['disconnect', 'town', 'box']

async function stepsOf(...words: string[]): Promise<string[]> {
  const text = await debian.done('explain', 'network', words[0]!, '--json', ...words.slice(1))
  return JSON.parse(text).steps.map(({ id }: { id: string }) => id)
}

/** The command as it waits before its step of this id, and then is killed. */
async function killedBefore(id: string, steps: string[], words: string[], whom: string): Promise<void> {
  const session = await waiting(id, steps, words)
  const own = commandsWith(debian.store().root, '--step')
  assert.ok(own.length > 0, 'the command is to be found')
  for (const pid of whom === 'minictr' ? own : family(own[0]!)) killIfThere(pid)
  await session.end()
}

async function waiting(id: string, steps: string[], words: string[]): Promise<Session> {
  const command = ['network', words[0]!, '--step', ...words.slice(1)]
  const session = atTerminal([
    ...[...debian.host().entrance, executable, ...debian.store().globals],
    ...command,
  ])
  for (let at = 0; at < steps.indexOf(id); at++) {
    await session.see(prompt)
    session.type('')
  }
  await session.see(`  ${id} `)
  await session.see(prompt)
  return session
}

/** The bridge of `town`, which stays for the next container. */
function townBridge(): string {
  return `minictr${readFileSync(join(debian.store().root, 'networks/names/town'), 'utf8').slice(0, 8)}`
}

const town = ['network', 'create', '--subnet', '10.80.0.0/24', '--ipv6', 'town']

describe('SIGKILL to who joins a network', { skip: unavailable, timeout: 900_000 }, () => {
  let neighbour: Machine
  const box = () =>
    debian.container('box', '--network', 'back', '--hostname', 'box', '-p', '8080:80', '--dns', '192.0.2.9')

  before(async () => {
    if (unavailable) return
    debian.host().sysctl({ 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 })
    await debian.done('network', 'create', '--subnet', '10.81.0.0/24', 'back')
    neighbour = await debian.container('neighbour', '--network', 'back', '--ip', '10.81.0.99')
    await debian.done(...town)
  })
  afterEach(async () => {
    const { stderr } = await debian.minictr('rm', '-f', 'box')
    assert.doesNotMatch(stderr, /Not cleaned up/)
  })

  for (const whom of victims) {
    it(`before any step of it, ${whom}: the next command takes it back`, async () => {
      const machine = await box()
      const traces = () => networkTraces(debian, 'box', [townBridge()])
      // The bridge and the server of the network are yet to be made.
      const steps = await stepsOf(...connect)
      for (const id of [
        'load-packet-filter',
        'create-bridge',
        'start-name-server',
        'create-veth',
        'leave-way-out',
        'restart-resolver',
        'withdraw-ports',
        'hold-ports',
      ])
        assert.ok(steps.includes(id), steps.join(' '))
      for (const id of steps) {
        const untouched = traces()
        await killedBefore(id, steps, connect, whom)
        assert.equal(await debian.done('system', 'recover'), '', `before ${id}`)
        assert.deepEqual(traces(), untouched, `before ${id}`)
        assert.equal(await machine.ask('10.81.0.99'), '10.81.0.2', 'its first network is there')
        assert.equal(await machine.ask('192.0.2.2'), '192.0.2.1', 'and its way out')
        assert.equal(await neighbour.ask('10.81.0.2'), '10.81.0.99')
        assert.deepEqual(await machine.resolve('neighbour', 'A', '127.0.0.11'), ['10.81.0.99'])
        assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2', 'and its ports')
        assert.equal(await debian.host().ask('127.0.0.1', 8080), '10.81.0.1', 'those who relay as well')
        // What was half made is no hindrance.
        await debian.done('network', ...connect)
        assert.match(
          await debian.inside('box', 'getent hosts www.town; ls /sys/class/net'),
          /www\.town\neth0\neth1\nlo$/,
        )
        assert.equal(await machine.ask('192.0.2.2'), '192.0.2.1')
        await debian.done('network', ...disconnect)
        assert.deepEqual(traces(), untouched, `after the one before ${id}`)
        await debian.done('network', 'rm', 'town')
        await debian.done(...town)
      }
    })
  }

  it('has who waits for the lock take it back first', async () => {
    await debian.done('network', 'create', '--subnet', '10.82.0.0/24', 'side')
    await box()
    const steps = await stepsOf(...connect)
    const session = await waiting('record-networks', steps, connect)
    const [first] = commandsWith(debian.store().root, '--step')
    const next = debian.start(['network', 'connect', 'side', 'box'])
    // It has looked what there is, and tries again and again to get the lock.
    await sleep(1500)
    for (const pid of family(first!)) killIfThere(pid)
    await session.end()

    const { status, stderr } = await next.outcome

    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    assert.equal(await debian.inside('box', 'ls /sys/class/net'), 'eth0\neth1\nlo')
    assert.doesNotMatch(await debian.inside('box', 'cat /etc/hosts'), /10\.80\./)
    assert.match(await debian.inside('box', 'getent ahostsv4 box.side'), /^10\.82\.0\.2 /)
    assert.equal(await debian.done('system', 'recover'), '')
    assert.match(await debian.inside('box', 'getent ahostsv4 box.side'), /^10\.82\.0\.2 /)
    await debian.done('network', 'disconnect', 'side', 'box')
    await debian.done('network', 'rm', 'side')
  })

  it('is undone by the end of the container too', async () => {
    await box()
    const steps = await stepsOf(...connect)
    await killedBefore('record-networks', steps, connect, 'all of its processes')
    const pid = JSON.parse(textOf(join(debian.store().runRoot, idOf('box'), 'state.json'))).pid as number
    killIfThere(pid)
    await until(
      'the run is undone',
      () => textOf(join(debian.store().runRoot, idOf('box'), 'journal')) === '',
    )
    await debian.done('start', 'box')
    assert.equal(await debian.inside('box', 'ls /sys/class/net'), 'eth0\nlo')
    await debian.done('rm', '-f', 'box')
    await until('its links go', () => !/mctr/.test(links().replaceAll(linkOf('neighbour'), '')))
    await debian.done('network', 'rm', 'town')
    await debian.done(...town)
  })

  it('at any moment leaves the container in the network or not, and nothing between', async () => {
    const machine = await box()
    const traces = () => networkTraces(debian, 'box', [townBridge()])
    const apart = traces()
    const words = connect.slice(1)
    await debian.done('network', 'connect', ...words)
    const joined = traces()
    await debian.done('network', ...disconnect)
    const seen = new Set<boolean>()
    for (let delayMs = 70; delayMs < 190; delayMs += 8) {
      for (const act of [['connect', ...words], disconnect]) {
        const { child, outcome } = debian.start(['network', ...act])
        await sleep(delayMs)
        for (const pid of family(child.pid!)) killIfThere(pid)
        await outcome
        assert.equal(await debian.done('system', 'recover'), '')
        const isIn = JSON.stringify(traces()) === JSON.stringify(joined)
        assert.deepEqual(traces(), isIn ? joined : apart, `${act[0]}, killed after ${delayMs} ms`)
        assert.equal(await machine.ask('192.0.2.2'), '192.0.2.1')
        seen.add(isIn)
        if (isIn && act === disconnect) await debian.done('network', ...disconnect)
        if (!isIn && act !== disconnect) await debian.done('network', 'connect', ...words)
      }
    }
    assert.deepEqual([...seen].sort(), [false, true])
  })

  it('does not disturb one that is going on', async () => {
    await box()
    const steps = await stepsOf(...connect)
    const session = await waiting('announce-name', steps, connect)
    assert.equal(await debian.done('system', 'recover'), '')
    await debian.done('ps')
    session.type('continue')
    assert.equal((await session.end()).status, 0)
    assert.match(await debian.inside('box', 'getent hosts www.town'), /www\.town$/)
  })
})

describe('SIGKILL to who leaves a network', { skip: unavailable, timeout: 900_000 }, () => {
  const flags = [
    '--network',
    'name=town,gw-priority=1',
    '--network',
    'back',
    '-p',
    '8080:80',
    '--hostname',
    'box',
  ]

  for (const whom of victims) {
    it(`before any step of it, ${whom}: the next command goes on with it`, async () => {
      const box = () => debian.container('box', ...flags)
      await box()
      const steps = await stepsOf(...disconnect)
      for (const id of [
        'withdraw-name',
        'withdraw-ports',
        'delete-link',
        'end-resolver',
        'hold-ports',
        'rewrite-network-files',
      ])
        assert.ok(steps.includes(id), steps.join(' '))
      await debian.done('network', ...disconnect)
      const left = networkTraces(debian, 'box')
      await debian.done('rm', '-f', 'box')
      for (const [index, id] of steps.entries()) {
        const machine = await box()
        const joined = networkTraces(debian, 'box')
        await killedBefore(id, steps, disconnect, whom)
        if (index % 2 === 0) assert.equal(await debian.done('system', 'recover'), '', `before ${id}`)
        else await debian.refused(/ is not connected to network town\n/, 'network', ...disconnect)
        // Without the lock nothing has begun.
        assert.deepEqual(networkTraces(debian, 'box'), index === 0 ? joined : left, `before ${id}`)
        assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2', 'by whichever of them')
        assert.equal(await machine.ask('10.81.0.99'), '10.81.0.2', 'its other network is there')
        assert.equal(await machine.ask('192.0.2.2'), '192.0.2.1', 'and a way out')
        if (index > 0) await debian.done('network', 'connect', 'town', 'box')
        assert.match(await debian.inside('box', 'getent hosts box.town'), /box\.town$/)
        await debian.done('rm', '-f', 'box')
      }
    })
  }
})

const idOf = (name: string) => readFileSync(join(debian.store().root, 'names', name), 'utf8')
const links = () => debian.host().run('ip', ['-o', 'link'])

/** The host's end of a container's pair. */
function linkOf(name: string): RegExp {
  return new RegExp(`mctr${idOf(name).slice(0, 6)}\\w+`, 'g')
}
