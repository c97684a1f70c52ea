// The log the monitor writes: Docker's json-file, whole and well-formed whatever the container writes.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { client, isThere, run, stopped, textOf, until } from './clients.ts'

function logPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-log-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'json.log')
}

type Entry = { log: string; stream: string; time: string }

function linesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8')
  assert.match(text, /\n$/)
  return text.slice(0, -1).split('\n')
}

function entriesOf(path: string): Entry[] {
  return linesOf(path).map(line => JSON.parse(line) as Entry)
}

function textsOf(path: string): string[] {
  return entriesOf(path).map(({ log }) => log)
}

/** What is in a container: a file with these bytes, to be written by its script. */
function fileOf(path: string, bytes: Buffer | string): string {
  const file = `${path}.bytes`
  writeFileSync(file, bytes)
  return file
}

test('each line is an entry, with its stream and its time; the client sees it as well', async t => {
  const path = logPath(t)
  const before = new Date()
  const { stdout, stderr } = await run(t, {
    script: 'echo one; sleep 0.05; echo two >&2; sleep 0.05; printf "a\\nb"',
    log: { path },
  })
  assert.deepEqual([stdout, stderr], ['one\na\nb', 'two\n'])
  const entries = entriesOf(path)
  assert.deepEqual(
    entries.map(({ log, stream }) => [log, stream]),
    [
      ['one\n', 'stdout'],
      ['two\n', 'stderr'],
      ['a\n', 'stdout'],
      ['b', 'stdout'],
    ],
  )
  for (const line of linesOf(path))
    assert.match(
      line,
      /^\{"log":".*","stream":"std(out|err)","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z"\}$/,
    )
  const times = entries.map(({ time }) => Date.parse(time))
  assert.deepEqual(times, times.toSorted())
  assert.ok(times[0]! >= before.getTime() - 1 && times.at(-1)! <= Date.now())
  assert.equal(statSync(path).mode & 0o7777, 0o640)
})

test('what is written is escaped as Go does it', async t => {
  const path = logPath(t)
  const bytes = fileOf(path, '<a href="x">&\\\t\x01\x7f\r\u2028\u2029 é 語 \u{1f600}\n')
  await run(t, { script: `cat ${bytes}`, log: { path } })
  const line = linesOf(path)[0]!
  assert.ok(
    line.startsWith(
      '{"log":"\\u003ca href=\\"x\\"\\u003e\\u0026\\\\\\u0009\\u0001\x7f\\r\\u2028\\u2029 é 語 \u{1f600}\\n","stream"',
    ),
    line,
  )
})

test('all 256 bytes, and what is no UTF-8, come out as Go reads them', async t => {
  const path = logPath(t)
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 10))
  const odd = ['c0af', 'e08080', 'eda080', 'f0808080', 'f4908080', 'f5', 'e2', 'e282', 'c3a9e282ac']
  const bytes = Buffer.concat([all, Buffer.from('\n'), ...odd.map(hex => Buffer.from(`${hex}0a`, 'hex'))])
  await run(t, { script: `cat ${fileOf(path, bytes)}`, log: { path } })
  const high = '\ufffd'.repeat(128)
  assert.deepEqual(textsOf(path), [
    `${all.subarray(0, 127).toString('latin1')}${high}\n`,
    '\ufffd\ufffd\n',
    '\ufffd\ufffd\ufffd\n',
    '\ufffd\ufffd\ufffd\n',
    '\ufffd\ufffd\ufffd\ufffd\n',
    '\ufffd\ufffd\ufffd\ufffd\n',
    '\ufffd\n',
    '\ufffd\n',
    '\ufffd\ufffd\n',
    'é€\n',
  ])
})

test('text of every length and alignment arrives as it was', async t => {
  const path = logPath(t)
  const lines: string[] = []
  for (let i = 0; i < 400; i++) {
    const at = i % 37
    lines.push(`${'x'.repeat(at)}${['"', '<', 'é', '\\', '\t', '語', '&'][i % 7]}${'y'.repeat((i * 7) % 61)}`)
  }
  await run(t, { script: `cat ${fileOf(path, `${lines.join('\n')}\n`)}`, log: { path } })
  assert.deepEqual(
    textsOf(path),
    lines.map(line => `${line}\n`),
  )
})

