// What acts on a container is shown as it is performed: `explain`, `--step` and `--timing` of stop, kill, pause, rm and the like.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { executable, minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'

const prompt = 'next continue quit sh look plan help > '
let store: DebianStore

before(async () => {
  store = await debianStore()
})
afterEach(async () => {
  await call('rm', '-f', '-v', 'box')
  await call('rm', '-f', '-v', 'other')
})
after(() => store?.remove())

const call = (...args: string[]) => minictr([...store.globals, ...args])

/** A container that runs, with something of everything that its end has to undo. */
async function running(...flags: string[]): Promise<void> {
  const run = [
    'run',
    '-d',
    '--name',
    'box',
    '--network',
    'none',
    '--ipc',
    'shareable',
    '-v',
    '/data',
    ...flags,
  ]
  const { status, stderr } = await call(...run, store.image, 'sleep', '1000')
  assert.equal(status, 0, stderr)
}

async function stepsOf(...words: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await call('explain', words[0]!, '--json', ...words.slice(1))
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout).steps.map(({ id }: { id: string }) => id)
}

/** The steps that --timing has told, in their order, each with its number. */
function toldIn(stderr: string): string[] {
  return [...stderr.matchAll(/^ +[\d.]+ {2} ?(\d+\/\d+) {2}(\S+) {2}(?:host|container)$/gm)].map(
    ([, number, id]) => `${number} ${id}`,
  )
}

const lock = ['lock-container']
const undoing = ['lock-container', 'undo-create-cgroup', 'undo-mount-shared-memory', 'remove-run-directory']
const ending = ['announce-end', 'find-process', 'kill-process', 'await-record']
const stopping = [...ending.slice(0, 2), 'ask-to-end', ...ending.slice(2)]
const removing = ['undo-create-container-directory', 'undo-claim-name']

const acts: { words: string[]; steps: string[]; first?: string[][] }[] = [
  { words: ['stop', '-t', '0', 'box'], steps: [...stopping, ...undoing] },
  { words: ['kill', 'box'], steps: [...ending, ...undoing] },
  { words: ['kill', '-s', 'USR1', 'box'], steps: ['find-process', 'send-signal'] },
  { words: ['pause', 'box'], steps: [...lock, 'freeze-cgroup'] },
  { words: ['unpause', 'box'], steps: [...lock, 'thaw-cgroup'], first: [['pause', 'box']] },
  {
    words: ['update', '--pids-limit', '50', 'box'],
    steps: [...lock, 'change-limits', 'rewrite-configuration'],
  },
  { words: ['rename', 'box', 'other'], steps: [...lock, 'claim-name', 'write-new-name', 'give-back-name'] },
  {
    words: ['rm', '-v', 'box'],
    steps: [...lock, 'undo-find-volume', 'undo-create-volume', ...removing],
    first: [['kill', 'box']],
  },
  {
    words: ['rm', '-f', 'box'],
    steps: [...ending, ...undoing.slice(0, -1), ...removing, 'remove-run-directory'],
  },
]

describe('an act on a container', () => {
  for (const { words, steps, first = [] } of acts) {
    it(`${words.join(' ')} is performed in the steps that explain shows`, async () => {
      await running()
      for (const command of first) assert.equal((await call(...command)).status, 0)
      const explained = await stepsOf(...words)
      assert.deepEqual(explained, steps)
      const { status, stderr } = await call(words[0]!, '--timing', ...words.slice(1))
      assert.equal(status, 0, stderr)
      assert.deepEqual(
        toldIn(stderr),
        explained.map((id, index) => `${index + 1}/${explained.length} ${id}`),
      )
      assert.match(stderr, /from the start of minictr to the last step\n$/)
    })
  }

  it('restart is one list of the steps of stop and of start', async () => {
    await running()
    const words = ['restart', '-t', '0', 'box']
    const explained = await stepsOf(...words)
    assert.deepEqual(explained.slice(0, 6), [...stopping, 'lock-container'])
    assert.ok(explained.includes('lock-container-again'))
    assert.equal(explained.at(-1), 'execute-program')
    const { status, stderr } = await call('restart', '--timing', ...words.slice(1))
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      toldIn(stderr),
      explained.map((id, index) => `${index + 1}/${explained.length} ${id}`),
    )
    assert.deepEqual(await stepsOf('start', 'box').catch(() => 'runs'), 'runs')
  })

  it('create and start are the two parts of run', async () => {
    const words = ['--name', 'box', '--network', 'none', store.image, 'true']
    const whole = await stepsOf('run', ...words)
    const created = await stepsOf('create', ...words)
    assert.equal((await call('create', ...words)).status, 0)
    const started = await stepsOf('start', 'box')
    assert.deepEqual([...created, ...started.slice(1)], whole)
    assert.equal(started[0], 'lock-container')
    const { stderr } = await call('start', '--timing', '-a', 'box')
    assert.deepEqual(
      toldIn(stderr).map(line => line.split(' ')[1]),
      started,
    )
  })

  it('that cannot be is told as by the command itself', async () => {
    await running()
    const said = async (...words: string[]) => (await call('explain', ...words)).stderr.split('\n')[0]
    assert.match((await said('rm', 'box'))!, /container is running: stop the container before removing/)
    assert.match((await said('unpause', 'box'))!, /is not paused/)
    assert.match((await said('rename', 'box', 'box'))!, /same name as its current name/)
    assert.match((await said('start', 'box'))!, /runs already/)
    assert.match((await said('stop', 'nosuch'))!, /No such container: nosuch/)
    assert.match((await said('stop', '--tim', '3', 'box'))!, /unknown flag: --tim/)
    assert.match((await said('kill', 'box', 'other'))!, /one container at a time/)
    await call('kill', 'box')
    assert.match((await said('stop', 'box'))!, /is not running/)
    assert.match(
      (await said('kill', 'box'))!,
      /cannot kill container: box: container [0-9a-f]{64} is not running/,
    )
  })
})

