// `network inspect`: the names that Docker's templates find.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeNetwork } from '../../../src/cli/network-inspect.ts'
import { compileTemplate, toJson } from '../../../src/cli/template.ts'
import { fixedNetworks } from '../../../src/networks/network.ts'
import { NetworkStore } from '../../../src/networks/store.ts'

describe('a network that is inspected', () => {
  const network = fixedNetworks[0]!
  const described = describeNetwork(network, new NetworkStore({ root: '/none', runRoot: '/none' }))

  it('has its id under the names of Go and of JSON', () =>
    assert.equal(compileTemplate('{{eq .ID .Id}} {{.Id}}')(described), `true ${network.id}`))

  it('has it once in JSON', () => {
    const { Id, ID } = JSON.parse(toJson(described))
    assert.deepEqual([Id, ID], [network.id, undefined])
  })
})
