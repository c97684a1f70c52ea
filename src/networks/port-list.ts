// The ports of a container as lists show them: `0.0.0.0:8080->80/tcp, 443/tcp`.

import { bracketed, type PortBinding } from './port-bindings.ts'
import { type Port, portName } from './ports.ts'

type Shown = Port & { hostAddress?: string; hostPort?: number }

/**
 * What `ps` shows of ports: neighbours together (`0.0.0.0:80-82->80-82/tcp`) where both sides have the same numbers, then
 * those whose numbers differ. Source: docker/cli, command/formatter/container.go (DisplayablePorts).
 */
export function listPorts(bindings: readonly PortBinding[], exposed: readonly Port[]): string {
  const isBound = (port: Port) => bindings.some(binding => portName(binding) === portName(port))
  const shown: Shown[] = [...bindings, ...exposed.filter(port => !isBound(port))]
  const growing = new Map<string, { first: Shown; last: number }>()
  const whole: string[] = []
  const others: string[] = []
  for (const each of shown.toSorted(inOrder)) {
    const { port, protocol, hostAddress, hostPort } = each
    if (hostAddress !== undefined && hostPort !== port) {
      others.push(`${bracketed(hostAddress)}:${hostPort}->${port}/${protocol}`)
      continue
    }
    const key = `${hostAddress ?? ''}/${protocol}`
    const group = growing.get(key)
    if (group?.last === port - 1) {
      group.last = port
      continue
    }
    if (group) whole.push(groupText(group.first, group.last))
    // A new group of an old key keeps its place among the keys.
    growing.set(key, { first: each, last: port })
  }
  for (const { first, last } of growing.values()) whole.push(groupText(first, last))
  return [...whole, ...others].join(', ')
}

function groupText({ port, protocol, hostAddress }: Shown, last: number): string {
  const range = last === port ? String(port) : `${port}-${last}`
  const ports = hostAddress === undefined ? range : `${bracketed(hostAddress)}:${range}->${range}`
  return `${ports}/${protocol}`
}

function inOrder(a: Shown, b: Shown): number {
  if (a.port !== b.port) return a.port - b.port
  const [first, second] = [a, b].map(({ hostAddress = '', hostPort = 0, protocol }) =>
    [hostAddress, String(hostPort).padStart(5, '0'), protocol].join(' '),
  )
  return first! < second! ? -1 : 1
}
