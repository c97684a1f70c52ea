// The monitor: what the container writes and reads through it, how its end is told, and what outlives the client.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Monitor } from '../../src/system/monitor.ts'
import { client, clientCommand, isThere, run, stopped, textOf, until } from './clients.ts'
import { call, errnoOf, NEW, succeed } from './executors.ts'

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-monitor-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

test('output and error output arrive apart, the status is the script’s', async t => {
  const { stdout, stderr, status } = await run(t, { script: 'echo out; echo err >&2; exit 42' })
  assert.deepEqual({ stdout, stderr, status }, { stdout: 'out\n', stderr: 'err\n', status: 42 })
})

test('a script ended by a signal is told so', async t => {
  // From outside: the signal a PID 1 sends to itself has no effect.
  const { stderr, status } = await run(t, { script: 'kill -9 $$', hostPid: true })
  assert.deepEqual({ stderr, status }, { stderr: 'ended by SIGKILL\n', status: 137 })
})

test('input goes in until its end, and its end is passed on', async t => {
  const { stdout, status } = await run(t, { script: 'tr a-z A-Z; echo the end', stdin: true }, 'some\nlines')
  assert.deepEqual({ stdout, status }, { stdout: 'SOME\nLINESthe end\n', status: 0 })
})

test('without stdin the client’s input is left alone', async () => {
  const script = `{ ${clientCommand({ script: 'cat' })}; cat; }`
  const stdout = execFileSync('sh', ['-c', script], { input: 'for the second cat', encoding: 'utf8' })
  assert.equal(stdout, 'for the second cat')
})

test('100 MB through pipes arrive whole, in both directions', t => {
  const cat = clientCommand({ script: 'cat', stdin: true })
  const script = `head -c 104857600 /dev/urandom > "$1"; sha256sum < "$1"; ${cat} < "$1" | sha256sum; cat "$1" | ${cat} | sha256sum`
  const sums = execFileSync('sh', ['-c', script, 'sh', join(temporaryDirectory(t), 'data')], {
    encoding: 'utf8',
  })
  const [before, fromFile, fromPipe] = sums.trim().split('\n')
  assert.equal(fromFile, before)
  assert.equal(fromPipe, before)
})

test('20 MB through sockets to a slow reader arrive whole', async t => {
  const child = client(t, { script: 'yes 0123456789abcde | head -c 20971520' })
  const hash = createHash('sha256')
  let chunks = 0
  for await (const chunk of child.stdout!) {
    hash.update(chunk)
    if (++chunks % 50 === 0) await sleep(2)
  }
  const expected = createHash('sha256')
    .update('0123456789abcde\n'.repeat(20_971_520 / 16))
    .digest('hex')
  assert.equal(hash.digest('hex'), expected)
})

test('what was written right before the end is not lost, whoever holds the pipe', async t => {
  for (const hostPid of [false, true]) {
    const child = client(t, { script: 'sleep 30 & head -c 60000 /dev/zero; echo $! >&2; exit 3', hostPid })
    const error = textOf(child.stderr!)
    let sizeBytes = 0
    for await (const chunk of child.stdout!) sizeBytes += chunk.length
    const [status] = await once(child, 'exit')
    assert.deepEqual({ sizeBytes, status }, { sizeBytes: 60000, status: 3 })
    if (hostPid) process.kill(Number(await error))
  }
})

test('a reader that goes away does not hold the script up', async () => {
  const script = `${clientCommand({ script: 'yes | head -c 10000000; echo done >&2' })} | head -c 10`
  const { stderr } = await new Promise<{ stderr: string }>(resolve => {
    const child = spawn('sh', ['-c', script])
    void textOf(child.stderr!).then(stderr => resolve({ stderr }))
  })
  assert.equal(stderr, 'done\n')
})

test('input nobody reads does not hold the end up', async t => {
  const child = client(t, { script: 'exec <&-; echo ready; sleep 0.2; exit 5', stdin: true })
  child.stdin!.on('error', () => {})
  child.stdin!.write(Buffer.alloc(1_000_000))
  const [status] = await once(child, 'exit')
  assert.equal(status, 5)
})

