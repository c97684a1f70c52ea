// Killed with SIGKILL between two steps of a run: minictr alone, or all that it started as well. Nothing remains of it.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { commandsWith, family, killIfThere } from '../fixtures/victims.ts'
import { assertNothingLeft, idsIn, namesIn, useDebian } from './debian.ts'

const debian = useDebian()
const flags = ['--rm', '--network', 'none', '-m', '64m']
const prompt = 'next continue quit sh look plan help > '

let steps: { id: string; side: string }[]

/** A run that waits before its step of this number, counted from 0. */
async function waiting(index: number): Promise<Session> {
  const { globals, image } = debian.store()
  const run = ['run', '--step', ...flags, image, 'true']
  const session = atTerminal([executable, ...globals, ...run])
  for (let at = 0; at < index; at++) {
    await session.see(prompt)
    session.type('')
  }
  await session.see(`  ${steps[index]!.id} `)
  await session.see(prompt)
  return session
}

/** The monitor sees that minictr is gone, and starts what undoes the run; until then the next command leaves it to it. */
async function monitorCleansUp(): Promise<void> {
  for (let attempt = 0; idsIn(debian.store().runRoot).length > 0; attempt++) {
    assert.ok(attempt < 1000, 'the journal goes when all is undone')
    await sleep(20)
  }
}

/** No cgroup of the container that the session showed. */
function assertNoCgroup(text: string): void {
  const id = /^ {2}ID=([0-9a-f]{64})$/m.exec(text)![1]!
  for (const hierarchy of namesIn('/sys/fs/cgroup'))
    assert.ok(!namesIn(`/sys/fs/cgroup/${hierarchy}/minictr`).includes(id), `${hierarchy}/minictr/${id}`)
}

describe('SIGKILL before a step', () => {
  before(async () => {
    const { stdout } = await debian.minictr(
      'explain',
      'run',
      '--json',
      ...flags,
      debian.store().image,
      'true',
    )
    steps = JSON.parse(stdout).steps
  })

  for (const whom of ['minictr', 'all of its processes']) {
    it(`to ${whom} leaves nothing that the next command does not undo`, async () => {
      // The host's acts are those that outlive a process; of the container's side some do for all.
      const chosen = [...steps.entries()].filter(([at, { side }]) => side === 'host' || at % 5 === 0)
      for (const index of [...chosen.map(([at]) => at), steps.length - 1]) {
        const session = await waiting(index)
        const own = commandsWith(debian.store().root, '--step')
        assert.ok(own.length > 0, 'the run is to be found')
        for (const pid of whom === 'minictr' ? own : family(own[0]!)) killIfThere(pid)
        const { text } = await session.end()
        if (whom === 'minictr') await monitorCleansUp()
        const { status, stderr } = await debian.minictr('system', 'recover')
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, `before ${steps[index]!.id}`)
        await assertNothingLeft(debian.store())
        assertNoCgroup(text)
      }
    })
  }
})
