// Ops on links, the network interfaces: each one message of rtnetlink(7) to the kernel, as ip-link(8) sends it.

import type { Op, OpOf } from '../op.ts'
import { words } from '../shell.ts'
import type { Argument, Resolve, Rows } from './row.ts'

type LinkOp =
  | 'create_bridge'
  | 'create_veth'
  | 'create_macvlan'
  | 'create_ipvlan'
  | 'set_link'
  | 'delete_link'

/** The calls of one message; the number of an interface is asked for with ioctl(2). */
export const rtnetlinkCalls = ['socket', 'sendto', 'recvfrom', 'ioctl']

/** <linux/if_link.h>, enum macvlan_mode. */
const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 }
/** The same file: enum ipvlan_mode, IPVLAN_F_…. */
const ipvlanModes = { l2: 0, l3: 1, l3s: 2 }
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 }

/** One row for each op on links. */
export const linkRows: Rows<LinkOp> = {
  create_bridge: {
    man: 'ip-link(8)',
    syscalls: rtnetlinkCalls,
    arguments: (op, resolve) => settings(op, resolve),
    show: op => message('RTM_NEWLINK', [`IFLA_IFNAME ${op.name}`, ...shown(op), 'IFLA_INFO_KIND bridge']),
    shell: op => ({ run: lines(addLink(op, words('type', 'bridge')), afterwards(op)) }),
    inverse: op => remove(op.name),
  },
  create_veth: {
    man: 'veth(4)',
    syscalls: rtnetlinkCalls,
    arguments: (op, resolve) => [
      ...settings(op, resolve),
      op.peer.name,
      macBytes(op.peer.mac),
      op.peer.mtu ?? 0,
      slotOf(op.peer.netns, resolve),
    ],
    show: op => {
      const peer = [`IFLA_IFNAME ${op.peer.name}`, ...shown(op.peer)]
      const own = [`IFLA_IFNAME ${op.name}`, ...shown(op), 'IFLA_INFO_KIND veth']
      return message('RTM_NEWLINK', [...own, `VETH_INFO_PEER {${peer.join(', ')}}`])
    },
    shell: op => {
      const peer = [words('type', 'veth', 'peer', 'name', op.peer.name), ...options(op.peer)].join(' ')
      return { run: lines(addLink(op, peer), afterwards(op)) }
    },
    inverse: op => remove(op.name),
  },
  create_macvlan: {
    man: 'ip-link(8)',
    syscalls: rtnetlinkCalls,
    arguments: (op, resolve) => [...settings(op, resolve), op.parent, macvlanModes[op.mode]],
    show: op =>
      message('RTM_NEWLINK', [
        ...[`IFLA_IFNAME ${op.name}`, `IFLA_LINK ${op.parent}`, ...shown(op)],
        ...['IFLA_INFO_KIND macvlan', `IFLA_MACVLAN_MODE MACVLAN_MODE_${op.mode.toUpperCase()}`],
      ]),
    shell: op => ({ run: addLink(op, words('type', 'macvlan', 'mode', op.mode)) }),
    inverse: op => (op.netns ? [] : remove(op.name)),
  },
  create_ipvlan: {
    man: 'ip-link(8)',
    syscalls: rtnetlinkCalls,
    arguments: (op, resolve) => [
      ...settings(op, resolve),
      op.parent,
      ipvlanModes[op.mode],
      ipvlanFlags[op.flag ?? 'bridge'],
    ],
    show: op =>
      message('RTM_NEWLINK', [
        ...[`IFLA_IFNAME ${op.name}`, `IFLA_LINK ${op.parent}`, ...shown(op), 'IFLA_INFO_KIND ipvlan'],
        ...[`IFLA_IPVLAN_MODE IPVLAN_MODE_${op.mode.toUpperCase()}`],
        ...(op.flag && op.flag !== 'bridge' ? [`IFLA_IPVLAN_FLAGS IPVLAN_F_${op.flag.toUpperCase()}`] : []),
      ]),
    shell: op => ({ run: addLink(op, words('type', 'ipvlan', 'mode', op.mode, op.flag ?? 'bridge')) }),
    inverse: op => (op.netns ? [] : remove(op.name)),
  },
  set_link: {
    man: 'ip-link(8)',
    syscalls: rtnetlinkCalls,
    arguments: (op, resolve) => [...settings(op, resolve), op.newName ?? ''],
    show: op =>
      message('RTM_NEWLINK', [
        `dev ${op.name}`,
        ...(op.newName ? [`IFLA_IFNAME ${op.newName}`] : []),
        ...shown(op),
      ]),
    shell: op => {
      const { hairpin, alias, ...others } = op
      const changed = [
        ...(op.newName ? [words('name', op.newName)] : []),
        ...(alias ? [words('alias', alias)] : []),
        ...options(others),
      ]
      const set = changed.length ? [[words('ip', 'link', 'set', 'dev', op.name), ...changed].join(' ')] : []
      return { run: lines(...set, ...hairpinCommand(op.newName ?? op.name, hairpin)) }
    },
  },
  delete_link: {
    man: 'ip-link(8)',
    syscalls: rtnetlinkCalls,
    arguments: op => [op.name],
    show: op => message('RTM_DELLINK', [`dev ${op.name}`]),
    shell: op => ({ run: words('ip', 'link', 'delete', op.name) }),
  },
}

