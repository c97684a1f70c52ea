// A stop that was planned when the container was started: performed by the helper alone, and leaving all as Node's own does.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { hostFacts } from '../../src/system/host-facts.ts'
import { type Outcome, startMinictr } from '../fixtures/command-line.ts'
import { killIfThere, processesWith } from '../fixtures/victims.ts'
import { useDebian } from './debian.ts'
import { unavailable, useNetworkedDebian } from './networked.ts'
import { needsNode, withoutNode } from './without-node.ts'

const debian = useDebian()
/** Ends with this status when it is asked to. */
const obedient = (status: number) => ['sh', '-c', `trap "exit ${status}" TERM; echo ready; sleep 1000 & wait`]

function stopped(name: string): Outcome {
  return { status: 0, stdout: `${name}\n`, stderr: '' }
}

async function done(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
  return stdout.trim()
}

/** A container in the background, whose program has said that it is ready. */
async function start(name: string, flags: string[] = [], command: string[] = obedient(3)): Promise<string> {
  const id = await done('run', '--detach', '--name', name, ...flags, debian.store().image, ...command)
  await ready(name)
  return id
}

async function ready(name: string): Promise<void> {
  const { startedAt } = JSON.parse(
    await done('inspect', '--format', '{"startedAt": {{json .State.StartedAt}}}', name),
  )
  while (!(await done('logs', '--since', startedAt, name)).includes('ready')) await sleep(20)
}

async function eventsOf(name: string, from: string): Promise<Record<string, unknown>[]> {
  const range = ['--since', from, '--until', '0s', '--filter', `container=${name}`, '--format', 'json']
  return (await done('events', ...range))
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const { time: _, timeNano: __, ...event } = JSON.parse(line)
      return event
    })
}

/** What is known of a container, but for the times. */
async function stateOf(name: string): Promise<unknown> {
  const [{ State, ...all }] = JSON.parse(await done('inspect', name))
  const { StartedAt: _, FinishedAt: __, ...state } = State
  return { ...all, State: state }
}

/** The directories of a container's cgroups. */
function cgroupsOf(id: string): string[] {
  return hostFacts()
    .cgroups.map(({ mountPoint }) => `${mountPoint}/minictr/${id}`)
    .filter(directory => existsSync(directory))
}

