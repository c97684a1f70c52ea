// What the build compiles beforehand: the filter program of a container that asks for nothing special.

import { chooseCapabilities } from '../src/runtime/capabilities.ts'
import { compileSeccomp } from '../src/runtime/seccomp/compile.ts'
import type { KnownProgram } from '../src/runtime/seccomp/known-programs.ts'
import { defaultProfile } from '../src/runtime/seccomp/policy.ts'
import { settleProfile } from '../src/runtime/seccomp/profile.ts'
import { hostArchitecture } from '../src/system/host-facts.ts'

/** The default policy for the default capabilities, on a kernel that every rule of the policy is meant for. */
export function makeKnownPrograms(): KnownProgram[] {
  const host = { architecture: hostArchitecture(), kernel: { major: 6, minor: 0 }, boundingSet: -1n }
  const configuration = settleProfile(defaultProfile(), chooseCapabilities({}, host), host)!
  return [
    {
      architecture: host.architecture,
      configuration: JSON.stringify(configuration),
      program: JSON.stringify(compileSeccomp(configuration, host)),
    },
  ]
}
