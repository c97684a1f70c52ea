// What joins and leaves networks is shown as it is performed: `explain`, `--step`, `--timing` and `--trace` of network connect and
// disconnect. Who does not go on has a join taken back, and the rest of a leave done by the next command.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, before, describe, it } from 'node:test'
import { networkTraces } from '../e2e/network-traces.ts'
import { pidOf, unavailable, useNetworkedDebian } from '../e2e/networked.ts'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'

const debian = useNetworkedDebian()
const prompt = 'next continue quit sh look plan help > '

async function stepsOf(...words: string[]): Promise<string[]> {
  const text = await debian.done('explain', 'network', words[0]!, '--json', ...words.slice(1))
  return JSON.parse(text).steps.map(({ id }: { id: string }) => id)
}

/** The steps that --timing has told, in their order, each with its number. */
function toldIn(stderr: string): string[] {
  return [...stderr.matchAll(/^ +[\d.]+ {2} ?(\d+\/\d+) {2}(\S+) {2}(?:host|container)$/gm)].map(
    ([, number, id]) => `${number} ${id}`,
  )
}

const entering = ['lock-container', 'find-container', 'enter-network-namespace']
const joining = [...entering, 'claim-addresses', 'create-veth', 'leave-way-out', 'configure-links']
const connect = ['connect', '--gw-priority', '1', 'back', 'box']

const acts: { words: string[]; steps: string[] }[] = [
  {
    words: connect,
    steps: [
      ...[...joining, 'announce-name', 'start-resolver', 'redirect-names'],
      ...['withdraw-ports', 'hold-ports', 'forward-ports', 'rewrite-network-files', 'record-networks'],
    ],
  },
  {
    words: ['disconnect', 'back', 'box'],
    steps: [
      ...[...entering, 'withdraw-name', 'withdraw-ports', 'delete-link'],
      ...['end-resolver', 'stop-redirecting-names', 'hold-ports', 'forward-ports'],
      ...['release-addresses', 'rewrite-network-files', 'record-networks'],
    ],
  },
  {
    words: ['disconnect', 'town', 'box'],
    steps: [
      ...[...entering, 'withdraw-name', 'withdraw-ports', 'delete-link', 'release-addresses'],
      ...['rewrite-network-files', 'record-networks'],
    ],
  },
]

