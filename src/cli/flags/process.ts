// Flags about the process: which one runs, as whom, where, and how it is connected to the terminal.

import { MinictrError } from '../../system/error.ts'
import type { RunFlagGroup } from './draft.ts'
import { parseWhole } from './numbers.ts'
import { parseUlimit } from './ulimit.ts'
import { inheritVariable } from './variables.ts'

export const processFlags: RunFlagGroup = {
  title: 'Process',
  flags: [
    {
      name: 'interactive',
      short: 'i',
      about: 'Keep STDIN open even if not attached',
      turn: ({ options }, on) => {
        options.interactive = on
      },
    },
    {
      name: 'tty',
      short: 't',
      about: 'Allocate a pseudo-TTY',
      turn: ({ options }, on) => {
        options.tty = on
      },
    },
    {
      name: 'env',
      short: 'e',
      takes: 'list',
      about: "Set environment variables; a name alone takes this host's value",
      set: ({ options }, text) => {
        options.environment.push(inheritVariable(text, process.env))
      },
    },
    {
      name: 'env-file',
      takes: 'list',
      about: 'Read in a file of environment variables',
      set: (draft, file) => {
        draft.envFiles.push(file)
      },
    },
    {
      name: 'entrypoint',
      takes: 'string',
      about: 'Overwrite the default ENTRYPOINT of the image',
      set: ({ options }, text) => {
        options.entrypoint = text === '' ? [] : [text]
      },
    },
    {
      name: 'workdir',
      short: 'w',
      takes: 'string',
      about: 'Working directory inside the container',
      set: ({ options }, path) => {
        options.workingDirectory = path
      },
    },
    {
      name: 'user',
      short: 'u',
      takes: 'string',
      about: 'Username or UID (format: <name|uid>[:<group|gid>])',
      set: ({ options }, text) => {
        options.user = text
      },
    },
    {
      name: 'group-add',
      takes: 'list',
      about: 'Add additional groups to join',
      set: ({ options }, group) => {
        options.additionalGroups.push(group)
      },
    },
    {
      name: 'init',
      about: 'Run an init inside the container that forwards signals and reaps processes',
      turn: ({ options }, on) => {
        options.init = on
      },
    },
    {
      name: 'stop-signal',
      takes: 'string',
      about: 'Signal to stop the container',
      set: ({ options }, signal) => {
        options.stopSignal = signal
      },
    },
    {
      name: 'stop-timeout',
      takes: 'int',
      about: 'Timeout (in seconds) to stop a container',
      set: ({ options }, text) => {
        options.stopTimeoutSeconds = parseWhole(text)
      },
    },
    {
      name: 'ulimit',
      takes: 'ulimit',
      about: 'Ulimit options',
      set: ({ options }, text) => {
        options.ulimits.push(parseUlimit(text))
      },
    },
    {
      name: 'oom-score-adj',
      takes: 'int',
      about: "Tune host's OOM preferences (-1000 to 1000)",
      set: ({ options }, text) => {
        const score = parseWhole(text)
        if (score < -1000 || score > 1000) {
          throw new MinictrError(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`)
        }
        options.oomScoreAdjustment = score
      },
    },
  ],
}