describe('a stop that was planned', () => {
  after(() => debian.removeContainers())

  it('needs no Node, and leaves what Node’s own leaves', async () => {
    const store = debian.store()
    const id = await start('obeys', ['--label', 'colour=blue "and" <green>'])
    const begun = String(Date.now() / 1000)
    assert.deepEqual(withoutNode(store, ['stop', 'obeys']), stopped('obeys'))
    const [state, events] = [await stateOf('obeys'), await eventsOf('obeys', begun)]
    assert.deepEqual(cgroupsOf(id), [])
    const left = readdirSync(store.runRoot)
    const files = readdirSync(join(store.root, 'containers', id)).sort()
    assert.ok(!left.includes(id))

    await done('start', 'obeys')
    await ready('obeys')
    const again = String(Date.now() / 1000)
    await done('stop', '--time', '10', 'obeys') // a flag, which alone makes Node plan anew
    assert.deepEqual(state, await stateOf('obeys'))
    assert.deepEqual(events, await eventsOf('obeys', again))
    assert.deepEqual(
      events.map(({ Action }) => Action),
      ['kill', 'die', 'stop'],
    )
    assert.deepEqual(left, readdirSync(store.runRoot))
    assert.deepEqual(files, readdirSync(join(store.root, 'containers', id)).sort())
    assert.equal(await done('ps', '--all', '--format', '{{.Names}}', '--filter', 'exited=3'), 'obeys')
  })

  it('is planned at each start', async () => {
    const store = debian.store()
    for (const status of [1, 2]) {
      await done('start', 'obeys')
      await ready('obeys')
      assert.deepEqual(withoutNode(store, ['stop', 'obeys']), stopped('obeys'), `time ${status}`)
    }
    await done('restart', 'obeys')
    await ready('obeys')
    assert.deepEqual(withoutNode(store, ['stop', 'obeys']), stopped('obeys'))
  })

  it('goes by id as well, and prints what it was given', async () => {
    const id = await done('start', 'obeys').then(() => done('inspect', '--format', '{{.Id}}', 'obeys'))
    await ready('obeys')
    assert.deepEqual(withoutNode(debian.store(), ['stop', id.slice(0, 12)]), needsNode)
    assert.deepEqual(withoutNode(debian.store(), ['stop', id]), stopped(id))
  })

  it('sends the signal that the container wants', async () => {
    const command = ['sh', '-c', 'trap "exit 5" USR1; echo ready; sleep 1000 & wait']
    await start('wants', ['--stop-signal', 'USR1'], command)
    assert.deepEqual(withoutNode(debian.store(), ['stop', 'wants']), stopped('wants'))
    assert.equal(await done('inspect', '--format', '{{.State.ExitCode}}', 'wants'), '5')
  })

  it('has Node kill what does not end', async () => {
    await start('stays', ['--stop-timeout', '1'], ['sh', '-c', 'trap "" TERM; echo ready; sleep 1000'])
    const begun = String(Date.now() / 1000)
    assert.deepEqual(withoutNode(debian.store(), ['stop', 'stays']), needsNode) // after a second
    assert.equal(await done('inspect', '--format', '{{.State.Running}}', 'stays'), 'true')
    await done('stop', 'stays')
    assert.equal(await done('inspect', '--format', '{{.State.ExitCode}}', 'stays'), '137')
    const events = await eventsOf('stays', begun)
    const signals = events.map(event => {
      const { Action, Actor } = event as { Action: string; Actor: { Attributes: Record<string, string> } }
      return `${Action} ${Actor.Attributes.signal ?? Actor.Attributes.exitCode ?? ''}`.trim()
    })
    assert.deepEqual(signals, ['kill 15', 'kill 15', 'kill 9', 'die 137', 'stop'])
  })

  it('is not planned where the end asks for more', async () => {
    for (const flags of [
      ['--rm'],
      ['--restart', 'always'],
      ['--health-cmd', 'true'],
      ['--stop-signal', 'KILL'],
    ]) {
      const id = await start('more', flags)
      assert.ok(!existsSync(join(debian.store().runRoot, id, 'stop.kept')), flags.join(' '))
      assert.deepEqual(withoutNode(debian.store(), ['stop', 'more']), needsNode)
      await debian.minictr('rm', '--force', 'more')
    }
  })

  it('is not believed where something has changed', async () => {
    const store = debian.store()
    await start('changes')
    for (const words of [
      ['-t', '1', 'changes'],
      ['changes', 'obeys'],
      ['nobody'],
      ['-s', 'KILL', 'changes'],
      [],
    ])
      assert.deepEqual(withoutNode(store, ['stop', ...words]), needsNode, words.join(' '))
    await done('pause', 'changes')
    assert.deepEqual(withoutNode(store, ['stop', 'changes']), needsNode)
    await done('unpause', 'changes')
    await done('rename', 'changes', 'changed')
    assert.deepEqual(withoutNode(store, ['stop', 'changes']), needsNode)
    assert.deepEqual(withoutNode(store, ['stop', 'changed']), needsNode)
    assert.equal(await done('inspect', '--format', '{{.State.Running}}', 'changed'), 'true')
    await done('stop', 'changed')
    await done('start', 'changed')
    await ready('changed')
    await done('update', '--restart', 'always', 'changed')
    assert.deepEqual(withoutNode(store, ['stop', 'changed']), needsNode)
    await done('stop', 'changed')
    assert.deepEqual(withoutNode(store, ['stop', 'changed']), needsNode) // it does not run
  })

  it('is not believed where it is not whole', async () => {
    const store = debian.store()
    const kept = join(store.runRoot, await start('torn'), 'stop.kept')
    const whole = readFileSync(kept)
    for (let length = 0; length < whole.length; length += 97) {
      writeFileSync(kept, whole.subarray(0, length))
      assert.deepEqual(withoutNode(store, ['stop', 'torn']), needsNode, `${length} bytes of it`)
    }
    assert.equal(await done('inspect', '--format', '{{.State.Running}}', 'torn'), 'true')
    writeFileSync(kept, whole)
    assert.deepEqual(withoutNode(store, ['stop', 'torn']), stopped('torn'))
  })

  it('leaves an end that nobody has seen to Node', async () => {
    const id = await start('unseen')
    const [monitor] = processesWith(
      args => args[0]!.endsWith('minictr-helper') && args[1] === 'monitor',
    ).filter(pid =>
      readFileSync(join(debian.store().runRoot, id, 'journal'), 'utf8').includes(`"pid":${pid},`),
    )
    killIfThere(monitor!)
    assert.deepEqual(withoutNode(debian.store(), ['stop', 'unseen']), needsNode)
    await debian.minictr('stop', 'unseen')
    assert.match(await done('ps', '--all', '--filter', 'name=unseen', '--format', '{{.Status}}'), /^Exited/)
  })

  it('happens once, however many ask for it', async () => {
    const id = await start('often')
    const begun = String(Date.now() / 1000)
    const { globals } = debian.store()
    const all = Array.from({ length: 8 }, () => startMinictr([...globals, 'stop', 'often']).outcome)
    for (const outcome of await Promise.all(all)) assert.deepEqual(outcome, stopped('often'))
    const deaths = (await eventsOf('often', begun)).filter(({ Action }) => Action === 'die')
    assert.equal(deaths.length, 1)
    assert.deepEqual(cgroupsOf(id), [])
    assert.equal(await done('inspect', '--format', '{{.State.ExitCode}}', 'often'), '3')
  })

  it('can be killed at any moment, and the next command sees the truth', { timeout: 120_000 }, async () => {
    const { globals, runRoot } = debian.store()
    const id = await start('cut')
    for (let round = 0; round < 8; round++) {
      const running = startMinictr([...globals, 'stop', 'cut'])
      await sleep(2 * round)
      for (const pid of processesWith(args => args.includes('stop') && args.includes('cut'))) killIfThere(pid)
      await running.outcome
      await done('stop', 'cut')
      assert.match(
        await done('ps', '--all', '--filter', 'name=cut', '--format', '{{.Status}}'),
        /^Exited \(3\)/,
      )
      // Where the monitor has begun to clean up, it may have yet to end.
      while (existsSync(join(runRoot, id)) || cgroupsOf(id).length > 0) await sleep(20)
      await done('start', 'cut')
      await ready('cut')
    }
  })
})