describe('joining and leaving a network', { skip: unavailable, timeout: 300_000 }, () => {
  before(async () => {
    if (unavailable) return
    await debian.done('network', 'create', '--subnet', '10.70.0.0/24', 'back')
    await debian.done('network', 'create', '--subnet', '10.71.0.0/24', 'town')
    for (const name of ['back', 'town'])
      await debian.done('run', '--rm', '--network', name, debian.store().image, 'true')
  })
  afterEach(async () => {
    await debian.minictr('rm', '-f', 'box')
  })

  const box = () => debian.container('box', '--network', 'town', '-p', '8080:80')
  const stepped = (...words: string[]): Session =>
    atTerminal([
      ...[...debian.host().entrance, executable, ...debian.store().globals],
      ...['network', words[0]!, '--step', ...words.slice(1)],
    ])

  /** Goes on until the step of this id is asked for. */
  async function upTo(session: Session, steps: string[], id: string): Promise<void> {
    for (const [index, each] of steps.entries()) {
      await session.see(`${index + 1}/${steps.length}  ${each} `)
      await session.see(prompt)
      if (each === id) return
      session.type('')
    }
  }

  it('is performed in the steps that explain shows', async () => {
    await box()
    for (const { words, steps } of acts) {
      const explained = await stepsOf(...words)
      assert.deepEqual(explained, steps)
      const { status, stderr } = await debian.minictr('network', words[0]!, '--timing', ...words.slice(1))
      assert.equal(status, 0, stderr)
      assert.deepEqual(
        toldIn(stderr),
        explained.map((id, index) => `${index + 1}/${explained.length} ${id}`),
      )
      assert.match(stderr, /from the start of minictr to the last step\n$/)
    }
  })

  it('is one write where the container does not run', async () => {
    await debian.done('create', '--name', 'box', debian.store().image, 'true')
    assert.deepEqual(await stepsOf(...connect), ['lock-container', 'record-networks'])
    assert.deepEqual(await stepsOf('disconnect', 'bridge', 'box'), ['lock-container', 'record-networks'])
    assert.match(
      await debian.done('explain', 'network', ...connect),
      /^One more network for a container, step by step\n.*All of them are performed on the host\./s,
    )
  })

  it('is shown as text, step by step, or one step alone', async () => {
    await box()
    const text = await debian.done('explain', 'network', ...connect)
    assert.match(text, /^network {4}back, bridge$/m)
    assert.match(
      text,
      /10 steps are performed on the host, the others by a process that\s+enters\s+the\s+container/,
    )
    const only = await debian.done(
      'explain',
      'network',
      'connect',
      '--only',
      'leave-way-out',
      ...connect.slice(1),
    )
    assert.match(only, /RTM_DELROUTE.*undo {2}rtnetlink\(RTM_NEWROUTE/s)
    assert.doesNotMatch(only, /configure-links/)
  })

  it('is undone by steps of their own at the end of the container', async () => {
    await box()
    await debian.done('network', ...connect)
    const told = await debian.done('explain', 'stop', '--json', 'box')
    const ids = (JSON.parse(told).steps as { id: string }[]).map(({ id }) => id)
    assert.deepEqual(ids, [...new Set(ids)])
    for (const id of ['undo-claim-addresses', 'undo-claim-addresses-2', 'undo-create-veth-2'])
      assert.ok(ids.includes(id), id)
    const { stderr } = await debian.minictr('stop', '--timing', '-t', '0', 'box')
    assert.deepEqual(
      toldIn(stderr),
      ids.map((id, index) => `${index + 1}/${ids.length} ${id}`),
    )
  })

  it('that cannot be is told as by the command itself', async () => {
    await box()
    const refused = (message: RegExp, ...words: string[]) =>
      debian.refused(message, 'explain', 'network', ...words)
    await refused(
      /^minictr: endpoint with name box already exists in network town\n/,
      'connect',
      'town',
      'box',
    )
    await refused(/ is not connected to network back\n/, 'disconnect', 'back', 'box')
    await refused(/^minictr: network nosuch not found\n/, 'connect', 'nosuch', 'box')
    await refused(/'minictr explain network connect' requires 2 arguments/, 'connect', 'box')
    await refused(/not by 'network ls'/, 'ls')
  })

  it('is traced, both sides of it', async () => {
    await box()
    const file = join(debian.store().root, 'trace.json')
    await debian.done('network', 'connect', '--trace', file, ...connect.slice(1))
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8'))
    const named = traceEvents.filter(({ cat }: { cat: string }) => cat === 'step')
    assert.deepEqual(
      named.map(({ name }: { name: string }) => name),
      acts[0]!.steps,
    )
  })

  it('asks before every step with --step', async () => {
    await box()
    for (const { words, steps } of acts.slice(0, 2)) {
      const session = stepped(...words)
      await upTo(session, steps, 'record-networks')
      session.type('look')
      await session.see(/process +\d+ here, 1 to itself, sleep/)
      await session.see('A shell inside')
      session.type('exit')
      await session.see(prompt)
      session.type('')
      const { status, text } = await session.end()
      assert.equal(status, 0, text)
    }
    assert.equal(await debian.inside('box', 'ls /sys/class/net'), 'eth0\nlo')
  })

  it('is taken back where somebody does not go on with a join, wherever that is', async () => {
    await box()
    const untouched = networkTraces(debian, 'box')
    for (const id of acts[0]!.steps) {
      const session = stepped(...connect)
      await upTo(session, acts[0]!.steps, id)
      session.type('quit')
      await session.see('what was done is undone now.')
      assert.equal((await session.end()).status, 0)
      assert.deepEqual(networkTraces(debian, 'box'), untouched, `before ${id}`)
    }
    await debian.done('network', ...connect)
    assert.match(await debian.inside('box', 'getent hosts box.back'), /^10\.70\.0\.2 /)
  })

  for (const driver of ['macvlan', 'ipvlan']) {
    it(`is taken back on the wire of the host: ${driver}`, async t => {
      const probe = ['link', 'add', 'minictr-probe', 'link', 'uplink', 'type', driver]
      if (debian.host().try('ip', probe).status !== 0) return t.skip(`this kernel has no ${driver}`)
      debian.host().ip('link delete minictr-probe')
      const subnet = ['--subnet', '192.0.2.0/24', '--gateway', '192.0.2.2', '--ip-range', '192.0.2.128/25']
      await debian.done('network', 'create', '-d', driver, '-o', 'parent=uplink', ...subnet, driver)
      await box()
      const untouched = networkTraces(debian, 'box')
      const words = ['connect', '--gw-priority', '1', driver, 'box']
      const steps = await stepsOf(...words)
      assert.ok(steps.includes('create-sublink'))
      const session = stepped(...words)
      await upTo(session, steps, 'record-networks')
      session.type('quit')
      assert.equal((await session.end()).status, 0)
      assert.deepEqual(networkTraces(debian, 'box'), untouched)
      await debian.done('network', ...words)
      assert.equal(await (await debian.beside('box')).ask('192.0.2.2'), '192.0.2.128')
      await debian.done('network', 'disconnect', driver, 'box')
      assert.deepEqual(networkTraces(debian, 'box'), untouched)
      await debian.done('network', 'rm', driver)
    })
  }

  it('is taken back where the kernel refuses a step of it, and says so', async () => {
    await box()
    const enter = ['--target', String(pidOf(debian.store(), 'box')), '--net', 'ip']
    debian.host().run('nsenter', [...enter, 'route', 'replace', 'default', 'via', '10.71.0.77'])
    const untouched = networkTraces(debian, 'box')
    const { status, stderr } = await debian.minictr('network', ...connect)
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^minictr: step 7\/15 \(configure-links\) failed: rtnetlink\(RTM_NEWROUTE.* = EEXIST\n/,
    )
    assert.match(stderr, /^Undone: configure-links, leave-way-out, create-veth, claim-addresses$/m)
    assert.deepEqual(networkTraces(debian, 'box'), untouched)
    await debian.done('ps')
    assert.deepEqual(networkTraces(debian, 'box'), untouched)
  })

  it('is done by the next command where somebody does not go on with a leave', async () => {
    const steps = acts[1]!.steps
    await box()
    const untouched = networkTraces(debian, 'box')
    for (const id of steps) {
      await debian.done('network', ...connect)
      const joined = networkTraces(debian, 'box')
      const session = stepped('disconnect', 'back', 'box')
      await upTo(session, steps, id)
      session.type('quit')
      const isBegun = steps.indexOf(id) > steps.indexOf('withdraw-name')
      await session.see(isBegun ? 'what was done stays so' : 'what was done is undone now.')
      assert.equal((await session.end()).status, 0)
      if (!isBegun) {
        await debian.done('ps')
        assert.deepEqual(networkTraces(debian, 'box'), joined, `before ${id}`)
        await debian.done('network', 'disconnect', 'back', 'box')
      } else if (id === 'delete-link') {
        await debian.refused(/ is not connected to network back\n/, 'network', 'disconnect', 'back', 'box')
      } else await debian.done('ps')
      assert.deepEqual(networkTraces(debian, 'box'), untouched, `before ${id}`)
    }
  })
})
