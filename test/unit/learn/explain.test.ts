// The explanation of a plan: complete, in order, exact, and the same as data.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explanationData, explanationText } from '../../../src/learn/explain.ts'
import { plainPage } from '../../../src/learn/page.ts'
import { summaryOf } from '../../../src/learn/summary.ts'
import { showOp } from '../../../src/runtime/ops.ts'
import type { Spec } from '../../../src/runtime/spec.ts'
import { id, identity, plan, spec } from './subject.ts'

const text = explanationText({ plan, summary: summaryOf(spec, identity) }, plainPage)
const data = JSON.parse(JSON.stringify(explanationData({ plan, summary: summaryOf(spec, identity) })))

describe('the page that explains a plan', () => {
  it('has every step, numbered, in the order of the plan', () => {
    const headings = text.split('\n').filter(line => /^ ?\d+\/13 /.test(line))
    assert.deepEqual(
      headings.map(line => line.trim().split(/\s+/)),
      plan.steps.map((step, index) => [`${index + 1}/13`, step.id, step.side]),
    )
  })

  it('says why of each step', () => {
    const flowing = text.replaceAll(/\s+/g, ' ')
    for (const step of plan.steps) assert.ok(flowing.includes(step.why), step.id)
  })

  it('shows each call as C and the shell command below it', () => {
    assert.match(
      text,
      / {7}mount\("proc", "\$ROOT\/proc", "proc", MS_NOSUID, NULL\)\n {9}\$ mount -t proc -o nosuid proc \$ROOT\/proc\n/,
    )
    assert.match(text, / {7}setresuid\(33, 33, 33\)\n {9}\$ setpriv --reuid 33\n/)
  })

  it('gives the reason where no shell command does the same', () => {
    assert.match(text, /pipe2\(stdout\), pipe2\(stderr\), fork\(\)\n {9}# the script itself is the process/)
  })

  it('says how a step is undone, by a call or by the kernel', () => {
    assert.match(text, /undo {2}rmdir\("\/sys\/fs\/cgroup\/minictr\/\$ID"\)/)
    assert.match(text, /undo {2}It ends with the process\./)
  })

  it('names the manual pages, each once a step', () => {
    assert.match(text, /read {2}chdir\(2\), pivot_root\(2\), umount\(2\)\n/)
  })

  it('spells out what would steer the terminal, in the facts, the calls and the commands', () => {
    const evil = '\x1b]0;owned\x07\u009b2J'
    const steps = plan.steps.map(step => ({
      ...step,
      ops: step.ops.map(op => (op.op === 'execve' ? { ...op, argv: [evil], env: [`A=${evil}`] } : op)),
    }))
    const process = { ...spec.process, args: [evil], cwd: `/${evil}` }
    const odd: Spec = { ...spec, process, mounts: [{ destination: evil }] }
    const page = explanationText({ plan: { ...plan, steps }, summary: summaryOf(odd, identity) }, plainPage)
    assert.equal(page.match(/[^\P{Cc}\n]/gu), null)
    assert.match(page, /program +\\x1b\]0;owned\\x07\\x9b2J in /)
    assert.match(page, /\$ exec env -i "\$\(printf 'A=\\033\]0;owned\\007\\302\\2332J'\)"/)
  })

  it('opens with what the container will be', () => {
    assert.match(text, /^A container, step by step\n\nimage +docker\.io\/library\/debian:trixie\n/)
    assert.match(text, /\ncontainer +calm_hopper 3f2a/)
    assert.match(text, /\nlimits +memory 64 MiB\n/)
    assert.match(text, /\nnamespaces +its own mount, pid\n/)
  })

  it('stays within the page, but for calls and commands', () => {
    const prose = text.split('\n').filter(line => !/[$"(]|=|[0-9a-f]{64}/.test(line))
    assert.ok(prose.length > 50)
    for (const line of prose) assert.ok(line.length <= 100, line)
  })

  it('can show a single step', () => {
    const one = explanationText({ plan, summary: summaryOf(spec, identity) }, plainPage, 'pivot-root')
    assert.equal(one.match(/\/13 /g)?.length, 1)
    assert.match(one, / 8\/13 {2}pivot-root/)
  })
})

describe('the explanation as data', () => {
  it('holds the ops of the plan unchanged, and what the page says of them', () => {
    assert.equal(data.containerId, id)
    assert.equal(data.image.name, 'docker.io/library/debian:trixie')
    assert.deepEqual(
      data.steps.map((step: { number: number; id: string }) => [step.number, step.id]),
      plan.steps.map((step, index) => [index + 1, step.id]),
    )
    for (const [index, step] of plan.steps.entries()) {
      const explained = data.steps[index].ops
      assert.deepEqual(
        explained.map((each: { op: unknown }) => each.op),
        step.ops,
      )
      assert.deepEqual(
        explained.map((each: { call: string }) => each.call),
        step.ops.map(showOp),
      )
    }
  })

  it('says of each op either its shell command or why there is none', () => {
    for (const step of data.steps) {
      for (const op of step.ops) assert.equal(typeof (op.shell ?? op.noShell), 'string', step.id)
    }
  })

  it('says of each step how it is undone', () => {
    assert.equal(data.steps[0].undo[0].call, `rmdir("/sys/fs/cgroup/minictr/${id}")`)
    assert.equal(data.steps[2].undoneByKernel, 'It ends with the process.')
  })
})
