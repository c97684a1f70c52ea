// `run --step` at a real terminal with a real container: every step waits, and whoever leaves leaves nothing behind.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { executable, minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'

const prompt = 'next continue quit sh look plan help > '
let store: DebianStore
/** The ids of a plan's steps: those of `explain`, which must be the ones performed. */
let steps: string[]

before(async () => {
  store = await debianStore()
  const args = ['explain', 'run', '--json', '--rm', '--network', 'none', store.image, 'true']
  const { stdout } = await minictr([...store.globals, ...args])
  steps = JSON.parse(stdout).steps.map(({ id }: { id: string }) => id)
})
after(() => store?.remove())

function start(flags: string[], command: string[]): Session {
  const run = ['run', '--step', '--rm', '--network', 'none', ...flags, store.image, ...command]
  return atTerminal([executable, ...store.globals, ...run])
}

/** Goes on until the step is the next one; `from` is the first whose prompt is still to come. */
async function goTo(session: Session, id: string, from = steps[0]!): Promise<void> {
  for (const step of steps.slice(steps.indexOf(from), steps.indexOf(id))) {
    await session.see(`  ${step} `)
    await session.see(prompt)
    session.type('')
  }
  await session.see(`  ${id} `)
  await session.see(prompt)
}

/** The container's id as the session showed it. */
function idIn(text: string): string {
  return /^ {2}ID=([0-9a-f]{64})$/m.exec(text)![1]!
}

function assertNothingLeft(id: string): void {
  assert.deepEqual(readdirSync(join(store.root, 'containers')), [])
  assert.deepEqual(readdirSync(join(store.root, 'names')), [])
  assert.ok(!existsSync(join(store.runRoot, id)))
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    assert.ok(!existsSync(`/sys/fs/cgroup/${hierarchy}/minictr/${id}`), hierarchy)
  }
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(id))
}

describe('run --step', () => {
  it('asks before each step, and then lets the program run', async () => {
    const session = start([], ['sh', '-c', 'echo the program runs; exit 5'])
    await goTo(session, 'execute-program')
    session.type('next')
    await session.see('the program runs\n')
    const { status, text } = await session.end()
    assert.equal(status, 5)
    for (const id of steps) assert.equal(text.split(`  ${id} `).length, 2, id)
    assert.equal(text.match(/^done: \d+ µs in \d+ calls?$/gm)?.length, steps.length - 1)
    assertNothingLeft(idIn(text))
  })

  it('continues to the end when told to', async () => {
    const session = start([], ['echo', 'the program runs'])
    await goTo(session, 'mount-overlay')
    session.type('continue')
    await session.see('the program runs\n')
    const { status, text } = await session.end()
    assert.equal(status, 0)
    assert.ok(!text.includes('pivot-root'))
    assertNothingLeft(idIn(text))
  })

  it('undoes everything when left, wherever that is', async () => {
    for (const id of [steps[0]!, 'spawn-init', 'mount-proc', 'pivot-root', 'execute-program']) {
      const session = start([], ['echo', 'the program runs'])
      await goTo(session, id)
      session.type('quit')
      await session.see(`, ${id}: what was done is undone now.`)
      const { status, text } = await session.end()
      assert.equal(status, 0, text)
      assert.doesNotMatch(text, /^the program runs$/m)
      assertNothingLeft(idIn(text))
    }
  })

  it('undoes everything at Ctrl-C and at Ctrl-D', async () => {
    for (const key of ['\x03', '\x04']) {
      const session = start([], ['true'])
      await goTo(session, 'mount-dev')
      session.press(key)
      await session.see('Leaving before step')
      const { text } = await session.end()
      assertNothingLeft(idIn(text))
    }
  })

  it('keeps rm away from what is half made', async () => {
    const session = start([], ['true'])
    await goTo(session, 'mount-overlay')
    const rm = await minictr([...store.globals, 'rm', '-f', ...readdirSync(join(store.root, 'containers'))])
    assert.equal(rm.status, 1)
    assert.match(rm.stderr, /it is just being made/)
    session.type('quit')
    assertNothingLeft(idIn((await session.end()).text))
  })

  it('opens a shell on the host that knows the names and the process', async () => {
    const session = start([], ['true'])
    await goTo(session, 'mount-proc')
    session.type('sh')
    await session.see('ID DIR ROOT LAYERS PID set')
    session.type('ls -d $ROOT; readlink /proc/$PID/ns/uts; readlink /proc/self/ns/uts; exit')
    await session.see(/\/\S+\/rootfs\n/)
    const links: string[] = []
    for (let count = 0; count < 2; count++) links.push(await session.see(/uts:\[\d+\]/))
    assert.notEqual(links[0], links[1])
    await session.see(prompt)
    session.type('quit')
    assertNothingLeft(idIn((await session.end()).text))
  })

  it('shows what the half-made container is like, and lets one in', async () => {
    const session = start(['--hostname', 'halfway'], ['true'])
    await goTo(session, 'unshare-mount-namespace')
    session.type('look')
    await session.see(/namespaces +its own none; the host’s mnt pid uts ipc net cgroup user\n/)
    session.type('exit')
    await session.see(prompt)
    session.type('')
    await goTo(session, 'mask-paths', 'mount-overlay')
    session.type('look')
    await session.see(/process +\d+ here, 1 to itself/)
    await session.see(/namespaces +its own mnt pid uts ipc net; the host’s cgroup user\n/)
    await session.see('/dev/pts')
    await session.see('A shell inside')
    session.type('cat /proc/sys/kernel/hostname; ls -d /etc/debian_version; exit')
    await session.see('halfway\n')
    await session.see('/etc/debian_version\n')
    await session.see(prompt)
    session.type('plan')
    await session.see(prompt)
    session.type('quit')
    assertNothingLeft(idIn((await session.end()).text))
  })

  it('says where we are', async () => {
    const session = start([], ['true'])
    await goTo(session, 'spawn-init')
    session.type('plan')
    await session.see(/ 1 {2}claim-name +host {2}done\n/)
    await session.see(/> +\d+ {2}spawn-init +host\n/)
    await session.see(prompt)
    session.type('help')
    await session.see('what the half-made container is like')
    session.type('q')
    await session.end()
  })

  it('hands the terminal over to a container with -it', async () => {
    const session = start(['-it'], ['sh', '-c', 'tty; echo ready; read line; echo "got $line"'])
    await goTo(session, steps[0]!)
    session.type('continue')
    await session.see('/dev/pts/0\n')
    await session.see('ready\n')
    session.type('a line')
    await session.see('got a line\n')
    assert.equal((await session.end()).status, 0)
  })

  it('asks at the terminal also where standard input is something else', async () => {
    const run = ['run', '--step', '--rm', '-i', '--network', 'none', store.image, 'cat']
    const command = [executable, ...store.globals, ...run].join(' ')
    const session = atTerminal(['sh', '-c', `echo from a pipe | ${command}`])
    await session.see(prompt)
    session.type('c')
    await session.see('from a pipe\n')
    assert.equal((await session.end()).status, 0)
  })

  it('is an error where there is no terminal, before anything is done', async () => {
    const args = [...store.globals, 'run', '--step', '--rm', '--network', 'none', store.image, 'true']
    const { status, stderr } = spawnSync('setsid', ['--wait', executable, ...args], {
      encoding: 'utf8',
    })
    assert.equal(status, 125)
    assert.match(stderr, /--step asks what to do next, and there is no terminal to ask on/)
    assert.match(stderr, /minictr explain, and the same words/)
    assert.deepEqual(readdirSync(join(store.root, 'containers')), [])
  })
})
