// What a person asked for and the OCI configuration does not tell in his words: kept in the record for `inspect`.

import { defaultOptions, type RunOptions } from './options.ts'

const kept = [
  'additionalGroups',
  'attach',
  'capabilitiesToAdd',
  'capabilitiesToDrop',
  'cidFile',
  'detach',
  'deviceCgroupRules',
  'devices',
  'dnsOptions',
  'dnsSearch',
  'dnsServers',
  'extraHosts',
  'privileged',
  'volumesFrom',
] as const satisfies (keyof RunOptions)[]

/** What is missing was not asked for. */
export type AskedOptions = Partial<Pick<RunOptions, (typeof kept)[number]>> & {
  /** The file of a seccomp profile; its text is in the OCI configuration. */
  seccompFile?: string
}

/** Of the options of a run those that are worth keeping, where they are no defaults. */
export function askedOptions(options: RunOptions): AskedOptions {
  const defaults = defaultOptions()
  const isAsked = (key: keyof RunOptions) => JSON.stringify(options[key]) !== JSON.stringify(defaults[key])
  const { seccomp } = options
  return {
    ...Object.fromEntries(kept.filter(isAsked).map(key => [key, options[key]])),
    ...(typeof seccomp === 'object' && { seccompFile: seccomp.file }),
  }
}
