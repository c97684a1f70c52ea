// Devices of this host that a container is given, and the rules its cgroup has for opening them.

import { defaultDeviceRules, privilegedDeviceRules } from '../runtime/device-rules.ts'
import { defaultDevices, deviceOf } from '../runtime/devices.ts'
import type { Device, DeviceRule } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { DeviceOption, RunOptions } from './options.ts'

export type ChosenDevices = { devices: Device[]; rules: DeviceRule[] }

/**
 * The nodes to make in /dev and the device rules: the standard ones, and those asked for; for a privileged container every
 * device of this host, and no rules. Throws MinictrError for a `--device` that is none. Source: moby,
 * daemon/oci_linux.go (WithDevices) and oci/devices_linux.go.
 */
export function chooseDevices(
  {
    privileged,
    devices,
    deviceCgroupRules,
  }: Pick<RunOptions, 'privileged' | 'devices' | 'deviceCgroupRules'>,
  host: HostFiles,
): ChosenDevices {
  const asked = devices.flatMap(option => requestedDevices(option, host))
  const nodes = new Map<string, Device>()
  const found = privileged ? devicesBelow('/dev', '/dev', 'rwm', host) : []
  for (const device of [...defaultDevices, ...[...found, ...asked].map(each => each.device)]) {
    nodes.set(device.path, device)
  }
  const rules = privileged
    ? [...privilegedDeviceRules]
    : [
        ...defaultDeviceRules,
        ...asked.map(({ rule }) => rule),
        ...deviceCgroupRules.map(rule => ({ allow: true, ...rule })),
      ]
  return { devices: [...nodes.values()], rules }
}

type Requested = { device: Device; rule: DeviceRule }

/** The device of an option, or all devices below it where it is a directory. */
function requestedDevices({ source, target, access }: DeviceOption, host: HostFiles): Requested[] {
  if (host.kindOf(source) === 'directory') return devicesBelow(source, target, access, host)
  const status = host.statusOf(source)
  if (status) return [deviceOf(source, target, access, status)]
  throw new MinictrError(
    `error gathering device information while adding custom device "${source}": no such file or directory`,
  )
}

/** File systems of their own inside /dev, and the console, which a container gets its own of. */
const skipped = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']

function devicesBelow(source: string, target: string, access: string, host: HostFiles): Requested[] {
  return host.namesIn(source).flatMap(({ name, kind }) => {
    if (skipped.includes(name)) return []
    const [from, to] = [`${source}/${name}`, `${target}/${name}`]
    if (kind === 'directory') return devicesBelow(from, to, access, host)
    const status = kind === 'device' ? host.statusOf(from) : undefined
    return status ? [deviceOf(from, to, access, status)] : []
  })
}
