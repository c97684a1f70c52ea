// The conversation itself: large frames, frames that are none, ops that are none, a helper that goes away.

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { helperPath, spawnExecutor } from '../../src/system/executor.ts'
import { decodeFrame, encodeRequest } from '../../src/system/wire.ts'
import { call, errnoOf, inSandbox, succeed } from './executors.ts'

type Raw = { child: ChildProcess; socket: Duplex; exit: Promise<[number | null, string | null]> }

function startRaw(role: 'init' | 'monitor'): Raw {
  const child = spawn(helperPath(), [role], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'],
    env: {},
  })
  const socket = child.stdio[3] as Duplex
  socket.on('error', () => {})
  ;(child.stdio[4] as Duplex).on('error', () => {}).resume()
  return { child, socket, exit: once(child, 'exit') as Raw['exit'] }
}

/** Sends bytes and gives the first answer frame, or nothing where the helper hangs up. */
async function ask({ socket }: Raw, bytes: Buffer): Promise<ReturnType<typeof decodeFrame> | undefined> {
  socket.write(bytes)
  let received = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk])
    if (received.length >= 4 && received.length >= 4 + received.readUInt32LE(0))
      return decodeFrame(received.subarray(4))
  }
  return undefined
}

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return Buffer.concat([length, body])
}

test('frames larger than any socket buffer, there and back', () =>
  inSandbox(async ({ executor, directory }) => {
    const content = Buffer.alloc(1 << 20, 'x')
    const answers = await succeed(
      executor,
      ...Array.from({ length: 8 }, (_, i) => call('write_file', directory, `f${i}`, content, 0, 0o644)),
      ...Array.from({ length: 8 }, (_, i) => call('read_file', directory, `f${i}`)),
    )
    for (const answer of answers.slice(8)) assert.equal(content.equals(answer.data!), true)
  }))

test('many ops and long argument lists', () =>
  inSandbox(async ({ executor, pid, directory }) => {
    const made = await succeed(
      executor,
      ...Array.from({ length: 5000 }, (_, i) => call('symlink', directory, `link-${i}`, `${i}`)),
      call('readlink', directory, 'link-4999'),
    )
    assert.equal(String(made.at(-1)!.data), '4999')
    const argv = ['sleep', '1000', ...Array<string>(4000).fill('x'.repeat(100))]
    assert.equal(await errnoOf(executor, call('execve', ['/bin/absent'], argv, [])), 'ENOENT')
    const env = Array.from({ length: 3000 }, (_, i) => `V${i}=${'y'.repeat(200)}`)
    const { closed } = await executor.perform([call('execve', ['/bin/sleep'], ['sleep', '9'], env)])
    assert.equal(closed, true)
    process.kill(pid, 'SIGKILL')
  }))

test('batches asked for at once are performed one after the other', () =>
  inSandbox(async ({ executor, directory }) => {
    const results = await Promise.all([
      succeed(executor, call('mkdir', directory, 'a', 0o755, 0)),
      succeed(executor, call('mkdir', directory, 'a/b', 0o755, 0)),
      succeed(executor, call('rmdir', directory, 'a/b'), call('rmdir', directory, 'a')),
    ])
    assert.equal(results.flat().length, 4)
  }))

test('an op that is none, or has other arguments, is refused by number', () =>
  inSandbox(async ({ executor }) => {
    assert.equal(await errnoOf(executor, call('no_such_op')), 'ENOSYS')
    assert.equal(await errnoOf(executor, call('spawn_init', 0, 0)), 'ENOSYS', 'only a monitor has it')
    assert.equal(await errnoOf(executor, call('chdir')), 'EINVAL')
    assert.equal(await errnoOf(executor, call('chdir', 1)), 'EINVAL')
    assert.equal(await errnoOf(executor, call('chdir', '/', '/')), 'EINVAL')
    assert.equal(await errnoOf(executor, call('execve', '/bin/sh', [], [])), 'EINVAL')
    const { answers } = await executor.perform([])
    assert.deepEqual(answers, [])
    await assert.rejects(
      async () => executor.perform([{ name: 'chdir', args: ['/'], tolerate: ['ENONSENSE'] }]),
      TypeError,
    )
  }))

