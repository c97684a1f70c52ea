// Flags about limits: memory, processors, processes, block devices.

import type { ResourceOptions } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import type { RunFlag, RunFlagGroup } from './draft.ts'
import { parseBytes, parseNanoCpus, parseWhole } from './numbers.ts'

type Numeric = Exclude<keyof ResourceOptions, 'disablesOomKiller' | 'cpusetCpus' | 'cpusetMems'>

/** A flag that sets one number; 0 means "not asked for", as in Docker. */
function number(
  names: { name: string; short?: string },
  takes: string,
  about: string,
  key: Numeric,
  parse: (text: string) => number,
): RunFlag {
  return {
    ...names,
    takes,
    about,
    set: ({ options }, text) => {
      options.resources[key] = parse(text) || undefined
    },
  }
}

export const resourceFlags: RunFlagGroup = {
  title: 'Resources',
  flags: [
    number({ name: 'memory', short: 'm' }, 'bytes', 'Memory limit', 'memoryBytes', parseBytes),
    number(
      { name: 'memory-reservation' },
      'bytes',
      'Memory soft limit',
      'memoryReservationBytes',
      parseBytes,
    ),
    number(
      { name: 'memory-swap' },
      'bytes',
      "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
      'memorySwapBytes',
      text => (text === '-1' ? -1 : parseBytes(text)),
    ),
    {
      name: 'memory-swappiness',
      takes: 'int',
      about: 'Tune container memory swappiness (0 to 100) (default -1)',
      set: ({ options }, text) => {
        options.resources.memorySwappiness = parseSwappiness(text)
      },
    },
    {
      name: 'oom-kill-disable',
      about: 'Disable OOM Killer',
      turn: ({ options }, on) => {
        options.resources.disablesOomKiller = on
      },
    },
    number({ name: 'cpus' }, 'decimal', 'Number of CPUs', 'nanoCpus', parseNanoCpus),
    number({ name: 'cpu-shares', short: 'c' }, 'int', 'CPU shares (relative weight)', 'cpuShares', text =>
      parseWhole(text),
    ),
    number(
      { name: 'cpu-quota' },
      'int',
      'Limit CPU CFS (Completely Fair Scheduler) quota',
      'cpuQuotaMicroseconds',
      text => parseWhole(text),
    ),
    number(
      { name: 'cpu-period' },
      'int',
      'Limit CPU CFS (Completely Fair Scheduler) period',
      'cpuPeriodMicroseconds',
      text => parseWhole(text),
    ),
    {
      name: 'cpuset-cpus',
      takes: 'string',
      about: 'CPUs in which to allow execution (0-3, 0,1)',
      set: ({ options }, list) => {
        options.resources.cpusetCpus = list || undefined
      },
    },
    {
      name: 'cpuset-mems',
      takes: 'string',
      about: 'MEMs in which to allow execution (0-3, 0,1)',
      set: ({ options }, list) => {
        options.resources.cpusetMems = list || undefined
      },
    },
    number(
      { name: 'pids-limit' },
      'int',
      'Tune container pids limit (set -1 for unlimited)',
      'pidsLimit',
      text => parseWhole(text),
    ),
    number(
      { name: 'blkio-weight' },
      'uint16',
      'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)',
      'blockIoWeight',
      text => parseWhole(text, 0, 0xffff),
    ),
  ],
}

function parseSwappiness(text: string): number | undefined {
  const swappiness = parseWhole(text)
  if (swappiness === -1) return undefined
  if (swappiness < 0 || swappiness > 100) {
    throw new MinictrError(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  }
  return swappiness
}
