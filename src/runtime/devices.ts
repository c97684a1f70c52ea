// Devices of a container: the nodes in its /dev, and the rules that let them be opened.

import { MinictrError } from '../system/error.ts'
import type { Device, DeviceRule } from './spec.ts'

/** What every Unix program may expect in /dev. Source: config-linux.md (OCI), "Default Devices". */
export const defaultDevices: readonly Device[] = [
  charDevice('/dev/null', 1, 3),
  charDevice('/dev/zero', 1, 5),
  charDevice('/dev/full', 1, 7),
  charDevice('/dev/random', 1, 8),
  charDevice('/dev/urandom', 1, 9),
  charDevice('/dev/tty', 5, 0),
]

function charDevice(path: string, major: number, minor: number): Device {
  return { path, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 }
}

/** A file of this host as stat(2) shows it. */
export type FileStatus = { mode: number; device: number; uid: number; gid: number }

/**
 * `--device SOURCE:TARGET:ACCESS` as OCI: the node to make at `target` with the owner and permissions it has on the
 * host, and the rule that opens it. Throws MinictrError where `source` is no device. Source: moby, oci (DevicesFromPath).
 */
export function deviceOf(
  source: string,
  target: string,
  access: string,
  file: FileStatus,
): {
  device: Device
  rule: DeviceRule
} {
  const type = typesByMode.get(file.mode & typeMask)
  if (!type) {
    throw new MinictrError(`--device ${source}: this file of the host is not a device`, {
      remedy:
        'Only character and block devices can be given: ls -l shows c or b. Other files are for --volume.',
    })
  }
  const { major, minor } = numbersOf(file.device)
  return {
    device: { path: target, type, major, minor, fileMode: file.mode & 0o777, uid: file.uid, gid: file.gid },
    rule: { allow: true, type, major, minor, access },
  }
}

const typeMask = 0o170000
const typesByMode = new Map<number, 'c' | 'b'>([
  [0o020000, 'c'],
  [0o060000, 'b'],
])

/** dev_t as the C library packs it (makedev(3)): 12 bits of major number between 8 and 12 of minor. */
function numbersOf(device: number): { major: number; minor: number } {
  const low = device % 2 ** 32
  return { major: (low >>> 8) & 0xfff, minor: (low & 0xff) | ((low >>> 12) & 0xfff00) }
}