const cutShort: [string, Buffer][] = [
  ['an empty frame', Buffer.alloc(0)],
  ['a count without ops', Buffer.from([1, 0, 0, 0])],
  ['a name longer than the frame', Buffer.from([1, 0, 0, 0, 31, 65])],
  ['a name longer than any', Buffer.concat([Buffer.from([1, 0, 0, 0, 255]), Buffer.alloc(300, 65)])],
  ['more tolerated errors than bytes', Buffer.from([1, 0, 0, 0, 1, 65, 200, 1, 0])],
  ['more arguments than any op has', Buffer.from([1, 0, 0, 0, 1, 65, 0, 255])],
  ['an unknown kind of argument', Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x7a, 0, 0, 0, 0])],
  ['a number cut short', Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x69, 1, 2, 3])],
  ['a text longer than the frame', Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x73, 255, 255, 255, 255, 65])],
  ['a text without its NUL', Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x73, 1, 0, 0, 0, 65, 66])],
  [
    'a list longer than the frame',
    Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x6c, 255, 255, 255, 255, 0, 0, 0, 0, 0]),
  ],
  [
    'a list that ends early',
    Buffer.from([1, 0, 0, 0, 1, 65, 0, 1, 0x6c, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 65]),
  ],
]

for (const role of ['init', 'monitor'] as const) {
  test(`${role} refuses frames that are none and goes on`, async () => {
    const raw = startRaw(role)
    for (const [what, body] of cutShort) {
      const frame = await ask(raw, framed(body))
      assert.ok(frame?.kind === 'answers', what)
      assert.equal(frame.answers.at(-1)?.errno, 'EINVAL', what)
    }
    const frame = await ask(raw, encodeRequest([call('umask', 0o22)]))
    assert.equal(frame?.kind === 'answers' && frame.answers[0]!.errno, undefined)
    raw.socket.destroy()
    assert.deepEqual(await raw.exit, [0, null])
  })

  test(`${role} ends at a length no frame has, and at a frame cut off`, async () => {
    for (const bytes of [
      Buffer.from([255, 255, 255, 255, 1]),
      Buffer.from([9, 0]),
      Buffer.from([9, 0, 0, 0, 1]),
    ]) {
      const raw = startRaw(role)
      raw.socket.end(bytes)
      raw.socket.resume()
      assert.deepEqual(await raw.exit, [0, null])
    }
  })

  test(`${role} survives random bytes in a frame`, async () => {
    const request = encodeRequest([
      { name: 'mkdir', args: ['/nowhere', 'a', 0o755, 0], tolerate: ['EEXIST'] },
      { name: 'execve', args: [['/absent'], ['x', 'y'], ['A=B']] },
    ])
    let seed = 20_261_121
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return (seed >> 8) % below
    }
    const raw = startRaw(role)
    for (let round = 0; round < 300; round++) {
      const body = Buffer.from(request.subarray(4))
      // Not the names: an op that was not meant would be performed.
      for (let i = 0; i < 3; i++) {
        const at = 5 + 'mkdir'.length + random(body.length - 5 - 'mkdir'.length)
        if (body[at]! < 97 || body[at]! > 122) body[at] = random(256)
      }
      const frame = await ask(raw, framed(body))
      assert.equal(frame?.kind, 'answers')
    }
    raw.socket.destroy()
    assert.deepEqual(await raw.exit, [0, null])
  })
}

test('a helper that is killed closes the conversation', async () => {
  const { executor, pid, close } = spawnExecutor()
  await succeed(executor, call('umask', 0o22))
  process.kill(pid, 'SIGKILL')
  assert.deepEqual(await executor.perform([call('umask', 0o22)]), { answers: [], closed: true })
  assert.deepEqual(await executor.perform([call('umask', 0o22)]), { answers: [], closed: true })
  await close()
})

test('started by hand it says what it is', () => {
  for (const args of [[], ['init'], ['monitor'], ['nonsense']]) {
    assert.throws(
      () => execFileSync(helperPath(), args, { stdio: 'pipe' }),
      (error: { status: number; stderr: Buffer }) =>
        error.status === 64 && /not by hand/.test(String(error.stderr)),
    )
  }
})

test('where the helper has not been built, that is said', async t => {
  const project = mkdtempSync(join(tmpdir(), 'minictr-unbuilt-'))
  t.after(() => rmSync(project, { recursive: true }))
  cpSync(join(import.meta.dirname, '../../src/system'), join(project, 'src/system'), { recursive: true })
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  const executor: typeof import('../../src/system/executor.ts') = await import(
    join(project, 'src/system/executor.ts')
  )
  const monitor: typeof import('../../src/system/monitor.ts') = await import(
    join(project, 'src/system/monitor.ts')
  )
  for (const start of [() => executor.spawnExecutor(), () => monitor.Monitor.spawn({ stdin: 'ignore' })]) {
    assert.throws(start, { name: 'MinictrError', message: new RegExp(`${project}/dist/minictr-helper`) })
  }
})