test('long lines become several entries, the last of which ends', async t => {
  const path = logPath(t)
  const long = 'abcdefghi\t'.repeat(5000)
  await run(t, {
    script: `cat ${fileOf(path, `${long}\nshort\n`)}; head -c 16384 /dev/zero | tr '\\0' z; echo`,
    log: { path },
  })
  const texts = textsOf(path)
  assert.deepEqual(
    texts.map(text => text.length),
    [16384, 16384, 16384, 50000 + 1 - 3 * 16384, 6, 16384, 1],
  )
  assert.equal(texts.slice(0, 4).join(''), `${long}\n`)
})

test('entries end where lines do or have 16 KiB, however reading cuts them', async t => {
  const path = logPath(t)
  const lengths = [0, 1, 16382, 16383, 16384, 16385, 32767, 32768, 40000, 3, 65535, 0, 65536, 15, 16, 17]
  const lines = [...lengths, ...lengths.toReversed()].map(length => `${'<'.repeat(length)}\n`)
  const bytes = fileOf(path, lines.join(''))
  for (const block of [1000, 65_536]) {
    const log = `${path}.${block}`
    await run(t, { script: `dd if=${bytes} bs=${block} 2>/dev/null`, log: { path: log } })
    const expected = lines.flatMap(line => line.match(/.{1,16384}/gs)!)
    assert.equal(textsOf(log).join('|') === expected.join('|'), true, `in blocks of ${block}`)
  }
})

test('a line that comes in pieces is one entry', async t => {
  const path = logPath(t)
  await run(t, {
    script: 'printf "a "; sleep 0.1; printf "line"; sleep 0.1; echo .; printf "no end"',
    log: { path },
  })
  assert.deepEqual(textsOf(path), ['a line.\n', 'no end'])
})

test('of a terminal all is stdout', async t => {
  const path = logPath(t)
  await run(t, { script: 'echo out; echo err >&2', terminal: true, log: { path } })
  assert.deepEqual(
    entriesOf(path).map(({ log, stream }) => [log, stream]),
    [
      ['out\r\n', 'stdout'],
      ['err\r\n', 'stdout'],
    ],
  )
})

test('files are rotated at line ends; so many are kept, and nothing is lost between them', async t => {
  const path = logPath(t)
  const script = 'i=0; while [ $i -lt 100 ]; do echo "line $i"; i=$((i+1)); done'
  await run(t, { script, log: { path, maxBytes: 1000, maxFiles: 3 } })
  const files = readdirSync(join(path, '..')).sort()
  assert.deepEqual(files, ['json.log', 'json.log.1', 'json.log.2'])
  const texts = [`${path}.2`, `${path}.1`, path].flatMap(textsOf)
  assert.equal(texts.at(-1), 'line 99\n')
  const first = 100 - texts.length
  assert.deepEqual(
    texts,
    texts.map((_, index) => `line ${first + index}\n`),
  )
  for (const number of [1, 2]) {
    const sizeBytes = statSync(`${path}.${number}`).size
    assert.ok(sizeBytes >= 1000 && sizeBytes < 1100, String(sizeBytes))
  }
})

test('with one file the old one is dropped', async t => {
  const path = logPath(t)
  await run(t, { script: 'seq 1 200', log: { path, maxBytes: 1000, maxFiles: 1 } })
  assert.deepEqual(readdirSync(join(path, '..')), ['json.log'])
  assert.equal(textsOf(path).at(-1), '200\n')
  assert.ok(statSync(path).size < 1100)
})

test('a second run appends; a line that a killed writer left torn is lost alone', async t => {
  const path = logPath(t)
  await run(t, { script: 'echo one', log: { path } })
  appendFileSync(path, '{"log":"torn')
  await run(t, { script: 'echo two', log: { path } })
  const lines = linesOf(path)
  assert.equal(lines.length, 3)
  assert.equal(lines[1], '{"log":"torn')
  assert.deepEqual([JSON.parse(lines[0]!).log, JSON.parse(lines[2]!).log], ['one\n', 'two\n'])
})

