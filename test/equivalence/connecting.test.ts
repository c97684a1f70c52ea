// One plan of joining and leaving a network, two ways: what network connect and disconnect do, their scripts do as well.

import assert from 'node:assert/strict'
import { afterEach, before, describe, it } from 'node:test'
import { networkTraces } from '../e2e/network-traces.ts'
import { pidOf, unavailable, useNetworkedDebian } from '../e2e/networked.ts'

const debian = useNetworkedDebian()

/** Performs a command: by minictr, or by a shell from the script that minictr writes. */
type Performer = (...words: string[]) => Promise<void>

const byMinictr: Performer = async (...words) => {
  assert.equal(await debian.done(...words), '')
}

const byScript =
  (shell: string): Performer =>
  async (...words) => {
    const script = await debian.done('script', ...words)
    const { status, stdout, stderr } = debian.host().try(shell, [], script)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' }, script)
  }

const box = async (...flags: string[]) => {
  const program = [debian.store().image, 'sleep', '1000']
  await debian.done('run', '-d', '--name', 'box', '--hostname', 'box', ...flags, ...program)
}

describe('joining and leaving by a script', { skip: unavailable, timeout: 300_000 }, () => {
  before(async () => {
    if (unavailable) return
    await debian.done('network', 'create', '--subnet', '10.60.0.0/24', '--ipv6', 'back')
    await debian.done('network', 'create', '--subnet', '10.61.0.0/24', 'town')
    // The bridges of later plans are there.
    for (const name of ['back', 'town'])
      await debian.done('run', '--rm', '--network', name, debian.store().image, 'true')
  })
  afterEach(async () => {
    for (const name of ['back', 'town']) await debian.minictr('network', 'disconnect', name, 'box')
    await debian.minictr('rm', '-f', 'box')
  })

  const cases: { title: string; flags: string[]; connect: string[]; disconnect: string[] }[] = [
    {
      title: 'a network that is the way out from then on',
      flags: [],
      connect: ['--alias', 'shop', '--ip', '10.60.0.9', '--gw-priority', '1', 'back', 'box'],
      disconnect: ['back', 'box'],
    },
    {
      title: 'one that is not',
      flags: ['--network', 'town'],
      connect: ['--gw-priority', '-1', 'back', 'box'],
      disconnect: ['back', 'box'],
    },
    {
      title: 'the one that ports lead to it by',
      flags: ['--network', 'town', '-p', '8080:80'],
      connect: ['back', 'box'],
      disconnect: ['town', 'box'],
    },
  ]
  for (const { title, flags, connect, disconnect } of cases) {
    it(`leaves the same as by minictr: ${title}`, async () => {
      const outcomes = []
      for (const performer of [byMinictr, byScript('sh'), byScript('bash')]) {
        await box(...flags)
        const seen = [networkTraces(debian, 'box')]
        await performer('network', 'connect', ...connect)
        seen.push(networkTraces(debian, 'box'))
        assert.match(await debian.inside('box', 'getent hosts box.back'), /box\.back$/)
        await performer('network', 'disconnect', ...disconnect)
        seen.push(networkTraces(debian, 'box'))
        outcomes.push(seen)
        for (const name of ['back', 'town']) await debian.minictr('network', 'disconnect', name, 'box')
        await debian.done('rm', '-f', 'box')
      }
      assert.notDeepEqual(outcomes[0]![1], outcomes[0]![0])
      assert.notDeepEqual(outcomes[0]![2], outcomes[0]![1])
      assert.deepEqual(outcomes[1], outcomes[0])
      assert.deepEqual(outcomes[2], outcomes[0])
    })
  }

  it('leaves the same as by minictr: a container that does not run', async () => {
    const outcomes = []
    for (const performer of [byMinictr, byScript('sh'), byScript('bash')]) {
      await debian.done('create', '--name', 'box', '--hostname', 'box', debian.store().image, 'true')
      await performer('network', 'connect', '--alias', 'shop', 'back', 'box')
      const joined = networkTraces(debian, 'box')
      await performer('network', 'disconnect', 'bridge', 'box')
      outcomes.push([joined, networkTraces(debian, 'box')])
      await debian.done('rm', 'box')
    }
    assert.deepEqual(outcomes[1], outcomes[0])
    assert.deepEqual(outcomes[2], outcomes[0])
  })

  it('puts back what was there before where a command fails', async () => {
    await box('--network', 'town')
    const untouched = networkTraces(debian, 'box')
    const connect = ['network', 'connect', '--gw-priority', '1', 'back', 'box']
    const script = await debian.done('script', ...connect)
    const broken = script.replace(/^mv -T .*container\.json$/m, 'false')
    assert.notEqual(broken, script)
    for (const shell of ['sh', 'bash']) {
      assert.notEqual(debian.host().try(shell, [], broken).status, 0)
      assert.deepEqual(networkTraces(debian, 'box'), untouched)
    }
    await byScript('sh')(...connect)
    const disconnect = await debian.done('script', 'network', 'disconnect', 'back', 'box')
    const stale = disconnect.replace(/-f 20\)" = \d+ \]/, '-f 20)" = 1 ]')
    assert.notEqual(stale, disconnect)
    const joined = networkTraces(debian, 'box')
    const { status, stderr } = debian.host().try('sh', [], stale)
    assert.equal(status, 1)
    assert.match(
      stderr,
      new RegExp(`^PID ${pidOf(debian.store(), 'box')} is another process by now, or none\n$`),
    )
    assert.deepEqual(networkTraces(debian, 'box'), joined)
  })

  it('waits for whoever has the container', async () => {
    await box('--network', 'town')
    const untouched = networkTraces(debian, 'box')
    const script = await debian.done('script', 'network', 'connect', 'back', 'box')
    const id = /^ID=(.*)$/m.exec(script)![1]!
    const busy = script.replace('flock -w 10 9', 'flock -w 0 9')
    assert.notEqual(busy, script)
    const held = ['-x', `${debian.store().root}/containers/${id}/lock`, 'sh', '-c', busy]
    assert.notEqual(debian.host().try('flock', held).status, 0)
    assert.deepEqual(networkTraces(debian, 'box'), untouched)
  })
})
