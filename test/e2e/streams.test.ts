// What goes into a container and comes out of it through pipes, and the signals that reach its PID 1.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { quote } from '../../src/runtime/shell.ts'
import { executable } from '../fixtures/command-line.ts'
import { useDebian } from './debian.ts'

const debian = useDebian()

/** A shell line in which `run` stands for `minictr run --rm --quiet`, as a person types it into a pipeline. */
function shellLine(line: string): string {
  const run = [executable, ...debian.store().globals, 'run', '--rm', '--quiet', '--network', 'none']
    .map(quote)
    .join(' ')
  const script = `run() { ${run} "$@"; }\nimage=${quote(debian.store().image)}\n${line}`
  return execFileSync('bash', ['-c', script], {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

describe('standard input', () => {
  it('is empty without -i, whatever the caller has to say', async () => {
    const { status, stdout } = await debian.run([], ['cat'], { input: 'not for the container\n' })
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '' })
  })

  it('reaches the program with -i, and its end ends the program', async () => {
    const { status, stdout } = await debian.run(['-i'], ['cat'], { input: 'hi\n' })
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'hi\n' })
  })

  it('ends while the program still has something to say', async () => {
    const script = 'cat > /dev/null; echo after the end; sleep 0.2; echo and later'
    const { stdout } = await debian.run(['-i'], ['sh', '-c', script], { input: 'hi\n' })
    assert.equal(stdout, 'after the end\nand later\n')
  })

  it('is left to whoever reads it next, where the program reads only a part', () => {
    const file = join(debian.directory(), 'lines')
    writeFileSync(file, 'one\ntwo\n')
    const stdout = shellLine(`{ run -i $image true; cat; } < ${quote(file)} | tail -n 1`)
    assert.ok(stdout === 'two\n' || stdout === '', stdout)
  })

  it('may be a file, /dev/null or closed', () => {
    const file = join(debian.directory(), 'text')
    writeFileSync(file, 'from a file\n')
    assert.equal(shellLine(`run -i $image cat < ${quote(file)}`), 'from a file\n')
    assert.equal(shellLine('run -i $image cat < /dev/null; echo $?'), '0\n')
    assert.equal(shellLine('run -i $image cat <&-; echo $?'), '0\n')
  })

  it('carries bytes, not text', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256))
    const file = join(debian.directory(), 'bytes')
    writeFileSync(file, bytes)
    const stdout = shellLine(`run -i $image sha256sum < ${quote(file)}`)
    assert.equal(stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`)
  })
})

describe('standard output and error', () => {
  it('are two', async () => {
    const outcome = await debian.run([], ['sh', '-c', 'echo out; echo error >&2'])
    assert.deepEqual(outcome, { status: 0, stdout: 'out\n', stderr: 'error\n' })
  })

  it('come whole, 200 MB of them', () => {
    const expected = execFileSync('bash', ['-c', 'yes 0123456789 | head -c 200000000 | sha256sum'], {
      encoding: 'utf8',
    })
    const stdout = shellLine("run $image sh -c 'yes 0123456789 | head -c 200000000' | sha256sum")
    assert.equal(stdout, expected)
  })

  it('come whole where the program ends at once and the reader is slow', () => {
    const stdout = shellLine("run $image sh -c 'head -c 1000000 /dev/zero' | (sleep 1; wc -c)")
    assert.equal(stdout, '1000000\n')
  })

  it('end the program that writes for ever, when nobody reads on', () => {
    const stdout = shellLine('run $image yes 2>/dev/null | head -n 1; echo "status $PIPESTATUS"')
    assert.equal(stdout, 'y\nstatus 1\n')
    assert.equal(shellLine('run -t $image yes 2>/dev/null < /dev/null | head -n 1'), 'y\r\n')
  })

  it('may be closed from the beginning', () => {
    const stdout = shellLine("run $image sh -c 'echo lost; exit 3' >&- 2>&-; echo $?")
    assert.equal(stdout, '3\n')
  })

  it('may be one file, appended to in order', () => {
    const file = join(debian.directory(), 'log')
    writeFileSync(file, 'first\n')
    shellLine(`run $image sh -c 'echo second' >> ${quote(file)} 2>&1`)
    assert.equal(readFileSync(file, 'utf8'), 'first\nsecond\n')
  })

  it('do not become non-blocking for the programs that share them', async () => {
    const script =
      'run $image echo hi; python3 -c "import os, fcntl; print(fcntl.fcntl(1, fcntl.F_GETFL) & os.O_NONBLOCK)"'
    assert.equal(shellLine(script), 'hi\n0\n')
  })

  it('belong to the user the program runs as', async () => {
    const script = 'echo one > /dev/stdout; echo two > /proc/self/fd/2; stat -Lc %u /proc/self/fd/1'
    const { status, stdout, stderr } = await debian.run(['-u', 'daemon'], ['sh', '-c', script])
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'one\n1\n', stderr: 'two\n' })
  })

  it('are all that the program has open', async () => {
    const descriptor = openSync('/etc/passwd', 'r')
    try {
      // Not in a pipeline, which the shell itself would have open for a moment.
      assert.equal(await debian.inside('ls /proc/$$/fd; true'), '0\n1\n2')
    } finally {
      closeSync(descriptor)
    }
  })
})

/** Starts a shell that says which of these signals come, and ends at the one called USR2. */
function listening(flags: string[]) {
  const traps = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'WINCH', 'CONT'].map(
    name => `trap 'echo got ${name}' ${name}`,
  )
  const script = `${traps.join('; ')}; trap 'exit 9' USR2; echo ready; while :; do sleep 0.05; done`
  return debian.start(flags, ['sh', '-c', script])
}

async function printed(
  running: { output(): string; child: { stdout: NodeJS.ReadableStream | null } },
  what: string,
) {
  while (!running.output().includes(what)) await once(running.child.stdout!, 'data')
}

describe('output that cannot be written', () => {
  it('is told, and makes no success of it', () => {
    const lines: [line: string, status: number, stream: string][] = [
      ['run $image echo lost >/dev/full', 1, 'stdout'],
      ['run $image sh -c "echo lost; exit 3" >/dev/full', 3, 'stdout'],
      ['run -t $image echo lost >/dev/full', 1, 'stdout'],
      ['run $image sh -c "echo lost >&2" 2>/dev/full 1>&2', 1, ''],
    ]
    for (const [line, status, stream] of lines) {
      const [told, ended] = shellLine(`{ ${line}; } 2>&1; echo "status $?"`).split('status ')
      assert.equal(ended, `${status}\n`, line)
      if (stream)
        assert.equal(
          told,
          `minictr: write /dev/${stream}: no space left on device\nIts output is incomplete.\n`,
        )
    }
  })

  it('is not one that nobody wants to read on', () => {
    assert.equal(
      shellLine('run $image bash -c "echo first; echo second" | { read line; echo $line; }'),
      'first\n',
    )
    const line = '{ run $image sh -c "yes; exit 9" | head -n 1; echo $PIPESTATUS; } 2>&1'
    assert.equal(shellLine(line), 'y\n9\n')
  })
})

describe('a signal to minictr run', () => {
  it('reaches PID 1 of the container, and only once', async () => {
    const running = listening([])
    await printed(running, 'ready')
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1'] as const) {
      running.child.kill(signal)
      await printed(running, `got ${signal.slice(3)}\n`)
    }
    running.child.kill('SIGUSR2')
    const { status, stdout } = await running.outcome
    assert.equal(status, 9)
    assert.equal(stdout, 'ready\ngot HUP\ngot INT\ngot QUIT\ngot TERM\ngot USR1\n')
  })

  it('reaches the program below --init', async () => {
    const running = listening(['--init'])
    await printed(running, 'ready')
    running.child.kill('SIGTERM')
    await printed(running, 'got TERM\n')
    running.child.kill('SIGUSR2')
    assert.equal((await running.outcome).status, 9)
  })

  it('ends a program that has no handler only where --init stands above it', async () => {
    const running = debian.start(['--init'], ['sh', '-c', 'echo ready; exec sleep 1000'])
    await printed(running, 'ready')
    running.child.kill('SIGTERM')
    assert.equal((await running.outcome).status, 143)
  })

  it('stays outside with --sig-proxy=false', async () => {
    const name = 'not-disturbed'
    const running = debian.start(
      ['--sig-proxy=false', '--name', name],
      ['sh', '-c', "trap 'exit 9' TERM; echo ready; sleep 1000 & wait"],
    )
    await printed(running, 'ready')
    running.child.kill('SIGTERM')
    await once(running.child, 'exit')
    const { stdout } = await debian.minictr('ps')
    assert.match(stdout, /Up .*not-disturbed\n$/)
    assert.equal((await debian.minictr('rm', '-f', name)).status, 0)
  })
})