test('it is made with the first output', async t => {
  const path = logPath(t)
  await run(t, { script: 'true', log: { path } })
  assert.equal(existsSync(path), false)
})

test('it is complete when the end is recorded and the command for orphans starts, whoever reads slowly', async t => {
  const path = logPath(t)
  const [recordExit, counted] = [`${path}.exit`, `${path}.counted`]
  const child = client(t, {
    script: 'head -c 300000 /dev/zero | tr "\\0" "a" | fold -w 99; printf end',
    log: { path },
    recordExit,
    onOrphan: [
      '/bin/sh',
      '-c',
      `grep -c . ${path} > ${counted}.new; ls ${recordExit} && mv ${counted}.new ${counted}`,
    ],
    stopAt: 'running',
  })
  const { monitor } = await stopped(child)
  child.kill('SIGKILL')
  await until(() => existsSync(counted), 'the command is started')
  const lines = Math.ceil(300000 / 99)
  assert.equal(Number(readFileSync(counted, 'utf8')), lines)
  assert.equal(textsOf(path).at(-1)!.endsWith('end'), true)
  await until(() => !isThere(monitor), 'the monitor ends')
})

test('a client that reads nothing holds neither the record of the end up nor the log', async t => {
  const path = logPath(t)
  const recordExit = `${path}.exit`
  const child = client(t, { script: 'timeout -s KILL 1 yes; exit 3', log: { path }, recordExit })
  await until(() => existsSync(recordExit), 'the end is recorded')
  assert.equal(JSON.parse(readFileSync(recordExit, 'utf8')).exitStatus, 3)
  const fromStdout = entriesOf(path).filter(({ stream }) => stream === 'stdout')
  const logged = fromStdout.map(({ log }) => log).join('')
  const [said, [status]] = await Promise.all([textOf(child.stdout!), once(child, 'exit')])
  assert.equal(status, 3)
  assert.equal(said === logged, true, `${said.length} said, ${logged.length} logged`)
})

test('a full disk holds nothing up', async t => {
  const path = logPath(t)
  const disk = `${path}.disk`
  execFileSync('mkdir', [disk])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
  try {
    const script = 'seq 1 20000; exit 7'
    const { stdout, status } = await run(t, { script, log: { path: `${disk}/json.log` } })
    assert.equal(status, 7)
    assert.equal(stdout.length, execFileSync('seq', ['1', '20000']).length)
    const lines = readFileSync(`${disk}/json.log`, 'utf8').split('\n')
    assert.ok(lines.length > 500)
    for (const line of lines.slice(0, -1)) assert.doesNotThrow(() => JSON.parse(line))
  } finally {
    execFileSync('umount', [disk])
  }
})

test('once a full disk has room again, the log goes on with a new line', async t => {
  const path = logPath(t)
  const disk = `${path}.disk`
  execFileSync('mkdir', [disk])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
  try {
    writeFileSync(`${disk}/filler`, Buffer.alloc(3_500_000))
    const script = `seq 1 100000; rm ${disk}/filler; echo after`
    await run(t, { script, log: { path: `${disk}/json.log` } })
    const lines = linesOf(`${disk}/json.log`)
    assert.equal(JSON.parse(lines.at(-1)!).log, 'after\n')
    const isTorn = (line: string) => !line.startsWith('{"log":"') || !line.endsWith('Z"}')
    assert.equal(lines.filter(isTorn).length <= 1, true)
  } finally {
    execFileSync('umount', [disk])
  }
})

test('much output is logged whole', async t => {
  const path = logPath(t)
  await run(t, {
    script: 'seq 1 300000',
    log: { path },
    streams: { stdin: false, stdout: false, stderr: false },
  })
  const texts = textsOf(path)
  assert.equal(texts.length, 300_000)
  assert.equal(
    texts.findIndex((text, index) => text !== `${index + 1}\n`),
    -1,
  )
})
