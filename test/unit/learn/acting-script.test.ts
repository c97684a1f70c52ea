// Scripts of plans that start no program: all of it on the host, and undone only where a command fails.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { explanationText } from '../../../src/learn/explain.ts'
import { plainPage } from '../../../src/learn/page.ts'
import { scriptText } from '../../../src/learn/script.ts'
import { freezerOf } from '../../../src/runtime/freezer.ts'
import { pausePlan } from '../../../src/runtime/pause-plan.ts'
import { signalPlan } from '../../../src/runtime/stop-plan.ts'
import { hybridHost } from '../runtime/hosts.ts'
import { id } from './subject.ts'

const lockFile = `/var/lib/minictr/containers/${id}/lock`
const freezer = freezerOf(`/minictr/${id}`, hybridHost)
const summary = { title: 'The pause of a container', name: 'box', facts: { program: 'sleep 9' } }
const pause = { plan: pausePlan({ containerId: id, lockFile, freezer }), summary }
const kill = {
  plan: signalPlan({
    ...{ containerId: id, process: { pid: 7, startTimeTicks: '9' }, signal: 'SIGHUP', freezer },
    isToBeThawed: false,
  }),
  summary,
}

describe('the script of a plan without a program', () => {
  it('is a script that a POSIX shell can read, with nothing of a container’s side', () => {
    for (const subject of [pause, kill]) {
      const script = scriptText(subject)
      const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      assert.doesNotMatch(script, /TOOLBOX|unshare|container's side|LIBMOUNT/)
      assert.match(script, /^# The pause of a container, box, with a shell instead of minictr\.$/m)
    }
  })

  it('undoes what it did only where it fails, and has nothing to undo where nothing can be', () => {
    assert.match(
      scriptText(pause),
      /clean_up\(\) \{\n {2}status=\$\?\n {2}set \+e\n {2}\[ "\$status" -ne 0 \] \|\| exit 0\n/,
    )
    assert.match(scriptText(pause), /THAWED/)
    assert.doesNotMatch(scriptText(kill), /clean_up|trap/)
  })

  it('calls the directory of the container by a short name', () => {
    assert.match(scriptText(pause), /^DIR=\/var\/lib\/minictr\/containers\/\$ID$/m)
    assert.match(scriptText(pause), /^exec 9>\$DIR\/lock$/m)
  })
})

describe('the page of a plan without a program', () => {
  it('says that all of it is done on the host', () => {
    const text = explanationText(pause, plainPage)
    assert.match(text, /^The pause of a container, step by step\n/)
    assert.match(
      text,
      /2 steps, 3 calls\. All of them are performed on the host\. Nothing of it has been done\./,
    )
  })
})
