// Flags about who sees the container: in front of us, or left to itself.

import { MinictrError } from '../../system/error.ts'
import { parseDetachKeys } from './detach-keys.ts'
import type { RunFlagGroup } from './draft.ts'

const streams = ['stdin', 'stdout', 'stderr'] as const

export const attachmentFlags: RunFlagGroup = {
  title: 'Foreground and background',
  flags: [
    {
      name: 'detach',
      short: 'd',
      about: 'Run container in background and print container ID',
      turn: ({ options }, on) => {
        options.detach = on
      },
    },
    {
      name: 'detach-keys',
      takes: 'string',
      about: 'Override the key sequence for detaching a container',
      set: ({ options }, keys) => {
        options.detachKeys = parseDetachKeys(keys)
      },
    },
    {
      name: 'attach',
      short: 'a',
      takes: 'list',
      about: 'Attach to STDIN, STDOUT or STDERR',
      set: ({ options }, text) => {
        const stream = streams.find(each => each === text.toLowerCase())
        if (stream === undefined) throw new MinictrError('valid streams are STDIN, STDOUT and STDERR')
        options.attach = [...(options.attach ?? []), stream]
      },
    },
    {
      name: 'sig-proxy',
      about: 'Proxy received signals to the process (default true)',
      turn: ({ options }, on) => {
        options.signalProxy = on
      },
    },
  ],
}