/** What is said of any link, by whichever op. */
type Settings = Omit<Partial<OpOf<'set_link'>>, 'op' | 'newName' | 'tolerate'>
type Netns = Settings['netns']

/** The arguments that native/ops_links.c takes first. */
function settings(op: Settings & { name: string }, resolve: Resolve): Argument[] {
  return [
    op.name,
    macBytes(op.mac),
    op.mtu ?? 0,
    op.master ?? '',
    op.alias ?? '',
    switched(op.up),
    switched(op.hairpin),
    slotOf(op.netns, resolve),
  ]
}

function switched(value: boolean | undefined): number {
  return value === undefined ? -1 : Number(value)
}

/** The slot as the executor takes it, -1 for its own namespace. */
export function slotOf(netns: Netns, resolve: Resolve): number {
  return netns ? resolve.slot(netns.slot) : -1
}

function pidText({ pid }: NonNullable<Netns>): string {
  return typeof pid === 'number' ? String(pid) : `$${pid.late.toUpperCase()}`
}

/** The beginning of a command in shell that runs in the namespace. */
export function enteringNetwork(netns: Netns): string {
  return netns ? `nsenter --net=/proc/${pidText(netns)}/ns/net ` : ''
}

/** The six bytes of a MAC address, none where there is none. Throws TypeError for another text. */
function macBytes(mac: string | undefined): Uint8Array {
  if (mac === undefined) return new Uint8Array()
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new TypeError(`${mac} is no MAC address`)
  return Uint8Array.from(mac.split(':'), byte => Number.parseInt(byte, 16))
}

/** A message to the kernel, with the names of its attributes. */
export function message(type: string, attributes: string[]): string {
  return `rtnetlink(${type}, {${attributes.join(', ')}})`
}

function shown({ mac, mtu, master, alias, up, hairpin, netns }: Settings): string[] {
  return [
    ...(mac ? [`IFLA_ADDRESS ${mac}`] : []),
    ...(mtu ? [`IFLA_MTU ${mtu}`] : []),
    ...(master ? [`IFLA_MASTER ${master}`] : []),
    ...(alias ? [`IFLA_IFALIAS ${JSON.stringify(alias)}`] : []),
    ...(up === undefined ? [] : [up ? 'IFF_UP' : '~IFF_UP']),
    ...(hairpin === undefined ? [] : [`IFLA_BRPORT_MODE ${Number(hairpin)}`]),
    ...(netns ? [`IFLA_NET_NS_FD ${netns.slot}`] : []),
  ]
}

/** The same as words of ip(8). */
function options({ mac, mtu, master, up, netns }: Settings): string[] {
  return [
    ...(mac ? [words('address', mac)] : []),
    ...(mtu ? [words('mtu', String(mtu))] : []),
    ...(master ? [words('master', master)] : []),
    ...(up === undefined ? [] : [up ? 'up' : 'down']),
    ...(netns ? [`netns ${pidText(netns)}`] : []),
  ]
}

function addLink(op: Settings & { name: string; parent?: string }, type: string): string {
  const { name, parent } = op
  const above = parent ? words('link', parent, 'name', name) : words('name', name)
  return ['ip link add', above, ...options(op), type].join(' ')
}

/** What the kernel takes only of a link that is there. */
function afterwards({ name, alias, hairpin }: Settings & { name: string }): string {
  return lines(
    ...(alias ? [words('ip', 'link', 'set', 'dev', name, 'alias', alias)] : []),
    ...hairpinCommand(name, hairpin),
  )
}

function hairpinCommand(name: string, hairpin: boolean | undefined): string[] {
  if (hairpin === undefined) return []
  return [words('ip', 'link', 'set', 'dev', name, 'type', 'bridge_slave', 'hairpin', hairpin ? 'on' : 'off')]
}

function lines(...commands: string[]): string {
  return commands.filter(command => command !== '').join('\n')
}

function remove(name: string): Op[] {
  return [{ op: 'delete_link', name, tolerate: ['ENODEV'] }]
}
