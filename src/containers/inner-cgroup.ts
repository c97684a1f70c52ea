// Which cgroup v2 directory one more process of a running container joins, where the container has made some of its own.

import { readFileSync } from 'node:fs'
import { type HostFacts, unifiedHierarchy } from '../runtime/host.ts'
import { errnoOf } from '../system/errno.ts'

/**
 * The path below the mount point: the container's own, `cgroupsPath`. Where it has passed controllers on to directories made
 * inside, as systemd does in a container, the kernel lets no process into it ("no internal processes"); then that of the container's
 * first process, by its PID. Source: the kernel's cgroup-v2.rst; runc, libcontainer/process_linux.go (setnsProcess).
 */
export function joinableCgroup(cgroupsPath: string, pid: number, host: Pick<HostFacts, 'cgroups'>): string {
  const unified = unifiedHierarchy(host)
  if (!unified) return cgroupsPath
  const passedOn = readText(`${unified.mountPoint}${cgroupsPath}/cgroup.subtree_control`).trim()
  if (passedOn === '') return cgroupsPath
  return cgroupBelow(cgroupsPath, readText(`/proc/${pid}/cgroup`)) ?? cgroupsPath
}

/** The v2 path in the text of /proc/PID/cgroup (cgroups(7)), where it is below `cgroupsPath`: not outside the container. */
export function cgroupBelow(cgroupsPath: string, text: string): string | undefined {
  const path = /^0::(.*)$/m.exec(text)?.[1]
  return path?.startsWith(`${cgroupsPath}/`) ? path : undefined
}

/** Empty for what is not there, or has just gone. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ESRCH'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}
