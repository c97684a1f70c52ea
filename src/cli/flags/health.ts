// Flags about the container's health: what is asked, how often, and what the answers mean.

import { parseDuration } from '../../containers/moment.ts'
import type { HealthOptions } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import type { RunFlag, RunFlagGroup } from './draft.ts'
import { parseWhole } from './numbers.ts'

type Times = 'intervalMs' | 'timeoutMs' | 'startPeriodMs' | 'startIntervalMs'

/** 0 is "as the image says, or as usual", as in Docker. */
function duration(name: string, about: string, key: Times & keyof HealthOptions): RunFlag {
  return {
    name,
    takes: 'duration',
    about: `${about} (ms|s|m|h) (default 0s)`,
    set: ({ options }, text) => {
      options.health[key] = parseMilliseconds(text)
    },
  }
}

export const healthFlags: RunFlagGroup = {
  title: 'Health',
  flags: [
    {
      name: 'health-cmd',
      takes: 'string',
      about: 'Command to run to check health',
      set: ({ options }, command) => {
        options.health.command = command
      },
    },
    duration('health-interval', 'Time between running the check', 'intervalMs'),
    {
      name: 'health-retries',
      takes: 'int',
      about: 'Consecutive failures needed to report unhealthy',
      set: ({ options }, text) => {
        options.health.retries = parseWhole(text)
      },
    },
    duration(
      'health-start-interval',
      'Time between running the check during the start period',
      'startIntervalMs',
    ),
    duration(
      'health-start-period',
      'Start period for the container to initialize before starting health-retries countdown',
      'startPeriodMs',
    ),
    duration('health-timeout', 'Maximum time to allow one check to run', 'timeoutMs'),
    {
      name: 'no-healthcheck',
      about: 'Disable any container-specified HEALTHCHECK',
      turn: ({ options }, on) => {
        options.health.isDisabled = on
      },
    },
  ],
}

/** Go's durations; the words of its errors. Source: Go, time.ParseDuration. */
function parseMilliseconds(text: string): number {
  const ns = parseDuration(text)
  if (ns !== undefined) return Number(ns) / 1e6
  const quoted = JSON.stringify(text)
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text))
    throw new MinictrError(`time: missing unit in duration ${quoted}`)
  const unit = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)([^\d.]+)$/.exec(text)?.[1]
  if (unit !== undefined)
    throw new MinictrError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
  throw new MinictrError(`time: invalid duration ${quoted}`)
}
