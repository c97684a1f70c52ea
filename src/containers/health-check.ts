// The health check of a container: what the image says, what the user says, and what that comes to. Source: Docker's
// Dockerfile reference, HEALTHCHECK; moby, daemon/health.go.

import type { ImageConfig, HealthCheck as ImageHealthCheck } from '../images/image-config.ts'
import type { HealthOptions } from './options.ts'

/** As it was said: what is missing has Docker's default. */
export type HealthCheck = {
  /** `CMD` and a program with its arguments, `CMD-SHELL` and a line for the shell, or `NONE`; nothing is none, too. */
  test: string[]
  /** What takes the line of CMD-SHELL. */
  shell: string[]
  /** From the end of one probe to the start of the next, and before the first. */
  intervalMs?: number
  /** A probe that takes longer is killed, and has failed. */
  timeoutMs?: number
  /** So long failures do not count, unless the container has been healthy. */
  startPeriodMs?: number
  /** The interval meanwhile. */
  startIntervalMs?: number
  /** So many failures in a row make it unhealthy. */
  retries?: number
}

/** With Docker's defaults in place of what nobody said. */
export type ProbeTiming = Required<Omit<HealthCheck, 'test' | 'shell'>>

const DEFAULT_SHELL = ['/bin/sh', '-c']
const NS_PER_MS = 1e6

const defaults: ProbeTiming = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 0,
  startIntervalMs: 5000,
  retries: 3,
}

/**
 * The user's health check over the image's, each setting by itself; undefined where nobody has said anything. Source: moby,
 * daemon/commit.go (merge).
 */
export function chooseHealthCheck(
  options: HealthOptions,
  { config = {} }: Pick<ImageConfig, 'config'>,
): HealthCheck | undefined {
  const image = config.Healthcheck ? ofImage(config.Healthcheck) : undefined
  const { isDisabled, command, ...timing } = options
  const given = Object.entries(timing).filter(([, value]) => value)
  const test = isDisabled ? ['NONE'] : command ? ['CMD-SHELL', command] : []
  if (!image && test.length + given.length === 0) return undefined
  return {
    ...image,
    ...Object.fromEntries(given),
    test: test.length > 0 ? test : (image?.test ?? []),
    shell: config.Shell?.length ? config.Shell : DEFAULT_SHELL,
  }
}

/** What is run in the container to probe it; undefined where nothing is to be. */
export function probeCommand({ test: [kind, ...words], shell }: HealthCheck): string[] | undefined {
  if (words.length === 0) return undefined
  if (kind === 'CMD') return words
  return kind === 'CMD-SHELL' ? [...shell, ...words] : undefined
}

/** When it is probed, and what counts as a failure. */
export function probeTiming({ test: _, shell: __, ...timing }: HealthCheck): ProbeTiming {
  return { ...defaults, ...timing }
}

/** Nanoseconds, 0 for "as usual"; what makes no sense is as usual as well. */
function ofImage(check: ImageHealthCheck): Omit<HealthCheck, 'shell'> {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = check
  const times = {
    intervalMs: Interval,
    timeoutMs: Timeout,
    startPeriodMs: StartPeriod,
    startIntervalMs: StartInterval,
  }
  const timesMs = Object.entries(times).map(([name, ns]) => [name, (ns ?? 0) / NS_PER_MS] as const)
  return {
    test: Test ?? [],
    ...Object.fromEntries(timesMs.filter(([, ms]) => ms >= 1)),
    ...(Retries && Retries > 0 && { retries: Retries }),
  }
}

/** As an image's configuration has it, with what was said alone: times in nanoseconds. */
export function describeHealthCheck({
  test,
  intervalMs,
  timeoutMs,
  startPeriodMs,
  startIntervalMs,
  retries,
}: HealthCheck): ImageHealthCheck {
  return {
    ...(test.length > 0 && { Test: test }),
    ...(intervalMs && { Interval: intervalMs * NS_PER_MS }),
    ...(timeoutMs && { Timeout: timeoutMs * NS_PER_MS }),
    ...(startPeriodMs && { StartPeriod: startPeriodMs * NS_PER_MS }),
    ...(startIntervalMs && { StartInterval: startIntervalMs * NS_PER_MS }),
    ...(retries && { Retries: retries }),
  }
}
