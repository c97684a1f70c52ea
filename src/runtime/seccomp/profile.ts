// Seccomp profiles in Docker's format: an OCI configuration with conditions, settled here for one container.

import { MinictrError } from '../../system/error.ts'
import { type HostFacts, isKernelAtLeast } from '../host.ts'
import type { Seccomp, SeccompRule } from '../spec.ts'

/** When a rule counts. All conditions of `includes` must hold, none of `excludes` may. */
export type RuleFilter = { caps?: string[]; arches?: string[]; minKernel?: string }

export type DockerRule = Omit<SeccompRule, 'names'> & {
  names?: string[]
  /** The old way to give one name. */
  name?: string
  comment?: string
  includes?: RuleFilter
  excludes?: RuleFilter
}

export type DockerProfile = Omit<Seccomp, 'defaultAction' | 'syscalls'> & {
  defaultAction?: string
  archMap?: { architecture: string; subArchitectures?: string[] }[]
  syscalls?: DockerRule[]
}

/** The text of a profile file. Throws MinictrError that names `source` where it is not a profile. */
export function parseProfile(text: string, source: string): DockerProfile {
  let profile: unknown
  try {
    profile = JSON.parse(text)
  } catch (cause) {
    throw broken(source, `it is not JSON: ${(cause as Error).message}`)
  }
  if (!isObject(profile)) throw broken(source, 'it is not a JSON object')
  const { syscalls = [], archMap = [] } = profile
  if (!Array.isArray(syscalls) || !syscalls.every(isRule)) {
    throw broken(source, '"syscalls" must be a list of objects, each with "names" and "action"')
  }
  if (!Array.isArray(archMap) || !archMap.every(isObject))
    throw broken(source, '"archMap" must be a list of objects')
  if (profile.listenerPath)
    throw broken(source, 'a "listenerPath" needs SCMP_ACT_NOTIFY, which is not supported')
  return profile as DockerProfile
}

/**
 * What is left of a profile for a container with these capabilities (its bounding set) on this host: the `linux.seccomp`
 * of its configuration, or undefined for a profile without content, which switches seccomp off. Throws MinictrError for
 * contradictions. Source: moby/profiles, seccomp (setupSeccomp).
 */
export function settleProfile(
  profile: DockerProfile,
  capabilities: string[],
  host: Pick<HostFacts, 'architecture' | 'kernel'>,
): Seccomp | undefined {
  const { defaultAction, defaultErrnoRet, flags, syscalls = [] } = profile
  if (!defaultAction && syscalls.length === 0) return undefined
  const holds = (filter: RuleFilter) => holdsFor(filter, capabilities, host)
  return {
    defaultAction: defaultAction ?? '',
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    architectures: architecturesOf(profile, host.architecture),
    ...(flags?.length && { flags }),
    syscalls: syscalls
      .filter(
        ({ includes = {}, excludes = {} }) =>
          holds(includes).every(Boolean) && !holds(excludes).some(Boolean),
      )
      .map(toOci),
  }
}

/** One truth for each condition a filter has; for `caps`, each capability is a condition. */
function holdsFor(
  filter: RuleFilter,
  capabilities: string[],
  host: Pick<HostFacts, 'architecture' | 'kernel'>,
): boolean[] {
  const truths = (filter.caps ?? []).map(name => capabilities.includes(name))
  if (filter.arches?.length) truths.push(filter.arches.includes(host.architecture))
  if (filter.minKernel) {
    const [major, minor] = filter.minKernel.split('.').map(Number)
    truths.push(isKernelAtLeast(host, major || 0, minor || 0))
  }
  return truths
}

const nativeNames = { amd64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' }

function architecturesOf(
  { architectures = [], archMap = [] }: DockerProfile,
  own: HostFacts['architecture'],
): string[] {
  if (architectures.length && archMap.length) {
    throw new MinictrError('The seccomp profile has both "architectures" and "archMap"', {
      remedy: 'Keep one of them; archMap lists the interfaces for several processors.',
    })
  }
  const mapped = archMap.find(({ architecture }) => architecture === nativeNames[own])
  return mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : architectures
}

function toOci({ names = [], name, action, errnoRet, args = [] }: DockerRule): SeccompRule {
  if (name && names.length) {
    throw new MinictrError(`The seccomp profile has a rule with both "name" (${name}) and "names"`, {
      remedy: 'Keep "names", a list.',
    })
  }
  return {
    names: name ? [name] : names,
    action,
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args?.length && { args }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isRule(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value.action === 'string' &&
    (typeof value.name === 'string' ||
      (Array.isArray(value.names) && value.names.every(name => typeof name === 'string')))
  )
}

function broken(source: string, why: string): MinictrError {
  return new MinictrError(`The seccomp profile ${source} cannot be used: ${why}`, {
    remedy: 'Profiles have the format of Docker’s: docs.docker.com/engine/security/seccomp',
  })
}
