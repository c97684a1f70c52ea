// Files of /proc and /sys that a container must not see or write: they belong to the machine and know no namespaces.

import type { HostFacts } from './host.ts'

/** Covered, so that not even reading is possible. Docker's list (moby, daemon/pkg/oci/defaults.go). */
const masked = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts', // moments at which others typed or worked
  '/proc/kcore', // the machine's memory
  '/proc/keys', // names of everybody's keys
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi', // takes commands for disks
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

/** Readable, but not to be written. Docker's list. */
const readonly = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export type ProtectedPaths = { maskedPaths: string[]; readonlyPaths: string[] }

/**
 * `linux.maskedPaths` and `linux.readonlyPaths` of a container; empty for one that is privileged or has
 * `--security-opt systempaths=unconfined`. Those a kernel does not have are passed over when they are covered.
 */
export function protectedPaths(host: Pick<HostFacts, 'thermalPaths'>, isUnconfined: boolean): ProtectedPaths {
  if (isUnconfined) return { maskedPaths: [], readonlyPaths: [] }
  return { maskedPaths: [...masked, ...host.thermalPaths], readonlyPaths: [...readonly] }
}
