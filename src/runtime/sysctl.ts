// Kernel settings a container may have for itself: those that belong to one of its namespaces.

import { MinictrError } from '../system/error.ts'
import type { NamespaceType } from './spec.ts'

/** Settings of the IPC namespace (ipc_namespaces(7)); all of fs.mqueue belongs to it as well. */
const ipcSettings = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]

/**
 * What Docker sets in a container's own network namespace: ping without CAP_NET_RAW (not in a user namespace, which
 * cannot) and low ports for every user. Source: moby, daemon/oci_linux.go (WithCommonOptions).
 */
export function defaultSysctls(hasOwnUsers: boolean): Record<string, string> {
  return {
    ...(!hasOwnUsers && { 'net.ipv4.ping_group_range': '0 2147483647' }),
    'net.ipv4.ip_unprivileged_port_start': '0',
  }
}

/**
 * Refuses settings that would change the whole machine, or another container's namespace.
 *
 * `own` are the namespaces made for this container. Names are written with dots or with slashes. Throws MinictrError
 * that names the setting. Source: runc, libcontainer/configs/validate (sysctl).
 */
export function checkSysctls(names: string[], own: NamespaceType[]): void {
  for (const name of names) {
    const setting = name.includes('/') ? name.replaceAll('/', '.') : name
    const namespace = namespaceOf(setting)
    // The name becomes a path below /proc/sys, which must not lead to a setting of another name.
    if (name.split('/').some(part => part === '' || part === '.' || part === '..')) {
      throw refused(name, 'it is no name of a setting', 'sysctl -a lists them; a name takes dots or slashes.')
    }
    if (setting === 'kernel.hostname') {
      throw refused(name, 'the host name has an option of its own', 'Use --hostname.')
    }
    if (!namespace) {
      throw refused(
        name,
        'it belongs to no namespace and would change the whole machine',
        'Set it on the host: sysctl -w. In a container, net.*, fs.mqueue.* and the limits of System V IPC can be set.',
      )
    }
    if (!own.includes(namespace)) {
      throw refused(
        name,
        `the container has no ${namespace} namespace of its own, and it would change that of the host or of another container`,
        `Leave --${namespace === 'network' ? 'network' : namespace} out, or set it on the host: sysctl -w.`,
      )
    }
  }
}

function namespaceOf(setting: string): NamespaceType | undefined {
  if (setting.startsWith('net.')) return 'network'
  if (setting.startsWith('fs.mqueue.') || ipcSettings.includes(setting)) return 'ipc'
  return setting === 'kernel.domainname' ? 'uts' : undefined
}

function refused(name: string, reason: string, remedy: string): MinictrError {
  return new MinictrError(`--sysctl ${name} is not allowed: ${reason}`, { remedy })
}