test('the client’s descriptors keep their flags', t => {
  const directory = temporaryDirectory(t)
  const file = (name: string) => join(directory, name)
  const until = (name: string) => `while ! [ -e ${file(name)} ]; do sleep 0.02; done`
  const running = clientCommand({
    script: `echo here; touch ${file('written')}; ${until('looked')}`,
    stdin: true,
  })
  const look = 'grep -h ^flags: /proc/$$/fdinfo/0 /proc/$$/fdinfo/1'
  // The shell shares the descriptions that the client and its monitor have: a terminal, or a terminal and a pipe.
  const shell = file('shell')
  writeFileSync(
    shell,
    `exec 3<&0; ${look} > ${file('before')}; ${running} <&3 & ${until('written')}; ${look} > ${file('during')}; touch ${file('looked')}; wait`,
  )
  for (const command of [`sh ${shell}`, `sh ${shell} | cat`]) {
    const said = execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' })
    assert.equal(said, 'here\r\n')
    assert.equal(readFileSync(file('during'), 'utf8'), readFileSync(file('before'), 'utf8'))
    for (const name of ['written', 'looked']) rmSync(file(name))
  }
})

test('output to a file is appended where the file’s offset is', t => {
  const file = join(temporaryDirectory(t), 'out')
  execFileSync('sh', ['-c', `{ echo one; ${clientCommand({ script: 'echo two' })}; echo three; } > ${file}`])
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\nthree\n')
})

test('devices serve as input and output', () => {
  const counted = clientCommand({ script: 'head -c 300000 | wc -c', stdin: true })
  assert.equal(execFileSync('sh', ['-c', `${counted} < /dev/zero`], { encoding: 'utf8' }), '300000\n')
  const full = clientCommand({ script: 'head -c 300000 /dev/zero; echo done >&2; exit 6' })
  const said = execFileSync('sh', ['-c', `${full} 2>&1 > /dev/full; echo $?`], { encoding: 'utf8' })
  assert.equal(said, 'done\n6\n')
})

test('no descriptor and no directory of the host gets into the container', async t => {
  const directory = temporaryDirectory(t)
  const script = `exec 7</etc/passwd 9>"$1/nine"; ${clientCommand({
    script: 'ls -l /proc/$$/fd; readlink /proc/$$/cwd',
    stdin: true,
    last: [{ name: 'chdir', args: ['/'] }],
  })} < /dev/null`
  const seen = execFileSync('sh', ['-c', script, 'sh', directory], { encoding: 'utf8', cwd: directory })
  const links = seen
    .trim()
    .split('\n')
    .filter(line => line.includes(' -> '))
    .map(line => line.replace(/.* (\d+) -> /, '$1 '))
  assert.equal(links.length, 3, seen)
  for (const [fd, link] of links.entries()) assert.match(link, new RegExp(`^${fd} pipe:`))
  assert.match(seen, /\n\/\n$/)
})

test('a signal reaches the script', async t => {
  const child = client(t, {
    script: 'trap "echo got it; exit 9" USR1; echo ready; while :; do sleep 0.05; done',
  })
  let out = ''
  child.stdout!.on('data', chunk => {
    out += chunk
    if (out === 'ready\n') child.kill('SIGUSR1')
  })
  const [status] = await once(child, 'exit')
  assert.deepEqual({ out, status }, { out: 'ready\ngot it\n', status: 9 })
})

test('the monitor told to end passes that on, and ends with its container', async t => {
  const child = client(t, {
    script: 'trap "echo ending; exit 9" TERM; echo ready; while :; do sleep 0.05; done',
    stopAt: 'running',
  })
  await once(child.stdout!, 'data')
  const pids = await stopped(child)
  process.kill(pids.monitor, 'SIGTERM')
  await until(() => !isThere(pids.container), 'the container ends')
  assert.equal(isThere(pids.monitor), true, 'it waits for its client')
  child.kill('SIGKILL')
  await until(() => !isThere(pids.monitor), 'the monitor ends')
})

