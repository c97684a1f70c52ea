// Ops on addresses and routes, of IPv4 and IPv6 alike: messages of rtnetlink(7), as ip(8) sends them.

import type { OpOf } from '../op.ts'
import { words } from '../shell.ts'
import { message, rtnetlinkCalls } from './links.ts'
import type { Argument, Rows } from './row.ts'

type AddressOp = 'add_address' | 'delete_address' | 'add_route' | 'delete_route'
type RouteOp = OpOf<'add_route'> | OpOf<'delete_route'>

/** One row for each op on addresses and routes. */
export const addressRows: Rows<AddressOp> = {
  add_address: {
    man: 'ip-address(8)',
    syscalls: rtnetlinkCalls,
    arguments: op => [op.link, ...prefixed(op.address), op.nodad ? 1 : 0],
    show: op =>
      message('RTM_NEWADDR', [
        ...[`dev ${op.link}`, `IFA_LOCAL ${op.address}`],
        ...(op.nodad ? ['IFA_FLAGS IFA_F_NODAD'] : []),
      ]),
    shell: op => ({
      run: words(
        ...['ip', 'address', 'add', op.address],
        ...(hasBroadcast(op.address) ? ['broadcast', '+'] : []),
        ...['dev', op.link],
        ...(op.nodad ? ['nodad'] : []),
      ),
    }),
    inverse: ({ link, address }) => [
      { op: 'delete_address', link, address, tolerate: ['EADDRNOTAVAIL', 'ENODEV'] },
    ],
  },
  delete_address: {
    man: 'ip-address(8)',
    syscalls: rtnetlinkCalls,
    arguments: op => [op.link, ...prefixed(op.address)],
    show: op => message('RTM_DELADDR', [`dev ${op.link}`, `IFA_LOCAL ${op.address}`]),
    shell: op => ({ run: words('ip', 'address', 'delete', op.address, 'dev', op.link) }),
  },
  add_route: {
    man: 'ip-route(8)',
    syscalls: rtnetlinkCalls,
    arguments: routeArguments,
    show: op => message('RTM_NEWROUTE', routeAttributes(op)),
    shell: op => ({ run: routeCommand('add', op) }),
    inverse: ({ op: _, tolerate: __, ...route }) => [
      { op: 'delete_route', ...route, tolerate: ['ESRCH', 'ENODEV'] },
    ],
  },
  delete_route: {
    man: 'ip-route(8)',
    syscalls: rtnetlinkCalls,
    arguments: routeArguments,
    show: op => message('RTM_DELROUTE', routeAttributes(op)),
    shell: op => ({ run: routeCommand('delete', op) }),
    inverse: ({ op: _, tolerate: __, ...route }) => [{ op: 'add_route', ...route, tolerate: ['EEXIST'] }],
  },
}

/** `10.0.0.1/8` apart. Throws TypeError where the length of the prefix is missing. */
function prefixed(text: string): [address: string, prefixLength: number] {
  const [, address, length] = /^(.+)\/(\d{1,3})$/.exec(text) ?? []
  if (address === undefined) throw new TypeError(`${text} is no address with the length of its prefix`)
  return [address, Number(length)]
}

/** The address of everyone on the wire: IPv6 has none, nor a wire of two. */
function hasBroadcast(text: string): boolean {
  const [address, prefixLength] = prefixed(text)
  return !address.includes(':') && prefixLength <= 30
}

function routeArguments({ destination, gateway = '', link = '' }: RouteOp): Argument[] {
  return [...prefixed(destination), gateway, link]
}

function routeAttributes({ destination, gateway, link }: RouteOp): string[] {
  return [
    `RTA_DST ${destination}`,
    ...(gateway ? [`RTA_GATEWAY ${gateway}`] : []),
    ...(link ? [`RTA_OIF ${link}`] : []),
  ]
}

function routeCommand(verb: 'add' | 'delete', { destination, gateway, link }: RouteOp): string {
  return words(
    ...['ip', ...(destination.includes(':') ? ['-6'] : []), 'route', verb],
    prefixed(destination)[1] === 0 ? 'default' : destination,
    ...(gateway ? ['via', gateway] : []),
    ...(link ? ['dev', link] : []),
  )
}
