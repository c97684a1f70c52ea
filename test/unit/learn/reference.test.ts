// The reference of all steps is what the plan says today, and leaves none out.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { stepsReference } from '../../../scripts/steps-reference.ts'

const project = join(import.meta.dirname, '../../..')
const written = readFileSync(join(project, 'docs/steps.md'), 'utf8')

describe('docs/steps.md', () => {
  it('is what scripts/steps-reference.ts makes', () => {
    assert.equal(written, stepsReference(), 'run: node scripts/steps-reference.ts > docs/steps.md')
  })

  it('has every step that src/runtime/steps can make for an image', () => {
    const directory = join(project, 'src/runtime/steps')
    const source = readdirSync(directory).map(name => readFileSync(join(directory, name), 'utf8'))
    const ids = source.flatMap(text => [...text.matchAll(/(?:\w+Step\(\s*|\bid: )'([a-z]+(?:-[a-z]+)+)'/g)])
    assert.ok(ids.length > 25)
    for (const [, id] of ids) {
      // For a root that is a ready directory; an image's is an overlay.
      if (id !== 'bind-root') assert.ok(written.includes(`\n### ${id}\n`), id)
    }
  })
})