test('the end is recorded durably, and after a detach the command for orphans is started', async t => {
  const directory = temporaryDirectory(t)
  const recordExit = join(directory, 'exit.json')
  const startedMs = Date.now()
  const child = client(t, {
    script: 'sleep 0.3; exit 17',
    detach: true,
    recordExit,
    onOrphan: ['/bin/sh', '-c', `ls -l /proc/self/fd > ${directory}/fds; touch ${directory}/orphaned`],
  })
  const [status] = await once(child, 'exit')
  assert.equal(status, 0)
  assert.equal(existsSync(recordExit), false)
  await until(() => existsSync(join(directory, 'orphaned')), 'the command is started')
  const record = JSON.parse(readFileSync(recordExit, 'utf8'))
  assert.deepEqual([record.exitStatus, record.signal], [17, null])
  assert.ok(record.finishedAtMs >= startedMs && record.finishedAtMs <= Date.now())
  assert.deepEqual(readdirSync(directory).sort(), ['exit.json', 'fds', 'orphaned'])
  const targets = readFileSync(join(directory, 'fds'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(' -> ')[1]!)
  for (const target of targets) assert.match(target, /^(\/dev\/null|\/proc\/\d+\/fd|.*\/fds)$/)
})

test('a container ended by a signal is recorded so; a client that cleaned up itself leaves no orphan', async t => {
  const directory = temporaryDirectory(t)
  const recordExit = join(directory, 'exit.json')
  const orphan = join(directory, 'orphaned')
  const { status } = await run(t, {
    script: 'kill -15 $$',
    hostPid: true,
    recordExit,
    onOrphan: ['/usr/bin/touch', orphan],
  })
  assert.equal(status, 143)
  const record = JSON.parse(readFileSync(recordExit, 'utf8'))
  assert.deepEqual([record.exitStatus, record.signal], [143, 15])
  assert.equal(existsSync(orphan), false)
})

test('a client killed while its container runs: the container goes on, and its end is seen to', async t => {
  const directory = temporaryDirectory(t)
  const orphan = join(directory, 'orphaned')
  const done = join(directory, 'done')
  const child = client(t, {
    script: `yes | head -c 1000000; sleep 0.2; yes | head -c 1000000; echo > ${done}`,
    stopAt: 'running',
    onOrphan: ['/usr/bin/touch', orphan],
  })
  const { monitor } = await stopped(child)
  child.kill('SIGKILL')
  await until(() => existsSync(orphan), 'the command is started')
  assert.equal(existsSync(done), true)
  await until(() => !isThere(monitor), 'the monitor ends')
})

test('who was killed in another’s PID namespace before it was watched is not in its way, and its end is told', async () => {
  const [other, monitor] = [Monitor.spawn({ stdin: 'ignore' }), Monitor.spawn({ stdin: 'ignore' })]
  try {
    await succeed(other.host, call('spawn_init', 0, 0))
    const forked = await succeed(other.init, call('unshare', NEW.pid), call('fork'))
    const first = forked[1]!.result
    monitor.tell('reap_early')
    await succeed(monitor.host, call('spawn_init', 0, 0))
    const entered = await succeed(
      monitor.init,
      call('open', '', `/proc/${first}/ns/pid`, 2, 0),
      call('setns', 0, NEW.pid),
      call('fork'),
    )
    const second = entered[2]!.result
    await succeed(other.host, call('watch', first))
    process.kill(first, 'SIGKILL')
    assert.deepEqual(await other.exit(), { status: 137, signal: 'SIGKILL' })
    assert.equal(isThere(second), false)
    await succeed(monitor.host, call('watch', second))
    assert.deepEqual(await monitor.exit(), { status: 137, signal: 'SIGKILL' })
  } finally {
    await Promise.all([other.close(), monitor.close()])
  }
})

test('nor are the orphans that it has left by then, where they come to the monitor', async () => {
  const monitor = Monitor.spawn({ stdin: 'ignore', stdout: 'ignore' })
  try {
    monitor.tell('reap_early')
    const [spawned] = await succeed(monitor.host, call('spawn_init', 0, 0))
    const [forked] = await succeed(monitor.init, call('fork'))
    const { pid, result } = { pid: spawned!.result, result: forked!.result }
    const script = '(sleep 0.1; exit 3) & (sleep 0.2; exit 4) & echo; exit 7'
    await monitor.init.perform([call('execve', ['/bin/sh'], ['sh', '-c', script], ['PATH=/usr/bin:/bin'])])
    await until(() => !existsSync(`/proc/${result}`) && !existsSync(`/proc/${pid}`), 'they are reaped')
    const children = () => readFileSync(`/proc/${monitor.pid}/task/${monitor.pid}/children`, 'utf8')
    await until(() => children() === '', 'the orphans are reaped')
    await succeed(monitor.host, call('watch', result))
    assert.deepEqual(await monitor.exit(), { status: 7, signal: null })
  } finally {
    await monitor.close()
  }
})

test('a client killed before there is a container: what was half made is killed first', async t => {
  const orphan = join(temporaryDirectory(t), 'orphaned')
  const child = client(t, { script: 'true', stopAt: 'before-watch', onOrphan: ['/usr/bin/touch', orphan] })
  const { monitor, container } = await stopped(child)
  assert.equal(isThere(container), true)
  child.kill('SIGKILL')
  await until(() => existsSync(orphan), 'the command is started')
  assert.equal(isThere(container), false)
  await until(() => !isThere(monitor), 'the monitor ends')
})

test('the monitor is small, in a session of its own, and stands in no directory of the client’s', async t => {
  const child = client(t, { script: 'echo running; sleep 30', stopAt: 'running' })
  const { monitor, container } = await stopped(child)
  const rollup = readFileSync(`/proc/${monitor}/smaps_rollup`, 'utf8')
  const pssKilobytes = Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)![1])
  assert.ok(pssKilobytes < 1024, `${pssKilobytes} kB`)
  assert.equal(readFileSync(`/proc/${monitor}/stat`, 'utf8').split(') ')[1]!.split(' ')[3], String(monitor))
  assert.equal(readlinkSync(`/proc/${monitor}/cwd`), '/')
  assert.equal(readFileSync(`/proc/${monitor}/comm`, 'utf8'), 'minictr-monitor\n')
  process.kill(container, 'SIGKILL')
  child.kill('SIGKILL')
  await until(() => !isThere(monitor), 'the monitor ends')
})

