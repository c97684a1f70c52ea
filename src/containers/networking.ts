// What a container has of networks, for whoever asks: the names of those it is in, and its ports.

import type { Endpoint } from '../networks/endpoint.ts'
import type { PortBinding } from '../networks/port-bindings.ts'
import { type Port, portName } from '../networks/ports.ts'
import type { ContainerRecord } from './record.ts'
import type { Container } from './state.ts'

type Joined = Pick<ContainerRecord, 'networkMode' | 'networks' | 'isInNone'>

/** The networks a container is in. One that has joined another's has none of its own. */
export function networkNames(record: Joined): string[] {
  const { networkMode, networks } = record
  if (networkMode.startsWith('container:')) return []
  if (networkMode === 'host') return ['host']
  return isInNone(record) ? ['none'] : networks.map(({ name }) => name)
}

/** Whether it is in the network `none`, which nobody is in together with another one. */
export function isInNone({ networkMode, isInNone = networkMode === 'none' }: Joined): boolean {
  return isInNone
}

/** Ports of a container: those that ports of this host lead to, and those that are only named. */
export type OpenPorts = { bindings: PortBinding[]; exposed: Port[] }

/** The ports of a container that runs in networks, where its places are these; of another one nothing is to be reached. */
export function openPorts(
  { status, record }: Pick<Container, 'status' | 'record'>,
  endpoints: Endpoint[],
): OpenPorts {
  if (status !== 'running' || record.networks.length === 0) return { bindings: [], exposed: [] }
  const bindings = endpoints.flatMap(({ ports }) => ports)
  const bound = new Set(bindings.map(portName))
  return { bindings, exposed: record.ports.exposed.filter(port => !bound.has(portName(port))) }
}
