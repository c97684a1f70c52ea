// Containers as lists have them, made up.

import type { Condition } from '../../../src/containers/condition.ts'
import type { Listed } from '../../../src/containers/listed.ts'
import type { ContainerRecord } from '../../../src/containers/record.ts'
import type { Container } from '../../../src/containers/state.ts'
import type { Endpoint } from '../../../src/networks/endpoint.ts'
import { DEFAULT_NETWORK } from '../../../src/networks/network.ts'
import { configure } from './request.ts'

export const IMAGE_ID = `sha256:${'1'.repeat(64)}`

const { record: plainRecord, spec } = configure('')

type Change = Partial<Omit<Container, 'record'>> & {
  record?: Partial<ContainerRecord>
  endpoints?: Endpoint[]
}

/** A container's place in the network `bridge`. */
export function endpoint(change: Partial<Endpoint> = {}): Endpoint {
  return {
    id: 'e'.repeat(64),
    containerId: 'ab'.repeat(32),
    containerName: 'web',
    networkId: DEFAULT_NETWORK.id,
    networkName: 'bridge',
    interfaceName: 'eth0',
    linkName: 'veth1',
    macAddress: '02:42:ac:11:00:02',
    ipv4Address: '172.17.0.2/16',
    ipv4Gateway: '172.17.0.1',
    aliases: [],
    dnsNames: [],
    ports: [],
    ...change,
  }
}

/** One that is as `condition` says; `record` and the rest replace what a plain one has. */
export function listed(
  condition: Condition = { state: 'running' },
  { record, endpoints = [], ...rest }: Change = {},
): Listed {
  const status = condition.state === 'paused' ? 'running' : condition.state
  const run = { pid: 12, startTimeTicks: '1', startedAtMs: 0 }
  const image = { name: 'debian', id: IMAGE_ID, digest: 'sha256:22' }
  return {
    container: {
      id: 'ab'.repeat(32),
      name: 'web',
      record: { ...plainRecord, image, ...record },
      spec,
      status,
      ...(status === 'running' && { run }),
      ...rest,
    },
    condition,
    endpoints,
  }
}
