// SIGKILL between two steps of making a container, of starting it and of stopping it: to minictr alone, or to all that it started.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { idsIn } from '../e2e/debian.ts'
import { executable } from '../fixtures/command-line.ts'
import { useSmallStore } from '../fixtures/small-store.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { commandsWith, family, killIfThere } from '../fixtures/victims.ts'

const store = useSmallStore()
const prompt = 'next continue quit sh look plan help > '
const create = ['--name', 'victim', '--network', 'none', '-m', '64m']

/** The command, which waits before its step of this number, counted from 0. */
async function waiting(command: string[], at: number): Promise<{ session: Session; total: number }> {
  const session = atTerminal([executable, ...store.globals, ...command])
  for (let step = 0; step < at; step++) {
    await session.see(prompt)
    session.type('')
  }
  const shown = await session.see(new RegExp(`^ *${at + 1}/\\d+ `, 'm'))
  await session.see(prompt)
  return { session, total: Number(/\d+ $/.exec(shown)![0]) }
}

/** The command is killed before each of its steps on the host, which come first, and some of those in the container. */
async function killedAtEach(
  command: string[],
  whom: Whom,
  check: (what: string) => Promise<void>,
): Promise<void> {
  for (
    let at = 0, total = 1;
    at < total;
    at += at < 10 || at === total - 1 ? 1 : Math.min(15, total - 1 - at)
  ) {
    const waits = await waiting(command, at)
    total = waits.total
    kill(whom)
    await waits.session.end()
    // The monitor that lives undoes it by itself.
    if (whom === 'minictr') while (idsIn(store.runRoot).length > 0) await sleep(10)
    await check(`before step ${at + 1}`)
  }
}

/** Kills minictr, or with it all that it has started. */
function kill(whom: Whom): void {
  const own = commandsWith(store.root, '--step')
  assert.ok(own.length > 0, 'the command is to be found')
  for (const pid of whom === 'minictr' ? own : family(own[0]!)) killIfThere(pid)
}

const everybody = ['minictr', 'all of its processes'] as const
type Whom = (typeof everybody)[number]

/** After the command was killed: what is told, and what is left when it has been recovered. */
async function assertTold(
  expected: RegExp | undefined,
  before: string | undefined,
  what: string,
): Promise<void> {
  const { status, stdout, stderr } = await store.minictr('ps', '-a')
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, what)
  if (expected) assert.match(stdout, expected, what)
  else assert.doesNotMatch(stdout, /victim/, what)
  assert.equal(await store.succeed('system', 'recover'), '', what)
  await store.assertAsBefore(before)
}

for (const whom of everybody) {
  describe(`SIGKILL to ${whom}`, () => {
    for (const command of ['create', 'run -d']) {
      it(`before each step of ${command}: there is no such container`, async () => {
        const words = [...command.split(' '), ...create, '--step', store.image, 'sleep', '1000']
        await killedAtEach(words, whom, what => assertTold(undefined, undefined, what))
      })
    }

    it('before each step of start: the container is as it was, and can be started', async () => {
      await store.succeed('create', ...create, store.image, 'true')
      await store.succeed('start', '-a', 'victim')
      const before = await store.settledState()
      await killedAtEach(['start', '--step', 'victim'], whom, what =>
        assertTold(/ Exited \(0\) .* victim$/m, before, what),
      )
      await store.succeed('start', '-a', 'victim')
      await store.succeed('rm', 'victim')
    })

    it('before each step of stop: the container runs, or is stopped', async () => {
      await store.succeed('create', ...create, store.image, 'sleep', '1000')
      // Twice: from the second start on it is written down which end was before.
      for (let start = 0; start < 2; start++) {
        await store.succeed('start', 'victim')
        await store.succeed('stop', '-t', '0', 'victim')
      }
      const before = await store.settledState()
      for (let at = 0, isKilled = true; isKilled; at++) {
        await store.succeed('start', 'victim')
        const stopper = spawn(
          process.execPath,
          [join(import.meta.dirname, 'stopper.ts'), store.root, store.runRoot, 'victim', String(at), whom],
          { stdio: ['ignore', 'inherit', 'inherit'] },
        )
        const [status, signal] = await once(stopper, 'exit')
        isKilled = signal === 'SIGKILL'
        assert.ok(isKilled || (status === 0 && at > 3), `step ${at}: ${status}`)
        const told = await store.succeed('ps', '-a')
        assert.match(told, / (Up|Exited \(137\)) .* victim$/m)
        await store.succeed('stop', '-t', '0', 'victim')
        await assertTold(/ Exited \(137\) .* victim$/m, before, `step ${at}`)
      }
      await store.succeed('rm', 'victim')
    })
  })
}
