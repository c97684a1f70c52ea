// Any one step fails, or one of the two processes is killed before it: all is undone and the host is as it was.

import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Journal } from '../../src/runtime/journal.ts'
import type { Op } from '../../src/runtime/op.ts'
import { perform, undo, undoEntries } from '../../src/runtime/perform.ts'
import { plan } from '../../src/runtime/plan.ts'
import type { Plan, Step } from '../../src/runtime/step.ts'
import { StepError } from '../../src/runtime/step-error.ts'
import { undoesOf } from '../../src/runtime/steps/undo.ts'
import { spawnExecutor } from '../../src/system/executor.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { identify } from '../../src/system/process-identity.ts'
import { type Bundle, makeBundle } from '../fixtures/bundle.ts'
import { hostState } from '../fixtures/host-state.ts'

/** An op no kernel can perform, on either side. */
const impossible: Op = { op: 'rmdir', path: '/minictr-has-no-such-directory' }

for (const mapped of [false, true]) {
  describe(`a plan ${mapped ? 'with' : 'without'} a user namespace`, () => {
    let bundle: Bundle
    let steps: Step[]
    before(() => {
      bundle = makeBundle({ mapped })
      steps = plan(bundle.spec, bundle.context).steps
    })
    after(() => bundle.remove())

    it('runs to its end, and undoing it leaves nothing', async () => {
      const before = hostState(bundle.context.containerId)
      const { monitor, journal } = start(bundle)
      const outcome = await perform(
        { containerId: bundle.context.containerId, command: 'run', steps },
        sides(monitor),
        journal,
      )
      assert.ok('pid' in outcome)
      monitor.tell('watch', outcome.pid)
      const exit = await monitor.exit()
      assert.notEqual(exit.status, 0, 'the helper without a role prints its usage and fails')
      assert.equal(exit.signal, null)
      assert.deepEqual((await undo(journal, monitor.host)).failed, [])
      await monitor.close()
      assertClean(bundle, before)
    })

    it('undoes everything, whichever step fails, before or after its ops', async () => {
      for (const [index, step] of steps.entries()) {
        const failing = [
          { ...step, ops: [impossible, ...step.ops] },
          ...(index < steps.length - 1 ? [{ ...step, ops: [...step.ops, impossible] }] : []),
        ]
        for (const failed of failing) await assertRolledBack(bundle, steps.with(index, failed), step.id)
      }
    })

    it('leaves a container that is to stay and is made, whichever step of its start fails', async () => {
      const kept = plan(bundle.spec, { ...bundle.context, isKept: true })
      const first = kept.keptFrom!
      assert.equal(kept.steps[first - 1]!.lasts, 'container')
      const before = hostState(bundle.context.containerId)
      for (const [index, step] of kept.steps.entries()) {
        const failing = {
          ...kept,
          steps: kept.steps.with(index, { ...step, ops: [impossible, ...step.ops] }),
        }
        const { monitor, journal } = start(bundle)
        const made = kept.steps.slice(0, index).filter(({ lasts }) => lasts === 'container')
        await assert.rejects(perform(failing, sides(monitor), journal), ({ rollback }: StepError) => {
          assert.deepEqual(rollback.failed, [])
          const ids = made.map(({ id }) => id)
          assert.equal(
            ids.some(id => rollback.undone.includes(id)),
            index < first && ids.length > 0,
            step.id,
          )
          return true
        })
        await monitor.close()
        assert.equal(existsSync(bundle.context.directory), index >= first, step.id)
        assert.equal(existsSync(bundle.context.runDirectory), false)
        const next = spawnExecutor()
        if (index >= first) await undoEntries(undoesOf(made).reverse(), next.executor)
        await next.close()
        assertClean(bundle, before)
      }
    })

    for (const victim of ['monitor', 'init'] as const) {
      it(`leaves nothing that cannot be undone, whichever step the ${victim} is killed before`, async () => {
        const first = victim === 'monitor' ? 0 : steps.findIndex(({ id }) => id === 'spawn-init') + 1
        for (let index = first; index < steps.length; index++)
          await assertRecovered(bundle, steps, index, victim)
      })
    }

    it('undoes everything when each step is sent on its own and the last one before the program is refused', async () => {
      const before = hostState(bundle.context.containerId)
      const { monitor, journal } = start(bundle)
      const outcome = await perform(
        { containerId: bundle.context.containerId, command: 'run', steps },
        sides(monitor),
        journal,
        {
          before: async (_, index, total) => (index === total - 1 ? 'quit' : 'go'),
        },
      )
      assert.deepEqual(outcome, { quit: true, index: steps.length - 1, leftovers: [] })
      await monitor.close()
      assertClean(bundle, before)
    })
  })
}

