// Short names for long paths: they stand for exactly what the plan says, and never where a shell would not expand them.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import {
  abbreviate,
  abbreviateCommand,
  abbreviationsOf,
  definitions,
} from '../../../src/learn/abbreviations.ts'
import type { Op } from '../../../src/runtime/op.ts'
import { quote } from '../../../src/runtime/shell.ts'
import { id, plan } from './subject.ts'

const names = abbreviationsOf(plan)

/** What a shell makes of a text that holds the short names. */
function expanded(text: string): string {
  return execFileSync('sh', ['-c', `${definitions(names).join('\n')}\nprintf %s ${text}`], {
    encoding: 'utf8',
  })
}

describe('the short names of a container', () => {
  it('are its id, its directory, its root and the directory of its layers', () => {
    assert.deepEqual(names, [
      { name: 'ID', value: id },
      { name: 'DIR', value: `/var/lib/minictr/containers/${id}` },
      { name: 'ROOT', value: `/var/lib/minictr/containers/${id}/rootfs` },
      { name: 'LAYERS', value: '/var/lib/minictr/layers' },
    ])
  })

  it('are defined by one another, and a shell expands them to the same', () => {
    assert.deepEqual(definitions(names).slice(1, 3), [
      'DIR=/var/lib/minictr/containers/$ID',
      'ROOT=$DIR/rootfs',
    ])
    for (const { name, value } of names) assert.equal(expanded(`$${name}`), value)
  })

  it('take the place of the longest path', () => {
    assert.equal(abbreviate(`"/var/lib/minictr/containers/${id}/rootfs/proc"`, names), '"$ROOT/proc"')
    assert.equal(abbreviate(`/sys/fs/cgroup/minictr/${id}`, names), '/sys/fs/cgroup/minictr/$ID')
  })

  it('leave a longer name alone that only begins like one', () => {
    assert.equal(abbreviate(`/x/${id}0`, names), `/x/${id}0`)
    assert.equal(abbreviate(`/var/lib/minictr/layers_old`, names), '/var/lib/minictr/layers_old')
  })

  it('never stand in single quotes, where a shell does not expand them', () => {
    for (const text of [`${id} ${id}`, `it's ${id}`, `'${id}'`, `a\\'${id}`]) {
      const command = abbreviateCommand(`${quote(text)} ${id}`, names)
      assert.equal(expanded(`"$(printf '%s|' ${command})"`), `${text}|${id}|`, command)
    }
  })

  it('are its network as well, by what is written there of addresses or of endpoints', () => {
    const network = `/run/minictr/networks/${'4f02'.repeat(16)}`
    for (const path of [`${network}/addresses/172.17.0.2`, `${network}/endpoints/.${id}.json`]) {
      const steps = [{ ...plan.steps[0]!, ops: [{ op: 'write_file', path, content: '' } as Op] }]
      assert.deepEqual(abbreviationsOf({ ...plan, steps }), [
        { name: 'ID', value: id },
        { name: 'NET', value: network },
      ])
    }
  })

  it('are left out where a value would need quotes itself', () => {
    const spaced = JSON.parse(JSON.stringify(plan).replaceAll('/var/lib/minictr', '/srv/my images'))
    assert.deepEqual(
      abbreviationsOf(spaced).map(({ name }) => name),
      ['ID'],
    )
  })
})
