// A container as lists have it: what is kept of it, how it is at this moment, and where it is in networks.

import type { Endpoint } from '../networks/endpoint.ts'
import { type Condition, conditionOf } from './condition.ts'
import { endpointsOf } from './networks.ts'
import type { Container, Roots } from './state.ts'

/** `endpoints` has its places in networks while it runs, in the order of its links. */
export type Listed = { container: Container; condition: Condition; endpoints: Endpoint[] }

/** Looks at it. */
export function listedOf(container: Container, roots: Roots): Listed {
  const isJoined = container.status === 'running' && container.record.networks.length > 0
  return {
    container,
    condition: conditionOf(container, roots),
    endpoints: isJoined ? endpointsOf(roots, container.id) : [],
  }
}
