// Which devices a container may make and open: the rules of the OCI configuration, brought into their plainest form.

import { MinictrError } from '../system/error.ts'
import type { DeviceRule } from './spec.ts'

/** A default and what departs from it. `major` and `minor` are absent where any number matches. */
export type DevicePolicy = { allowByDefault: boolean; exceptions: DeviceException[] }

export type DeviceException = {
  type: 'b' | 'c'
  major?: number
  minor?: number
  /** Of `r` (open for reading), `w` (open for writing) and `m` (mknod), in this order. */
  access: string
}

/**
 * Docker's rules for a container that was given no device: nothing but making nodes (a node that may not be opened
 * harms nobody), and the pseudo devices every program expects. Sources: moby oci/defaults.go, runc AllowedDevices.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, // /dev/null
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }, // /dev/zero
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' }, // /dev/full
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' }, // /dev/random
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' }, // /dev/urandom
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' }, // /dev/tty
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' }, // /dev/console
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' }, // /dev/ptmx
  { allow: true, type: 'c', major: 136, access: 'rwm' }, // /dev/pts/*
]

/** The rules of a privileged container: no limit. */
export const privilegedDeviceRules: readonly DeviceRule[] = [{ allow: true, access: 'rwm' }]

/**
 * The policy a list of rules comes to when they are applied in order, as the kernel's v1 device controller would: a
 * rule for all access to all devices starts afresh; one that agrees with the default takes an exception back. Type `a`
 * with numbers means both kinds. Throws MinictrError for a rule that would take back only a part of a wider exception,
 * which the kernel cannot express.
 * Source: cgroup-v1/devices (kernel admin guide).
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let policy: DevicePolicy = { allowByDefault: true, exceptions: [] }
  for (const rule of rules) {
    const { type = 'a' } = rule
    if (isAboutEverything(rule)) policy = { allowByDefault: rule.allow, exceptions: [] }
    else for (const kind of type === 'a' ? (['b', 'c'] as const) : [type]) applyRule(policy, rule, kind)
  }
  return policy
}

function isAboutEverything({ type = 'a', major, minor, access = '' }: DeviceRule): boolean {
  const isAllAccess = access === '' || ordered(access) === 'rwm'
  return type === 'a' && !isNumber(major) && !isNumber(minor) && isAllAccess
}

function applyRule(policy: DevicePolicy, rule: DeviceRule, type: 'b' | 'c'): void {
  const exception: DeviceException = { type, access: ordered(rule.access || 'rwm') }
  if (isNumber(rule.major)) exception.major = rule.major
  if (isNumber(rule.minor)) exception.minor = rule.minor
  const same = policy.exceptions.find(other => sameDevice(other, exception))
  if (rule.allow !== policy.allowByDefault) {
    if (same) same.access = ordered(same.access + exception.access)
    else policy.exceptions.push(exception)
    return
  }
  if (same) same.access = ordered(same.access, exception.access)
  policy.exceptions = policy.exceptions.filter(({ access }) => access !== '')
  const wider = policy.exceptions.find(other => other !== same && covers(other, exception))
  if (!wider) return
  throw new MinictrError(
    `A device rule for ${describe(exception)} cannot take back a part of the one for ${describe(wider)}`,
    { remedy: 'Write the rules of linux.resources.devices without overlap.' },
  )
}

/** The kernel's text for the device: `c 136:* rwm`. */
export function describe({ type, major, minor, access }: DeviceException): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}

/** The OCI configuration has -1 for "any" where a number is expected. */
function isNumber(value: number | undefined): value is number {
  return value !== undefined && value >= 0
}

function sameDevice(one: DeviceException, other: DeviceException): boolean {
  return one.type === other.type && one.major === other.major && one.minor === other.minor
}

function covers(wide: DeviceException, narrow: DeviceException): boolean {
  return (
    wide.type === narrow.type &&
    (wide.major === undefined || wide.major === narrow.major) &&
    (wide.minor === undefined || wide.minor === narrow.minor) &&
    [...narrow.access].some(letter => wide.access.includes(letter))
  )
}

function ordered(access: string, without = ''): string {
  return [...'rwm'].filter(letter => access.includes(letter) && !without.includes(letter)).join('')
}
