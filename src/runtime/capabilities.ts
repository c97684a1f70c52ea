// Capabilities: root's power cut into pieces, and which of them a container keeps (capabilities(7)).

import { MinictrError } from '../system/error.ts'
import type { Capabilities } from './spec.ts'

/** Every capability of Linux; its place in the list is its number in <linux/capability.h>. */
export const capabilityNames: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
]

/**
 * What root in a container may do by default: enough to install packages, change users and serve on low ports, nothing
 * that reaches the machine outside. Docker's set (moby, oci/caps).
 */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

export type CapabilityRequest = {
  /** As on the command line: with or without CAP_, in any case, or ALL. */
  add?: string[]
  drop?: string[]
  privileged?: boolean
}

/**
 * The capabilities of a container, in the order of their numbers.
 *
 * `--cap-add ALL` gives everything but what is dropped; `--cap-drop ALL` nothing but what is added; a name that is both
 * dropped and added is added. `--privileged` gives everything and ignores the rest. "Everything" is what this host has
 * to give: `boundingSet` of its facts. Throws MinictrError for a name Linux does not know and for an added one the host
 * does not have. Source: moby, daemon/pkg/oci/caps (TweakCapabilities).
 */
export function chooseCapabilities(request: CapabilityRequest, host: { boundingSet: bigint }): string[] {
  const everything = host.boundingSet & knownMask
  if (request.privileged) return capabilitiesOf(everything)
  const add = (request.add ?? []).map(name => parseName(name, '--cap-add'))
  const drop = (request.drop ?? []).map(name => parseName(name, '--cap-drop'))
  const added = capabilityMask(add.filter(name => name !== all))
  const dropped = capabilityMask(drop.filter(name => name !== all))
  refuseMissing(added & ~everything)
  if (add.includes(all)) return capabilitiesOf(everything & ~dropped)
  if (drop.includes(all)) return capabilitiesOf(added)
  return capabilitiesOf((capabilityMask(defaultCapabilities) & everything & ~dropped) | added)
}

/**
 * The five sets of a container's first process. Nothing is inheritable or ambient: a program run by another user than
 * root has capabilities only through its file, as outside a container. Such a user has none when the program is looked
 * for either. Source: moby, oci/caps and daemon/oci_linux.go (SetCapabilities).
 */
export function capabilitySets(names: string[], uid = 0): Capabilities {
  const held = uid === 0 ? names : []
  return { bounding: names, effective: held, permitted: held, inheritable: [], ambient: [] }
}

/** The set as a number: bit n stands for capability n. Throws TypeError for a name that is not in the table. */
export function capabilityMask(names: readonly string[]): bigint {
  let mask = 0n
  for (const name of names) {
    const number = capabilityNames.indexOf(name)
    if (number < 0) throw new TypeError(`unknown capability ${name}`)
    mask |= 1n << BigInt(number)
  }
  return mask
}

/** The names of a set, by number; bits this table does not know are left out. */
export function capabilitiesOf(mask: bigint): string[] {
  return capabilityNames.filter((_, number) => (mask >> BigInt(number)) & 1n)
}

const all = 'ALL'
const knownMask = (1n << BigInt(capabilityNames.length)) - 1n

function parseName(given: string, option: string): string {
  const upper = given.toUpperCase()
  if (upper === all) return all
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (capabilityNames.includes(name)) return name
  throw new MinictrError(`${option} ${given}: Linux has no capability of this name`, {
    remedy: 'capabilities(7) lists them; NET_ADMIN and CAP_NET_ADMIN mean the same, ALL means all of them.',
  })
}

function refuseMissing(missing: bigint): void {
  const [name] = capabilitiesOf(missing)
  if (name === undefined) return
  throw new MinictrError(`--cap-add ${name}: this host has no such capability to give`, {
    remedy:
      'It is missing from the bounding set (CapBnd in /proc/self/status) or unknown to this kernel: run minictr where it is available.',
  })
}
