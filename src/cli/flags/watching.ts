// minictr's own flags: ways to watch a command at work.

import type { Watching } from '../../learn/watch.ts'
import type { FlagGroup } from './flag.ts'

export const watchingFlags: FlagGroup<{ options: Watching }> = {
  title: "Watching it happen (minictr's own)",
  flags: [
    {
      name: 'step',
      about: 'Pause before each step',
      turn: ({ options }, on) => {
        options.step = on
      },
    },
    {
      name: 'timing',
      about: 'Print each step with its microseconds, as it happens',
      turn: ({ options }, on) => {
        options.timing = on
      },
    },
    {
      name: 'trace',
      takes: 'file',
      about: "Write the steps' times to a file in the Chrome trace format",
      set: ({ options }, file) => {
        options.traceFile = file
      },
    },
  ],
}
