// An image of many layers: more of them than the options of one mount hold.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Journal } from '../../src/runtime/journal.ts'
import { perform, undo } from '../../src/runtime/perform.ts'
import { plan } from '../../src/runtime/plan.ts'
import { annotation, type OverlaySource } from '../../src/runtime/spec.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { identify } from '../../src/system/process-identity.ts'
import { makeBundle } from '../fixtures/bundle.ts'

const layerCount = 60

test('the root shows the files of all its layers, however many and long their names', async t => {
  const bundle = makeBundle()
  t.after(() => bundle.remove())
  const lower = Array.from({ length: layerCount }, (_, at) => {
    const layer = join(bundle.base, `${String(at).padStart(100, '0')},with:signs`)
    mkdirSync(layer)
    writeFileSync(join(layer, `file-${at}`), '')
    return layer
  })
  const overlay = JSON.parse(bundle.spec.annotations[annotation.overlay]!) as OverlaySource
  const layered = JSON.stringify({ ...overlay, lower: [...overlay.lower, ...lower] })
  bundle.spec.annotations[annotation.overlay] = layered
  const monitor = Monitor.spawn({ stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
  const journal = new Journal(bundle.context.runDirectory, identify(monitor.pid))
  let seen: string[] = []
  const outcome = await perform(
    plan(bundle.spec, bundle.context),
    { host: monitor.host, container: monitor.init },
    journal,
    {
      before: async () => 'go',
      after: ({ step, pid }) => {
        if (step.id === 'pivot-root') seen = readdirSync(`/proc/${pid}/root`)
      },
    },
  )
  assert.ok('pid' in outcome)
  monitor.tell('watch', outcome.pid)
  await monitor.exit()
  assert.deepEqual((await undo(journal, monitor.host)).failed, [])
  await monitor.close()
  assert.deepEqual(
    seen.filter(name => name.startsWith('file-')).sort(),
    lower.map((_, at) => `file-${at}`).sort(),
  )
})