describe('stop --trace', () => {
  it('writes the times of every step and call, of several containers as well', async () => {
    const other = ['run', '-d', '--name', 'other', '--network', 'none', store.image, 'sleep', '1000']
    await Promise.all([running(), call(...other)])
    const steps = [...(await stepsOf('stop', 'box')), ...(await stepsOf('stop', 'other'))]
    const file = join(store.root, 'trace.json')
    assert.equal((await call('stop', '-t', '0', '--trace', file, 'box', 'other')).status, 0)
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8'))
    const named = traceEvents.filter(({ cat }: { cat: string }) => cat === 'step')
    assert.deepEqual(
      named.map(({ name }: { name: string }) => name),
      steps,
    )
    assert.ok(traceEvents.some(({ name }: { name: string }) => name === 'signal_process'))
  })
})

describe('who stands still in a container that is stopped', () => {
  const joining = ['--rm', '--network', 'none', '--pid', 'container:box']
  const acts = [
    { command: 'exec', words: () => ['box', 'true'], status: 1, told: 'is not running' },
    { command: 'run', words: () => [...joining, store.image, 'true'], status: 125, told: 'was killed' },
  ]

  for (const { command, words, status, told } of acts) {
    it(`is not waited for: ${command}`, async () => {
      await running()
      const steps = await stepsOf(command, ...words())
      const session = atTerminal([executable, ...store.globals, command, '--step', ...words()])
      for (const step of steps.slice(0, steps.indexOf('start-session'))) {
        await session.see(`  ${step} `)
        await session.see(prompt)
        session.type('')
      }
      await session.see('  start-session ')
      await session.see(prompt)
      const { stderr, status: stopped } = await call('stop', '-t', '0', 'box')
      assert.deepEqual({ stopped, stderr }, { stopped: 0, stderr: '' })
      session.type('continue')
      await session.see(told)
      assert.equal((await session.end()).status, status)
    })
  }
})

describe('stop --step', () => {
  const stop = (...words: string[]): Session =>
    atTerminal([executable, ...store.globals, 'stop', '--step', '-t', '0', ...words])

  it('asks before every step, those that undo the run included', async () => {
    await running()
    const steps = await stepsOf('stop', '-t', '0', 'box')
    const session = stop('box')
    for (const [index, id] of steps.entries()) {
      await session.see(`${index + 1}/${steps.length}  ${id} `)
      await session.see(prompt)
      session.type('')
    }
    await session.see('box\n')
    const { status, text } = await session.end()
    assert.equal(status, 0, text)
    assert.match((await call('ps', '-a')).stdout, /Exited \(137\) .*box\n/)
    assert.deepEqual(
      readdirSync(store.runRoot).filter(name => /^[0-9a-f]{64}$/.test(name)),
      [],
    )
  })

  it('shows the process until it has ended', async () => {
    await running()
    const session = stop('box')
    await session.see(prompt)
    session.type('look')
    await session.see(/process +\d+ here, 1 to itself, sleep/)
    await session.see('A shell inside')
    session.type('exit')
    await session.see(prompt)
    session.type('continue')
    await session.see('box\n')
    assert.equal((await session.end()).status, 0)
  })

  it('leaves a container running when left before the signal', async () => {
    await running()
    const session = stop('box')
    await session.see('1/9  announce-end')
    await session.see(prompt)
    session.type('')
    await session.see('2/9  find-process')
    await session.see(prompt)
    session.type('quit')
    await session.see('Leaving before step 2, find-process')
    const { status, text } = await session.end()
    assert.equal(status, 0)
    assert.doesNotMatch(text, /^box$/m)
    assert.match((await call('ps')).stdout, / Up .*box\n/)
    assert.equal((await call('exec', 'box', 'true')).status, 0)
  })

  it('left when the program has ended has the next command undo the rest', async () => {
    await running()
    const session = stop('box')
    for (const id of [
      'announce-end',
      'find-process',
      'ask-to-end',
      'kill-process',
      'await-record',
      'lock-container',
    ]) {
      await session.see(`  ${id} `)
      await session.see(prompt)
      session.type('')
    }
    await session.see('  undo-create-cgroup ')
    await session.see(prompt)
    session.type('quit')
    await session.see('what was done stays so; what is left is done by the next command')
    assert.equal((await session.end()).status, 0)
    assert.match((await call('ps', '-a')).stdout, /Exited \(137\) .*box\n/)
    assert.deepEqual(
      readdirSync(store.runRoot).filter(name => /^[0-9a-f]{64}$/.test(name)),
      [],
    )
    assert.equal((await call('start', 'box')).status, 0)
  })

  it('asks for each of several containers', async () => {
    await running()
    assert.equal(
      (await call('run', '-d', '--name', 'other', '--network', 'none', store.image, 'sleep', '1000')).status,
      0,
    )
    const session = stop('box', 'other')
    await session.see('9 steps. Nothing has been done yet.')
    await session.see(prompt)
    session.type('continue')
    await session.see('box\n')
    await session.see('8 steps. Nothing has been done yet.')
    await session.see(prompt)
    session.type('continue')
    await session.see('other\n')
    assert.equal((await session.end()).status, 0)
  })
})
