// Whether a container is paused: its processes frozen where they stand (cgroups(7); the v1 freezer, or cgroup.freeze).

import { readFileSync } from 'node:fs'
import { type Freezer, freezerOf } from '../runtime/freezer.ts'
import type { HostFacts } from '../runtime/host.ts'
import { errnoOf } from '../system/errno.ts'
import { hostFacts } from '../system/host-facts.ts'
import type { Container } from './state.ts'

type Cgroups = Pick<HostFacts, 'cgroups'>
type Configured = Pick<Container, 'id' | 'spec'>

/** Whether the cgroup is frozen, or about to be; one that is not there is not. */
export function isFrozen(cgroupsPath: string, host: Cgroups): boolean {
  const { path } = freezerOf(cgroupsPath, host)
  try {
    return ['FROZEN', 'FREEZING', '1'].includes(readFileSync(path, 'latin1').trim())
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return false
    throw error
  }
}

/** Whether the container is paused; one that does not run is not. */
export function isPaused(container: Configured): boolean {
  return isFrozen(cgroupsPathOf(container), hostFacts())
}

/** What freezes the container. */
export function containerFreezer(container: Configured): Freezer {
  return freezerOf(cgroupsPathOf(container), hostFacts())
}

function cgroupsPathOf({ id, spec }: Configured): string {
  return spec.linux.cgroupsPath ?? `/minictr/${id}`
}
