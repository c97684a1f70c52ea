// The process that has held a container's ports of the host since its start: a child of its monitor.

import { readFileSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import { identify, type ProcessIdentity } from '../system/process-identity.ts'
import { containerPaths, type Roots } from './state.ts'

/** As native/proxy.c calls itself. */
const NAME = 'minictr-proxy'

/** The process; undefined where there is none. */
export function portHolder(containerId: string, roots: Roots): ProcessIdentity | undefined {
  const monitor = new Journal(containerPaths(roots, containerId).runDirectory).owner()
  if (!monitor) return undefined
  const children = read(`/proc/${monitor.pid}/task/${monitor.pid}/children`).trim().split(' ')
  const holder = children.find(pid => pid !== '' && read(`/proc/${pid}/comm`).trim() === NAME)
  return holder === undefined ? undefined : identify(Number(holder))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended
  }
}
