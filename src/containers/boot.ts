// After a boot, or before the machine goes down: what becomes of all containers. The run root is empty by then, since it dies
// with the processes it tells of.

import { NO_RESTART, startsAtBoot } from './restart-policy.ts'
import { endingOf } from './restart-wait.ts'
import type { Container } from './state.ts'

/**
 * Which containers are started when the machine has booted, in this order (those whose namespaces others join go first), and
 * which are removed: what was to go at its end (--rm), which came with the machine's. Source: moby, daemon/daemon.go (restore).
 */
export function afterBoot(containers: Container[]): { start: Container[]; remove: Container[] } {
  const down = containers.filter(({ status }) => status === 'created' || status === 'exited')
  return {
    start: joinedFirst(
      down.filter(container => startsAtBoot(container.record.restart ?? NO_RESTART, endingOf(container))),
    ),
    remove: down.filter(({ record }) => record.removeAtExit),
  }
}

function joinedFirst(containers: Container[]): Container[] {
  const oldestFirst = containers.toSorted((a, b) => (a.record.createdAt < b.record.createdAt ? -1 : 1))
  const ordered = new Set<Container>()
  const add = (container: Container, above: Container[]) => {
    if (above.includes(container)) return // in a circle none is first
    for (const id of Object.values(container.record.joins)) {
      const joined = oldestFirst.find(other => other.id === id)
      if (joined) add(joined, [...above, container])
    }
    ordered.add(container)
  }
  for (const container of oldestFirst) add(container, [])
  return [...ordered]
}
