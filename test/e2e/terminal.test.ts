// A terminal for the container: its name and size, what is typed, and the user's own terminal afterwards.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { quote } from '../../src/runtime/shell.ts'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { idsIn, namesIn, useDebian } from './debian.ts'

const debian = useDebian()

/**
 * A person at a terminal whose shell performs the lines typed and tells each one's status; `run` stands for
 * `minictr run --rm`, `$image` for Debian.
 */
async function person(): Promise<Session> {
  const run = [executable, ...debian.store().globals, 'run', '--rm', '--network', 'none']
  const script = [
    `run() { ${run.map(quote).join(' ')} "$@"; }`,
    `image=${quote(debian.store().image)}`,
    'stty -echo rows 33; echo your wish',
    'while IFS= read -r line; do eval "$line"; echo "host $?>"; done',
  ]
  const session = atTerminal(['bash', '-c', script.join('\n')])
  await session.see('your wish\n')
  return session
}

/** The settings of the terminal, as stty(1) tells them, in a few characters. */
const settings = 'stty -g | md5sum'
const settingsText = /[0-9a-f]{32}/

/** The monitor of the one container that runs. */
function monitorPid(): string {
  const { runRoot } = debian.store()
  const journal = readFileSync(join(runRoot, idsIn(runRoot)[0]!, 'journal'), 'utf8')
  return /"owner":\{"pid":(\d+)/.exec(journal)![1]!
}

/** The terminals that a process has open. */
function terminalsOf(pid: string): string[] {
  return namesIn(`/proc/${pid}/fd`)
    .map(fd => targetOf(`/proc/${pid}/fd/${fd}`))
    .filter(path => /^\/dev\/pts\/\d+$/.test(path))
}

/** Where a link leads; nowhere where it is gone by now. */
function targetOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

async function leave(session: Session): Promise<void> {
  session.press('\x04')
  assert.equal((await session.end()).status, 0)
}

describe('run -t', () => {
  it('gives the program a terminal with a name of its own', async () => {
    const session = await person()
    const script =
      'tty; ls -l /proc/self/fd | grep -c pts/0; stat -c %t:%T /dev/console; echo x > /dev/tty; ls /dev/pts'
    session.type(`run -it $image sh -c ${quote(script)}`)
    await session.see('/dev/pts/0\n2\n88:0\nx\n0  ptmx\n')
    await session.see('host 0>')
    await leave(session)
  })

  it('gives one where there is none outside, for output alone', async () => {
    const { status, stdout } = await debian.run(
      ['-t'],
      ['sh', '-c', 'tty; echo $TERM; test -t 1 && echo yes >&2'],
    )
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '/dev/pts/0\r\nxterm\r\nyes\r\n' })
  })

  it('says why ^C does nothing to a program that does not catch it, and that --init changes that', async () => {
    const session = await person()
    session.type('run --name deaf $image sh -c "echo ready; exec sleep 1000"')
    await session.see('ready')
    // exec is the next thing the shell does; only sleep(1) does not catch it.
    session.press('\x03')
    await session.see('SIGINT does nothing here: the program does not catch it')
    await session.see('minictr rm --force deaf')
    await debian.minictr('rm', '--force', 'deaf')
    await session.see('host 137>')
    session.type('run --init $image sh -c "echo ready; exec sleep 1000"')
    await session.see('ready')
    session.press('\x03')
    await session.see('host 130>')
    await leave(session)
  })

  it('says nothing of the sort where --init passes ^C on', async () => {
    const session = await person()
    const script = "trap 'echo heard; trap - INT' INT; echo ready; while :; do sleep 0.1; done"
    session.type(`run --init $image sh -c ${quote(script)}`)
    await session.see('ready')
    session.press('\x03')
    await session.see('heard')
    session.press('\x03')
    await session.see('host 130>')
    session.press('\x04')
    assert.doesNotMatch((await session.end()).text, /does nothing here/)
  })

  it('makes what is typed reach the program, ^C as a signal, ^D as an end', async () => {
    const session = await person()
    const script = "trap 'echo interrupted; exit 4' INT; echo ready; while :; do sleep 0.1; done"
    session.type(`run -it $image bash -c ${quote(script)}`)
    await session.see('ready')
    session.press('\x03')
    await session.see('interrupted\nhost 4>')
    session.type('run -it $image sh -c "echo ready; cat"')
    await session.see('ready')
    session.type('some words')
    await session.see('some words\nsome words\n') // the echo of the container's terminal, and cat's own
    session.press('\x04')
    await session.see('host 0>')
    await leave(session)
  })

  it('has the size of the terminal, at the start and after a change', async () => {
    const session = await person()
    session.type('tty')
    const tty = await session.see(/\/dev\/pts\/\d+/)
    const script = "trap 'stty size; exit' WINCH; stty size; echo ready; while :; do sleep 0.1; done"
    session.type(`run -it $image bash -c ${quote(script)}`)
    await session.see('33 100\nready')
    execFileSync('stty', ['-F', tty, 'rows', '44', 'columns', '88'])
    await session.see('44 88\nhost 0>')
    await leave(session)
  })

  it('lets a person work in a shell', async () => {
    const session = await person()
    session.type('run -it --hostname inside --env PS1="here> " $image bash --norc')
    await session.see('here> ')
    session.type('echo $((6 * 7)) at $(hostname)')
    await session.see('42 at inside\n')
    // What is seen comes from the process that is to be interrupted: it has the terminal, and the shell waits for it.
    session.type('sh -c \'echo a""sleep; exec sleep 1000\'')
    await session.see('asleep\n')
    session.press('\x03')
    await session.see('here> ')
    session.type('sleep 1000 & jobs; kill %1')
    await session.see('Running')
    session.type('exit')
    await session.see('host ')
    await leave(session)
  })
})

describe('the terminal of the user', () => {
  async function settingsOf(session: Session): Promise<string> {
    session.type(settings)
    const told = await session.see(settingsText)
    await session.see('host 0>')
    return told
  }

  /** Performs lines one by one; after each one, the terminal must be as it was. */
  async function unchanged(session: Session, lines: [line: string, see: string][]): Promise<void> {
    const before = await settingsOf(session)
    for (const [line, what] of lines) {
      session.type(line)
      await session.see(what)
      assert.equal(await settingsOf(session), before, line)
    }
  }

  it('is as before after an end, an error and a signal', async () => {
    const session = await person()
    await unchanged(session, [
      ['run -it $image true', 'host 0>'],
      ['run -it $image sh -c "stty raw -echo; exit 3"', 'host 3>'],
      ['run -it $image nosuch', 'host 127>'],
      ['run -it --workdir /etc/passwd $image true', 'host 125>'],
      ["run -it --init $image bash -c 'kill -KILL $BASHPID'", 'host 137>'],
    ])
    await leave(session)
  })

  it('is as before after minictr was killed; the container goes on', async () => {
    const session = await person()
    const name = `killed-at-terminal-${process.pid}`
    const before = await settingsOf(session)
    session.type(`run -it --name ${name} $image sh -c 'echo ready; sleep 1000; true'`)
    await session.see('ready')
    execFileSync('pkill', ['-KILL', '-f', name])
    await session.see('host 137>')
    // The shell goes on at once; the monitor, which puts it right, hears of it a moment later, and takes what is typed till then.
    while (terminalsOf(monitorPid()).length > 0) await sleep(20)
    assert.equal(await settingsOf(session), before)
    await leave(session)
    assert.match((await debian.minictr('ps')).stdout, new RegExp(`Up .*${name}\n$`))
    assert.equal((await debian.minictr('rm', '-f', name)).status, 0)
  })
})