describe('a stop that was planned, in networks', { skip: unavailable }, () => {
  const networked = useNetworkedDebian()
  before(async () => {
    if (unavailable) return
    await networked.done('network', 'create', '--subnet', '10.77.0.0/24', 'inner')
  })

  it('leaves them as Node’s own does', async () => {
    const store = networked.store()
    const within = networked.host().entrance
    const flags = ['--network', 'inner', '--ip', '10.77.0.9', '-p', '8080:80']
    const run = ['run', '-d', '--name', 'web', ...flags, store.image, ...obedient(0)]
    await networked.done(...run)
    const begun = String(Date.now() / 1000)
    assert.deepEqual(withoutNode(store, ['stop', 'web'], { within }), stopped('web'))
    const told = await networked.done(
      'events',
      '--since',
      begun,
      '--until',
      '0s',
      '--format',
      '{{.Type}} {{.Action}}',
    )
    assert.equal(
      told.trim(),
      ['container kill', 'container die', 'network disconnect', 'container stop'].join('\n'),
    )
    // The address and the port are free.
    await networked.done('run', '-d', '--name', 'next', ...flags, store.image, ...obedient(0))
    assert.deepEqual(withoutNode(store, ['stop', 'next'], { within }), stopped('next'))
    await networked.done('start', 'web')
    await networked.done('network', 'disconnect', 'inner', 'web')
    assert.deepEqual(withoutNode(store, ['stop', 'web'], { within }), needsNode)
    await networked.done('rm', '-f', 'web', 'next')
  })
})
