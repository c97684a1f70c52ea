// Which system calls a container may make: Docker's policy, a profile of the user's, or all.

import type { HostFacts } from '../runtime/host.ts'
import { defaultProfile } from '../runtime/seccomp/policy.ts'
import { parseProfile, settleProfile } from '../runtime/seccomp/profile.ts'
import type { Seccomp } from '../runtime/spec.ts'
import type { RunOptions } from './options.ts'

/**
 * `linux.seccomp` of a container with these capabilities in its bounding set; undefined for none at all, which a
 * privileged container has whatever else is asked. Throws MinictrError for a file that is no profile.
 */
export function chooseSeccomp(
  { privileged, seccomp }: Pick<RunOptions, 'privileged' | 'seccomp'>,
  capabilities: string[],
  facts: HostFacts,
): Seccomp | undefined {
  if (privileged || seccomp === 'unconfined') return undefined
  const profile = seccomp === 'default' ? defaultProfile() : parseProfile(seccomp.text, seccomp.file)
  return settleProfile(profile, capabilities, facts)
}
