// What is decided of a container without its lock, while it ends: what goes with its end is missed by nobody.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { it } from 'node:test'
import { planRename } from '../../src/containers/rename.ts'
import { readContainer } from '../../src/containers/state.ts'
import { planUpdate } from '../../src/containers/update.ts'
import type { Endpoint } from '../../src/networks/endpoint.ts'
import { newNetwork } from '../../src/networks/new-network.ts'
import { defaultPools } from '../../src/networks/pool.ts'
import { NetworkStore } from '../../src/networks/store.ts'
import { useSmallStore } from '../fixtures/small-store.ts'

const store = useSmallStore()

it('is no reason to fail for an update that was about to ask the kernel for its limits', async () => {
  const flags = ['-d', '--network', 'none', '-m', '64m']
  const id = await store.succeed('run', ...flags, store.image, 'sleep', '1000')
  const container = readContainer(store, id)!
  await store.succeed('kill', id)
  const { plan } = planUpdate(container, store, {
    resources: { memoryBytes: 32 * 1024 ** 2, disablesOomKiller: false },
  })
  assert.deepEqual(
    plan.steps.map(step => step.id),
    ['lock-container', 'rewrite-configuration'],
  )
  await store.succeed('rm', id)
})

it('is no reason to fail for a rename that was about to read what its networks have of it', async () => {
  const id = await store.succeed('create', '--network', 'own', '--name', 'old', store.image, 'true')
  const networks = new NetworkStore(store)
  const wish = { name: 'own', driver: 'bridge' as const, hasIpv4: true, hasIpv6: false, isInternal: false }
  const { id: networkId } = await networks.create('own', () =>
    newNetwork(
      { ...wish, isAttachable: false, options: {}, labels: {}, subnets: [] },
      { networks: [], routes: [], pools: defaultPools },
      'ab'.repeat(32),
      new Date().toISOString(),
    ),
  )
  const endpoint: Partial<Endpoint> = { containerId: id, networkId, interfaceName: 'eth0', aliases: [] }
  const file = networks.endpointFile(networkId, id)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(endpoint))
  const { steps } = planRename(readContainer(store, id)!, store, 'new')
  const written = steps.flatMap(({ ops }) =>
    ops.flatMap(op => (op.op === 'write_file' ? dirname(String(op.path)) : [])),
  )
  assert.ok(written.includes(dirname(file)))
  assert.ok(!written.includes(networks.nameServer(networkId).hosts))
  await store.succeed('rm', id)
  for (const directory of [networks.directory, networks.runDirectory]) rmSync(directory, { recursive: true })
})
