// --device and --device-cgroup-rule: devices of this host in the container.

import { posix } from 'node:path'
import type { DeviceCgroupRule, DeviceOption } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'

/**
 * Parses `/dev/sda[:/dev/xvdc][:rwm]`. Throws MinictrError in Docker's words. Source: github.com/docker/cli,
 * cli/command/container/opts.go (parseLinuxDevice, validateLinuxPath).
 */
export function parseDevice(text: string): DeviceOption {
  const parts = text.split(':')
  if (parts.length > 3 || parts[0] === '') throw new MinictrError(`bad format for path: ${text}`)
  const source = parts[0]!
  if (source.includes('*')) throw new MinictrError(`${source}: minictr takes no patterns for devices yet`)
  if (parts.length === 3 && !isAccess(parts[2]!)) throw new MinictrError(`bad mode specified: ${parts[2]}`)
  const secondIsAccess = parts.length === 2 && isAccess(parts[1]!)
  const target = parts.length === 1 || secondIsAccess ? source : parts[1]!
  if (!target.startsWith('/')) throw new MinictrError(`${target} is not an absolute path`)
  if (!source.startsWith('/')) throw new MinictrError(`${source} is not an absolute path`)
  const access = parts[2] ?? (secondIsAccess ? parts[1]! : 'rwm')
  return { source: posix.normalize(source), target: posix.normalize(target), access }
}

/** Parses `c 1:3 rwm`, with `*` for any number. Throws MinictrError in Docker's words. */
export function parseDeviceCgroupRule(text: string): DeviceCgroupRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text)
  if (!match) throw new MinictrError(`invalid device cgroup format '${text}'`)
  const number = (digits: string) => (digits === '*' ? undefined : Number(digits))
  return {
    type: match[1] as DeviceCgroupRule['type'],
    major: number(match[2]!),
    minor: number(match[3]!),
    access: match[4]!,
  }
}

/** Some of r (read), w (write) and m (mknod), each once. */
function isAccess(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length
}
