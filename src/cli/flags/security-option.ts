// --security-opt: what may be taken off, or put on top of, the default policy.

import type { RunOptions } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { readText } from './variables.ts'

/** Applies one `--security-opt` to the options. Throws MinictrError in Docker's words, or naming what is not here yet. */
export function parseSecurityOption(options: RunOptions, text: string): void {
  const [, key = text, value] = /^([^=:]*)[=:](.*)$/s.exec(text) ?? []
  switch (key) {
    case 'no-new-privileges':
      options.noNewPrivileges = parseNoNewPrivileges(text, value)
      return
    case 'seccomp':
      if (value === undefined) break
      options.seccomp = parseSeccomp(value)
      return
    case 'systempaths':
      if (value !== 'unconfined') break
      options.systemPathsUnconfined = true
      return
    case 'apparmor':
      if (value === undefined) break
      if (value === 'unconfined' || value === '') return
      throw new MinictrError(`minictr has no AppArmor profiles yet: ${value}`, {
        remedy: 'The only value it takes is apparmor=unconfined, which is how it runs containers.',
      })
    case 'label':
      if (value === 'disable') return
      throw new MinictrError('minictr sets no SELinux labels yet', {
        remedy: 'The only value it takes is label=disable, which is how it runs containers.',
      })
    case 'credentialspec':
    case 'writable-cgroups':
      throw new MinictrError(`minictr has no ${key} yet`)
  }
  throw new MinictrError(`Invalid --security-opt: ${JSON.stringify(text)}`)
}

function parseNoNewPrivileges(text: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true') return true
  if (value === 'false') return false
  throw new MinictrError(`Invalid --security-opt: ${JSON.stringify(text)}`)
}

function parseSeccomp(value: string): RunOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined'
  if (value === 'builtin') return 'default'
  try {
    return { file: value, text: readText(value) }
  } catch (error) {
    throw new MinictrError(`opening seccomp profile (${value}) failed: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
