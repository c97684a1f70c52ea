import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filterValues, hasLabel, isChosenByLabels } from '../../../src/system/filters.ts'

describe('filters', () => {
  it('are values by their keys', () => {
    assert.deepEqual(
      filterValues(['status=exited', ' Status = running', 'label=a=b'], ['status', 'label']),
      new Map([
        ['status', ['exited', 'running']],
        ['label', ['a=b']],
      ]),
    )
  })

  it('without a value end with Docker’s 125', () => {
    assert.throws(() => filterValues(['status'], ['status']), {
      message: 'invalid argument "status" for "--filter" flag: bad format of filter (expected name=value)',
      exitStatus: 125,
    })
  })

  it('have known keys', () => {
    assert.throws(() => filterValues(['color=red'], ['status', 'label']), {
      message: "invalid filter 'color'",
      remedy: 'There are: status, label.',
    })
  })
})

describe('labels', () => {
  const labels = { use: 'test', empty: '' }

  it('fit by their name, or by name and value', () => {
    assert.deepEqual(
      ['use', 'use=test', 'use=other', 'none', 'empty', 'empty=', 'toString'].map(text =>
        hasLabel(labels, text),
      ),
      [true, true, false, false, true, true, false],
    )
  })

  it('choose what is pruned: all that are named, and not all that are spared', () => {
    const chosen = (...filters: string[]) =>
      isChosenByLabels(filterValues(filters, ['label', 'label!']), labels)
    assert.equal(chosen(), true)
    assert.equal(chosen('label=use', 'label=empty'), true)
    assert.equal(chosen('label=use', 'label=none'), false)
    assert.equal(chosen('label!=use'), false)
    assert.equal(chosen('label!=use=other'), true)
    assert.equal(chosen('label!=use', 'label!=none'), true)
  })
})
