// What is kept of an exec: only what is true of the container as its files are by then.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, it } from 'node:test'
import type { ExecOptions } from '../../src/containers/exec-session.ts'
import { keepExec } from '../../src/containers/kept-exec.ts'
import type { PlannedExec } from '../../src/containers/plan-exec.ts'
import { containerPaths } from '../../src/containers/state.ts'
import type { Executor } from '../../src/system/executor.ts'
import type { Call } from '../../src/system/wire.ts'

const directory = mkdtempSync(join(tmpdir(), 'minictr-kept-'))
after(() => rmSync(directory, { recursive: true }))
const roots = { root: directory, runRoot: directory }
const id = 'c'.repeat(64)
const paths = containerPaths(roots, id)
const record = { name: 'box', image: { name: 'image' }, labels: {} }

/** The names of the ops by which an exec is kept that was planned of this record. */
function keptBy(): string[] {
  const told: Call[] = []
  const host = { tell: (calls: Call[]) => told.push(...calls) } as unknown as Executor
  const planned = {
    ...{ id, name: 'box', record, container: { pid: 1, startTimeTicks: '1' } },
    spec: { process: { env: [] }, linux: {} },
    plan: {
      steps: [{ side: 'container', ops: [{ op: 'execve', candidates: [], argv: ['true'], env: [] }] }],
    },
  } as unknown as PlannedExec
  keepExec(planned, { interactive: false } as ExecOptions, roots, host)
  return told.map(({ name }) => name)
}

function write(path: string, content: object): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(content))
}

it('keeps an exec of the container as it was read', () => {
  write(paths.config, {})
  write(paths.record, record)
  assert.deepEqual(keptBy(), ['lock', 'write_file', 'rename', 'close'])
})

it('keeps none of a container that was renamed while its program was started', () => {
  write(paths.record, { ...record, name: 'other' })
  assert.deepEqual(keptBy(), [])
})

it('keeps none of a container that was removed while its program was started', () => {
  rmSync(paths.directory, { recursive: true })
  assert.deepEqual(keptBy(), [])
})
