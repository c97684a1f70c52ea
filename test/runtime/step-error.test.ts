// What the error of a step says: the act, the errno, and the words of whoever refused it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { perform } from '../../src/runtime/perform.ts'
import { StepError } from '../../src/runtime/step-error.ts'
import { inNetworks, type Network } from '../native/networks.ts'

/** The lines of the error of a plan of this one op. */
async function errorOf(host: Network, op: Op): Promise<string[]> {
  const step = { id: 'try', side: 'host', why: '', ops: [op], undo: [], lasts: 'run' } as const
  const plan = { command: 'run', containerId: 'none', steps: [{ ...step, ops: [op], undo: [] }] }
  try {
    await perform(plan, { host: host.executor, container: host.executor }, undefined)
  } catch (error) {
    assert.ok(error instanceof StepError)
    return error.message.split('\n')
  }
  return assert.fail('it was performed')
}

test('the kernel’s own words stand below the errno', () =>
  inNetworks(async host => {
    assert.deepEqual(
      await errorOf(host, { op: 'add_route', destination: '0.0.0.0/0', gateway: '10.9.9.9' }),
      [
        'step 1/1 (try) failed: rtnetlink(RTM_NEWROUTE, {RTA_DST 0.0.0.0/0, RTA_GATEWAY 10.9.9.9}) = ENETUNREACH',
        'In its own words: Nexthop has invalid gateway',
        'Nothing had to be undone',
      ],
    )
  }))

test('so do those of nft, whole', () =>
  inNetworks(async host => {
    const lines = await errorOf(host, { op: 'nft', commands: 'delete table inet minictr-none' })
    assert.match(lines[0]!, /= ENOENT$/)
    assert.match(lines[1]!, /^In its own words: .*No such file or directory/)
    assert.match(lines[2]!, /^ {2}delete table inet minictr-none$/)
    assert.equal(
      lines.some(line => line.startsWith('Likely cause')),
      false,
      'nft is there',
    )
  }))

test('a program that is not there is named', () =>
  inNetworks(async host => {
    const candidates = ['/usr/sbin/minictr-none', '/sbin/minictr-none']
    const lines = await errorOf(host, { op: 'run_program', candidates, argv: ['minictr-none'] })
    assert.equal(
      lines[1],
      'Likely cause: there is no /usr/sbin/minictr-none nor /sbin/minictr-none on this host.',
    )
  }))
