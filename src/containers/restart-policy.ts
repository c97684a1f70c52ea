// Restart policies: whether a container that ended is started again, and after how long. Decided from what is known of it;
// nothing is done here.

import { MinictrError } from '../system/error.ts'

const names = ['no', 'always', 'on-failure', 'unless-stopped'] as const

export type RestartPolicy = {
  name: (typeof names)[number]
  /** How often `on-failure` starts it again; 0 is without end. */
  maximumRetryCount: number
}

/** What there is for a container of which nobody said anything. */
export const NO_RESTART: RestartPolicy = { name: 'no', maximumRetryCount: 0 }

/** How a run ended, and what was before it. */
export type Ending = {
  /** null: seen by nobody. That counts as a failure. */
  exitStatus: number | null
  /** How long it ran. */
  ranMs: number
  /** How often the policy has started it since somebody did. */
  restartCount: number
  /** How long it was waited for before the last of these starts. */
  restartDelayMs?: number
  isStoppedByUser: boolean
  /** It was stopped because the machine goes down. */
  isShutDown: boolean
  /** Its last start by the policy failed: Docker does not try again. */
  hasGivenUp: boolean
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 60_000
/** Whoever ran so long is no crash loop. */
const LONG_RUN_MS = 10_000

/**
 * Reads `no`, `on-failure[:MAX-RETRIES]`, `always` or `unless-stopped`; an empty text is `no`. Throws MinictrError in Docker's
 * words. Source: github.com/docker/cli, opts/parse.go; moby, ValidateRestartPolicy.
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  const colon = text.indexOf(':')
  const [given, count] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  if (colon === 0) throw new MinictrError('invalid restart policy format: no policy provided before colon')
  if (count !== '' && !/^[+-]?\d+$/.test(count)) {
    throw new MinictrError('invalid restart policy format: maximum retry count must be an integer')
  }
  const name = names.find(each => each === (given || 'no'))
  if (name === undefined) {
    throw new MinictrError(
      `invalid restart policy: unknown policy '${given}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
  }
  const maximumRetryCount = Number(count) || 0
  const isNegative = maximumRetryCount < 0
  if (name !== 'on-failure' && maximumRetryCount !== 0) {
    throw new MinictrError(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${isNegative ? ' and cannot be negative' : ''}`,
    )
  }
  if (isNegative) throw new MinictrError('invalid restart policy: maximum retry count cannot be negative')
  return { name, maximumRetryCount }
}

/**
 * How long after its end a container is started again; undefined where it is not. Docker's back-off: 100 ms, each time twice as
 * long up to a minute, from the beginning where it ran for ten seconds. Source: moby, restartmanager/restartmanager.go.
 */
export function restartDelayMs(policy: RestartPolicy, ending: Ending): number | undefined {
  const { ranMs, restartDelayMs: lastDelayMs, isStoppedByUser, isShutDown, hasGivenUp } = ending
  if (isStoppedByUser || isShutDown || hasGivenUp || !wantsRestart(policy, ending)) return undefined
  if (lastDelayMs === undefined || ranMs >= LONG_RUN_MS) return FIRST_DELAY_MS
  return Math.min(lastDelayMs * 2, LONGEST_DELAY_MS)
}

/**
 * Whether the policy has a container started that does not run when the machine has booted; `ending` is missing where it never
 * ran. Source: moby, daemon/daemon.go (restore), container.ShouldRestart; but one that somebody stopped stays so under
 * `on-failure`, as Docker's manual has it.
 */
export function startsAtBoot(policy: RestartPolicy, ending: Ending | undefined): boolean {
  switch (policy.name) {
    case 'always':
      return true
    case 'unless-stopped':
      return !ending?.isStoppedByUser
    default:
      return ending !== undefined && restartDelayMs(policy, { ...ending, isShutDown: false }) !== undefined
  }
}

function wantsRestart({ name, maximumRetryCount }: RestartPolicy, ending: Ending): boolean {
  if (name !== 'on-failure') return name !== 'no'
  const isLeft = maximumRetryCount === 0 || ending.restartCount < maximumRetryCount
  return isLeft && ending.exitStatus !== 0
}
