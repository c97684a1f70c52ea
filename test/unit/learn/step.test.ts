// Walking through a plan: what each answer does, and who has the terminal when.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainPage } from '../../../src/learn/page.ts'
import { answerIn, StepByStep } from '../../../src/learn/step.ts'
import type { Conversation } from '../../../src/learn/terminal.ts'
import { plan } from './subject.ts'

/** A person who types these lines, then Ctrl-D. */
function personTyping(...lines: string[]) {
  const seen = { text: '', lent: [] as string[][], isClosed: false }
  const terminal: Conversation = {
    open: () => {
      seen.isClosed = false
    },
    write: text => {
      seen.text += text
    },
    ask: async () => {
      assert.ok(!seen.isClosed, 'nothing is asked once the terminal is the container’s')
      return lines.shift()
    },
    lend: async argv => {
      seen.lent.push(argv)
    },
    close: () => {
      seen.isClosed = true
    },
  }
  return { terminal, seen }
}

/** Goes through the plan as `perform` does, with no kernel; gives the ids of the steps gone through. */
async function walk(...lines: string[]) {
  const { terminal, seen } = personTyping(...lines)
  const walker = new StepByStep(terminal, plainPage)
  walker.begin(plan)
  const done: string[] = []
  for (const [index, step] of plan.steps.entries()) {
    const total = plan.steps.length
    if ((await walker.before(step, index, total)) === 'quit') return { done, seen, hasQuit: true }
    done.push(step.id)
    walker.after({ step, index, total, startedNs: 0n, opElapsedNs: step.ops.map(() => 1500), pid: 0 })
  }
  return { done, seen, hasQuit: false }
}

it('asks again about another plan, made where somebody was quicker after the terminal was let go of', async () => {
  const { terminal, seen } = personTyping('continue', 'quit')
  const walker = new StepByStep(terminal, plainPage)
  walker.begin(plan)
  assert.equal(await walker.before(plan.steps[0]!, 0, plan.steps.length), 'go')
  assert.equal(seen.isClosed, true)
  walker.begin(plan)
  assert.equal(await walker.before(plan.steps[0]!, 0, plan.steps.length), 'quit')
})

describe('an answer', () => {
  it('is a word, its beginning, or nothing for the next step', () => {
    const meanings = ['', 'n', 'next', 'c', 'q', 's', 'sh', 'l', 'LOOK', ' p ', 'h'].map(answerIn)
    assert.deepEqual(meanings, [
      'next',
      'next',
      'next',
      'continue',
      'quit',
      'sh',
      'sh',
      'look',
      'look',
      'plan',
      'help',
    ])
  })

  it('is refused where it means nothing', () => assert.equal(answerIn('rm -rf'), undefined))
})

describe('walking through a plan', () => {
  it('shows each step before it is performed, and asks', async () => {
    const { done, seen } = await walk('', '')
    assert.deepEqual(done, ['create-cgroup', 'spawn-init'])
    const at = (text: string) => seen.text.indexOf(text)
    assert.ok(at('1/13  create-cgroup') < at('done: 2 µs in 1 call'))
    assert.ok(at('done: 2 µs in 1 call') < at('2/13  spawn-init'))
  })

  it('gives the terminal to the container with the last step', async () => {
    const { done, seen, hasQuit } = await walk(...plan.steps.map(() => ''))
    assert.equal(done.length, plan.steps.length)
    assert.deepEqual([hasQuit, seen.isClosed], [false, true])
  })

  it('continues without asking again', async () => {
    const { done, seen, hasQuit } = await walk('', 'continue')
    assert.equal(done.length, plan.steps.length)
    assert.deepEqual([hasQuit, seen.isClosed], [false, true])
    assert.ok(!seen.text.includes('3/13'))
  })

  it('quits by the word, and at Ctrl-C and Ctrl-D', async () => {
    for (const lines of [
      ['', '', 'quit'],
      ['', ''],
    ]) {
      const { done, seen, hasQuit } = await walk(...lines)
      assert.deepEqual([done.length, hasQuit], [2, true])
      assert.match(seen.text, /Leaving before step 3, unshare-mount-namespace/)
    }
  })

  it('lends the terminal to a shell and asks again', async () => {
    const { done, seen } = await walk('sh', '', 'quit')
    assert.equal(seen.lent.length, 1)
    assert.deepEqual(done, ['create-cgroup'])
    assert.match(seen.text, /with ID DIR ROOT LAYERS set/)
  })

  it('says where we are in the plan', async () => {
    const { seen } = await walk('', 'plan', 'q')
    assert.match(
      seen.text,
      / 1 {2}create-cgroup +host {2}done\n> {2}2 {2}spawn-init +host\n {3}3 {2}unshare-mount/,
    )
  })

  it('has nothing to look at before there is a process', async () => {
    const { seen } = await walk('look', 'q')
    assert.match(seen.text, /spawn-init makes it/)
    assert.deepEqual(seen.lent, [])
  })

  it('names the answers when one is not understood', async () => {
    const { seen } = await walk('wat', 'q')
    assert.match(seen.text, /There is no "wat" here; help lists what there is\./)
  })
})
