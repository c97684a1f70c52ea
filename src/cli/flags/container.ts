// Flags about the container as a thing: its name, its image, what is written down about it.

import { MinictrError } from '../../system/error.ts'
import type { RunFlagGroup } from './draft.ts'
import { checkLabel, splitVariable } from './variables.ts'

const pullPolicies = ['always', 'missing', 'never'] as const

export const containerFlags: RunFlagGroup = {
  title: 'Container and image',
  flags: [
    {
      name: 'name',
      takes: 'string',
      about: 'Assign a name to the container',
      set: ({ options }, name) => {
        if (name === '') delete options.name
        else options.name = name
      },
    },
    {
      name: 'rm',
      about: 'Automatically remove the container and its associated anonymous volumes when it exits',
      turn: ({ options }, on) => {
        options.remove = on
      },
    },
    {
      name: 'restart',
      takes: 'string',
      about:
        'Restart policy to apply when a container exits (no|on-failure[:max-retries]|always|unless-stopped) (default "no")',
      set: (draft, policy) => {
        draft.restart = policy
      },
    },
    {
      name: 'cidfile',
      takes: 'string',
      about: 'Write the container ID to the file',
      set: ({ options }, file) => {
        options.cidFile = file
      },
    },
    {
      name: 'pull',
      takes: 'string',
      about: 'Pull image before running ("always", "missing", "never") (default "missing")',
      set: ({ options }, policy) => {
        const known = pullPolicies.find(each => each === policy)
        if (known === undefined) {
          throw new MinictrError(
            `invalid pull option: '${policy}': must be one of "always", "missing" or "never"`,
          )
        }
        options.pull = known
      },
    },
    {
      name: 'quiet',
      short: 'q',
      about: 'Suppress the pull output',
      turn: ({ options }, on) => {
        options.quiet = on
      },
    },
    {
      name: 'platform',
      takes: 'string',
      about: 'Set platform if server is multi-platform capable',
      set: ({ options }, platform) => {
        options.platform = platform
      },
    },
    {
      name: 'label',
      short: 'l',
      takes: 'list',
      about: 'Set meta data on a container',
      set: (draft, text) => {
        draft.labels.push(checkLabel(text))
      },
    },
    {
      name: 'label-file',
      takes: 'list',
      about: 'Read in a line delimited file of labels',
      set: (draft, file) => {
        draft.labelFiles.push(file)
      },
    },
    {
      name: 'annotation',
      takes: 'map',
      about: 'Add an annotation to the container (passed through to the OCI runtime)',
      set: ({ options }, text) => {
        const [name, value] = splitVariable(text)
        if (name === '') throw new MinictrError(`invalid annotation '${text}': empty name`)
        if (name.startsWith('minictr.')) {
          throw new MinictrError(`annotation '${name}': names that begin with minictr. are its own`)
        }
        options.annotations[name] = value
      },
    },
  ],
}