describe('a mount that the kernel refuses in a user namespace', () => {
  it('is told with its cause', async t => {
    const bundle = makeBundle({ mapped: true })
    t.after(() => bundle.remove())
    bundle.spec.mounts.push({ destination: '/refused', type: 'devtmpfs', source: 'devtmpfs' })
    const { monitor, journal } = start(bundle)
    const refused = perform(plan(bundle.spec, bundle.context), sides(monitor), journal)
    await assert.rejects(
      refused,
      /\(mount-refused\) failed[\s\S]* = EPERM\nLikely cause: devtmpfs is none of the file systems/,
    )
    await monitor.close()
  })
})

function start(bundle: Bundle) {
  const monitor = Monitor.spawn({ stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
  return { monitor, journal: new Journal(bundle.context.runDirectory, identify(monitor.pid)) }
}

function sides(monitor: Monitor) {
  return { host: monitor.host, container: monitor.init }
}

async function assertRolledBack(bundle: Bundle, steps: Plan['steps'], failedId: string): Promise<void> {
  const before = hostState(bundle.context.containerId)
  const { monitor, journal } = start(bundle)
  const error = await perform(
    { containerId: bundle.context.containerId, command: 'run', steps },
    sides(monitor),
    journal,
  ).then(
    () => assert.fail(`${failedId}: the plan should not have succeeded`),
    (reason: unknown) => reason,
  )
  await monitor.close()
  assert.ok(error instanceof StepError, `${failedId}: ${error}`)
  assert.equal(error.failure.step.id, failedId)
  assert.equal(error.failure.errno, 'ENOENT')
  assert.deepEqual(error.rollback.failed, [], failedId)
  assertClean(bundle, before)
}

/** Kills, lets the run fail as it may, and undoes what it left, as the next command would. */
async function assertRecovered(
  bundle: Bundle,
  steps: Step[],
  index: number,
  victim: 'monitor' | 'init',
): Promise<void> {
  const { containerId } = bundle.context
  const before = hostState(containerId)
  const { monitor, journal } = start(bundle)
  let init = 0
  await perform({ containerId, command: 'run', steps }, sides(monitor), journal, {
    before: async (_, at) => {
      if (at === index) process.kill(victim === 'monitor' ? monitor.pid : init, 'SIGKILL')
      return 'go'
    },
    after({ pid }) {
      init = pid
    },
  }).catch((error: unknown) => assert.ok(error instanceof StepError, String(error)))
  await monitor.close()
  const next = spawnExecutor()
  const { failed } = await undo(journal, next.executor)
  await next.close()
  assert.deepEqual(failed, [], `before ${steps[index]!.id}`)
  assertClean(bundle, before)
}

function assertClean(bundle: Bundle, before: string): void {
  assert.equal(hostState(bundle.context.containerId), before)
  assert.equal(existsSync(bundle.context.directory), false)
  assert.equal(existsSync(bundle.context.runDirectory), false)
  assert.deepEqual(readdirSync(dirname(bundle.context.nameFile!)), [])
}