test('the helper in a container is a copy that cannot be written to', async t => {
  const child = client(t, { script: 'true', stopAt: 'before-watch' })
  const { container, monitor } = await stopped(child)
  const helper = join(import.meta.dirname, '../../dist/minictr-helper')
  for (const pid of [container, monitor]) {
    const path = `/proc/${pid}/exe`
    assert.match(readlinkSync(path), /^\/memfd:minictr-helper/)
    assert.notEqual(statSync(path).ino, statSync(helper).ino)
    assert.throws(() => openSync(path, 'r+'), { code: 'ETXTBSY' })
    const seals = `open(my $exe, '<', '${path}'); print fcntl($exe, 1034, 0)` // F_GET_SEALS
    assert.equal(execFileSync('perl', ['-e', seals], { encoding: 'utf8' }), '15')
  }
  child.kill('SIGKILL')
  await until(() => !isThere(monitor), 'the monitor ends')
})

test('spawn_init that fails for want of descriptors leaves none open, and can be tried again', async () => {
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  const open = () => readdirSync(`/proc/${monitor.pid}/fd`).length
  try {
    await succeed(monitor.host, call('chdir', '/'))
    const before = open()
    for (const terminal of [0, 1]) {
      for (let more = 1; more <= (terminal ? 4 : 7); more++) {
        await succeed(monitor.host, call('prlimit', 7, before + more, 4096))
        assert.equal(await errnoOf(monitor.host, call('spawn_init', 1, terminal)), 'EMFILE', String(more))
        assert.equal(open(), before)
      }
    }
    await succeed(monitor.host, call('prlimit', 7, 1024, 4096), call('spawn_init', 1, 0))
  } finally {
    await monitor.close()
  }
})
