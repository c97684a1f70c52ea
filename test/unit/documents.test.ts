// The documents: what they link to is there.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { it } from 'node:test'

const project = resolve(import.meta.dirname, '../..')
const documents = [
  ...readdirSync(project).filter(name => name.endsWith('.md')),
  ...readdirSync(join(project, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join('docs', name)),
]

for (const document of documents) {
  it(`${document} links only to files that exist`, () => {
    const links = [...readFileSync(join(project, document), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(match => match[1]!)
      .filter(link => !/^[a-z]+:/.test(link))
    assert.deepEqual(
      links.filter(link => !existsSync(resolve(project, dirname(document), link))),
      [],
    )
  })
}
