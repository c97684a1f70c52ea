// Probing: a command that the monitor starts again and again while its container runs.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { client, isThere, run, stopped, textOf, until } from './clients.ts'

const HOUR_MS = 3_600_000

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-probe-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

const linesOf = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []

/** A script that goes on until a file is there, or the test is over and its directory gone. */
const goesOnUntil = (file: string) => `while [ -d ${dirname(file)} ] && ! [ -e ${file} ]; do sleep 0.02; done`

test('one after the other, each when the one before has ended, and none when the container has', async t => {
  const directory = temporaryDirectory(t)
  const [file, end] = [join(directory, 'probes'), join(directory, 'end')]
  const script = `echo begin >> ${file}; sleep 0.05; echo end >> ${file}`
  const child = client(t, {
    script: goesOnUntil(end),
    hostPid: true,
    probe: { argv: ['/bin/sh', '-c', script], interval: 10 },
  })
  await until(() => linesOf(file).length >= 8, 'four probes end')
  writeFileSync(end, '')
  await new Promise(resolve => child.on('exit', resolve))
  await until(() => linesOf(file).length % 2 === 0, 'the last probe ends')
  const lines = linesOf(file)
  assert.deepEqual(
    lines,
    lines.map((_, index) => (index % 2 === 0 ? 'begin' : 'end')),
  )
})

test('its own interval while it starts, until one has succeeded', async t => {
  const directory = temporaryDirectory(t)
  const [file, end] = [join(directory, 'probes'), join(directory, 'end')]
  const script = `echo one >> ${file}; [ $(wc -l < ${file}) -ge 4 ]`
  const argv = ['/bin/sh', '-c', script]
  const child = client(t, {
    script: goesOnUntil(end),
    hostPid: true,
    probe: { argv, interval: HOUR_MS, startPeriod: HOUR_MS, startInterval: 10 },
  })
  await until(() => linesOf(file).length >= 4, 'the fourth succeeds')
  await run(t, { script: 'sleep 0.5' })
  assert.equal(linesOf(file).length, 4)
  writeFileSync(end, '')
  await new Promise(resolve => child.on('exit', resolve))
})

test('the usual interval when the time to start is over', async t => {
  const file = join(temporaryDirectory(t), 'probes')
  const script = `echo one >> ${file}; [ $(wc -l < ${file}) -lt 3 ] || touch ${file}.3; false`
  const { status } = await run(t, {
    script: goesOnUntil(`${file}.3`),
    hostPid: true,
    probe: { argv: ['/bin/sh', '-c', script], interval: 10, startPeriod: 1, startInterval: 10 },
  })
  assert.equal(status, 0)
})

test('neither the client’s streams nor its end disturb them, nor they the output', async t => {
  const directory = temporaryDirectory(t)
  const [file, end] = [join(directory, 'probes'), join(directory, 'end')]
  const script = `echo noise; echo noise >&2; read line; ls -l /proc/self/fd > ${file}.fds; echo one >> ${file}`
  const child = client(t, {
    script: `echo out; ${goesOnUntil(end)}`,
    hostPid: true,
    stdin: true,
    stopAt: 'running',
    probe: { argv: ['/bin/sh', '-c', script], interval: 20 },
  })
  const said = textOf(child.stdout!)
  const { monitor, container } = await stopped(child)
  await until(() => linesOf(file).length >= 2, 'probes run')
  const targets = linesOf(`${file}.fds`)
    .slice(1)
    .map(line => line.split(' -> ')[1]!)
  for (const target of targets) assert.match(target, /^(\/dev\/null|\/proc\/\d+\/fd|.*\.fds)$/)
  const kilobytes = Number(
    /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${monitor}/smaps_rollup`, 'utf8'))![1],
  )
  assert.ok(kilobytes < 1024, `${kilobytes} kB`)
  child.kill('SIGKILL')
  const before = linesOf(file).length
  await until(() => linesOf(file).length > before + 1, 'they go on without the client')
  writeFileSync(end, '')
  await until(() => !isThere(container) && !isThere(monitor), 'all end')
  assert.equal(await said, 'out\n')
})

test('a command that cannot be started is a failure like any other', async t => {
  const { status, stderr } = await run(t, {
    script: 'sleep 0.3; exit 6',
    probe: { argv: ['/no/such/command'], interval: 5 },
  })
  assert.deepEqual({ status, stderr }, { status: 6, stderr: '' })
})

test('output at full speed goes on while probes run', async t => {
  const file = join(temporaryDirectory(t), 'probes')
  const child = client(t, {
    script: `yes 0123456789abcde | head -c 104857600; ${goesOnUntil(`${file}.3`)}`,
    hostPid: true,
    probe: {
      argv: ['/bin/sh', '-c', `echo one >> ${file}; [ $(wc -l < ${file}) -lt 3 ] || touch ${file}.3`],
      interval: 10,
    },
  })
  let sizeBytes = 0
  child.stdout!.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
  })
  const [status] = await new Promise<[number]>(resolve => child.on('exit', status => resolve([status!])))
  assert.deepEqual({ status, sizeBytes }, { status: 0, sizeBytes: 104_857_600 })
})
