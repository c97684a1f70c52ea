// `explain` and `script` tell and do nothing; `--timing` and `--trace` tell what was done. With a real image and strace.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { quote } from '../../src/runtime/shell.ts'
import { executable, minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'

let store: DebianStore
before(async () => {
  store = await debianStore()
})
after(() => store?.remove())

const call = (...args: string[]) => minictr([...store.globals, ...args])

/** Every file and directory of the store that is not an image's. */
function inventory(): string[] {
  const names = readdirSync(store.root, { recursive: true, encoding: 'utf8' })
  return names.filter(name => !/^(layers\/[0-9a-f]+|images\/blobs)\//.test(name)).sort()
}

/** The calls by which the command, under strace, changed anything outside itself. */
function actsOf(command: string, flags: string[]): string[] {
  const output = join(store.root, 'strace.txt')
  const calls =
    'mount umount2 unshare setns pivot_root chroot sethostname setresuid capset mkdir rmdir unlink rename symlink link mknod chmod chown ftruncate execve open clone fork vfork connect'
  const names = calls.split(' ').flatMap(name => [`?${name}`, `?${name}at`, `?${name}at2`, `?${name}3`])
  const strace = ['-f', '-qq', '-o', output, '-e', `trace=${names.join(',')}`, '-e', 'signal=none']
  const run = [executable, ...store.globals, command, 'run', ...flags, store.image, 'true']
  if (command === 'run') run.splice(run.indexOf('run'), 1)
  const { status, stderr } = spawnSync('strace', [...strace, ...run], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const lines = readFileSync(output, 'utf8').trim().split('\n')
  rmSync(output)
  const reads = /^\d+ +(open(at2?)?\(.*O_(RDONLY|PATH)|clone3?\(.*CLONE_THREAD|<\.\.\. |\+\+\+)/
  const harmless = /"\/dev\/(null|tty)"|execve\("[^"]*\/(minictr|node)"/
  return lines.filter(line => (!reads.test(line) || /O_CREAT|O_TRUNC/.test(line)) && !harmless.test(line))
}

describe('explain and script', () => {
  it('change nothing: no mount, no namespace, no process, no file', () => {
    const flags = ['--rm', '--network', 'none', '-m', '64m', '-v', '/usr:/mnt:ro', '--name', 'told']
    const before = inventory()
    const cidFile = ['--cidfile', join(store.root, 'cid')]
    assert.deepEqual(actsOf('explain', [...flags, ...cidFile]), [])
    assert.deepEqual(actsOf('script', [...flags, ...cidFile]), [])
    assert.deepEqual(inventory(), before)
    assert.ok(actsOf('run', flags).length > 100, 'the same look at run sees what it does')
  })

  it('tell of an image that is not here what would bring it', async () => {
    for (const command of ['explain', 'script']) {
      const { status, stderr } = await call(command, 'run', 'no-such-image:here')
      assert.notEqual(status, 0)
      assert.match(stderr, /no-such-image/)
      assert.match(stderr, /minictr pull no-such-image:here/)
    }
  })

  it('ask for the run after their name', async () => {
    for (const command of ['explain', 'script']) {
      for (const args of [[], ['walk', 'debian']]) {
        const { status, stderr } = await call(command, ...args)
        assert.equal(status, 1)
        assert.match(stderr, new RegExp(`is followed by .run.*: minictr ${command} run IMAGE`))
      }
      const { status, stdout } = await call(command, 'run', '--help')
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`^Usage: {2}minictr ${command} run \\[OPTIONS\\] IMAGE`))
    }
  })

  it('explain shows one step by its id, and names the others where there is none', async () => {
    const one = await call('explain', 'run', '--network', 'none', '--only', 'pivot-root', store.image)
    assert.equal(one.stdout.match(/^ ?\d+\/\d+ {2}\S/gm)?.length, 1)
    const none = await call('explain', 'run', '--network', 'none', '--only', 'dig-tunnel', store.image)
    assert.equal(none.status, 1)
    assert.match(none.stderr, /no step 'dig-tunnel'[\s\S]*Its steps are: claim-name .*pivot-root/)
  })
})

describe('run --timing', () => {
  it('lists every step of the plan with its calls on standard error, and the program’s output on its own', async () => {
    const args = ['--rm', '--network', 'none', store.image, 'echo', 'out']
    const { steps } = JSON.parse((await call('explain', 'run', '--json', ...args)).stdout) as {
      steps: { id: string; ops: unknown[] }[]
    }
    const { status, stdout, stderr } = await call('run', '--timing', ...args)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'out\n')
    const titles = [...stderr.matchAll(/^ +([\d.]+) {2} ?\d+\/\d+ {2}(\S+) {2}(host|container)$/gm)]
    assert.deepEqual(
      titles.map(([, , id]) => id),
      steps.map(({ id }) => id),
    )
    const whole = stderr.slice(0, stderr.search(/^ +[\d.]+ {2}undo {2}/m))
    const figures = whole.match(/^ +\d+\.\d {6}\S/gm) ?? []
    const calls = steps.reduce((sum, { ops }) => sum + ops.length, 0)
    assert.equal(figures.length, calls - 1, 'all but execve, which does not come back')
    const figureOf = (row: RegExp) => Number(row.exec(stderr)?.[1])
    const native = figureOf(/^ +([\d.]+) {2}in \d+ calls, /m)
    const node = figureOf(/^ +([\d.]+) {2}in Node: /m)
    const total = figureOf(/^ +([\d.]+) {2}from the start of minictr/m)
    assert.ok(Math.abs(native + node - total) < 0.2, `${native} + ${node} = ${total}`)
    const sum = titles.reduce((all, [, us]) => all + Number(us), 0)
    assert.ok(Math.abs(sum - native) < titles.length * 0.1, `${sum} = ${native}`)
  })

  it('tells things when they happen: the steps, then what the program says, then what is undone', async () => {
    const { status, stderr } = await call(
      ...['run', '--timing', '--rm', '--network', 'none', '--pids-limit', '50', store.image],
      ...['sh', '-c', 'echo here I am >&2'],
    )
    assert.equal(status, 0, stderr)
    const places = ['µs', 'claim-name', 'spawn-init', 'pivot-root', 'execute-program', 'here I am\n']
    places.push('undo  create-cgroup', 'undo  claim-name', '-------', 'from the start of minictr', 'undid it')
    const found = places.map(place => stderr.indexOf(place))
    assert.ok(!found.includes(-1), stderr)
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    )
  })

  it('lets the container run to its end when nobody reads any more', () => {
    const run = [executable, ...store.globals, 'run', '--timing', '--rm', '--network', 'none']
    const words = [...run, store.image, 'sh', '-c', 'sleep 0.3; exit 7'].map(quote).join(' ')
    const line = `${words} 2>&1 >/dev/null | : ; echo \${PIPESTATUS[0]}`
    assert.equal(spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout, '7\n')
  })

  it('shows how far a run came that failed', async () => {
    const { status, stderr } = await call(
      'run',
      '--timing',
      '--rm',
      '--network',
      'none',
      store.image,
      'no-such-program',
    )
    assert.equal(status, 127)
    assert.match(stderr, /execute-program {2}container/)
    assert.match(stderr, /undo {2}create-cgroup/)
    assert.match(stderr, /from the start of minictr to the last step$/m)
    assert.match(stderr, /no-such-program/)
  })
})

describe('run --trace', () => {
  it('writes what Perfetto opens: the host and the container as tracks, every step and call in it', async () => {
    const file = join(store.root, 'trace.json')
    const args = ['--rm', '--network', 'none', store.image, 'true']
    const { steps } = JSON.parse((await call('explain', 'run', '--json', ...args)).stdout) as {
      steps: { id: string; side: string; ops: { op: { op: string } }[] }[]
    }
    assert.equal((await call('run', '--trace', file, ...args)).status, 0)
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
    type Event = {
      name: string
      cat?: string
      ph: string
      tid: number
      ts: number
      dur: number
      args: { name: string }
    }
    const events = traceEvents as Event[]
    const ofKind = (cat: string) => events.filter(event => event.cat === cat)
    assert.deepEqual(
      ofKind('step').map(({ name }) => name),
      steps.map(({ id }) => id),
    )
    assert.deepEqual(
      ofKind('call').map(({ name }) => name),
      steps.flatMap(({ ops }) => ops.map(({ op }) => op.op)).slice(0, -1),
    )
    const track = (prefix: string) =>
      events.find(({ ph, args }) => ph === 'M' && args.name.startsWith(prefix))!.tid
    for (const [index, { tid }] of ofKind('step').entries()) assert.equal(tid, track(steps[index]!.side))
    for (const { ts, dur } of events.filter(({ ph }) => ph === 'X')) assert.ok(ts >= 0 && dur >= 0)
  })

  it('says that it cannot be written before anything is done', async () => {
    const { status, stdout, stderr } = await call(
      'run',
      '--trace',
      '/no/such/place.json',
      '--rm',
      '--network',
      'none',
      store.image,
      'echo',
      'the program runs',
    )
    assert.equal(status, 125)
    assert.match(stderr, /the trace cannot be written: .*\/no\/such\/place\.json.*\nNothing has been done\./)
    assert.equal(stdout, '')
  })
})
