// Flags about the log: where the output is kept, and how much of it.

import { addLogOption, parseLogDriver } from '../../containers/log-options.ts'
import type { RunFlagGroup } from './draft.ts'

export const loggingFlags: RunFlagGroup = {
  title: 'Logging',
  flags: [
    {
      name: 'log-driver',
      takes: 'string',
      about: 'Logging driver for the container: "json-file" or "none" (default "json-file")',
      set: ({ options }, name) => {
        options.log.driver = parseLogDriver(name)
      },
    },
    {
      name: 'log-opt',
      takes: 'list',
      about: 'Log driver options: max-size=10m (per file), max-file=3',
      set: ({ options }, text) => addLogOption(options.log, text),
    },
  ],
}
