// Which program a container runs, and in which environment: the image's wishes and the user's, joined by Docker's rules.

import type { ImageConfig } from '../images/image-config.ts'
import { MinictrError } from '../system/error.ts'
import type { RunOptions } from './options.ts'
import type { ContainerRecord } from './record.ts'

/** Where programs are looked for when neither image nor user says. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The program and its arguments in two parts: ENTRYPOINT, and the command given, else CMD. A new `--entrypoint` takes CMD
 * away as well, since it was made for the old one. Throws MinictrError where nothing is left to run. Source: Docker's
 * run reference, "Overriding image defaults"; moby, daemon/commit.go (merge).
 */
export function programParts(
  options: Pick<RunOptions, 'command' | 'entrypoint'>,
  { config = {} }: Pick<ImageConfig, 'config'>,
): { entrypoint: string[]; command: string[] } {
  const entrypoint = options.entrypoint ?? config.Entrypoint ?? []
  const keepsDefault = options.command.length === 0 && options.entrypoint === undefined
  const command = keepsDefault ? (config.Cmd ?? []) : options.command
  if (entrypoint.length + command.length > 0) return { entrypoint, command }
  throw new MinictrError('No command specified', {
    remedy: 'The image names no program: give one after the image.',
  })
}

/** What the user and the image say of the environment, as they say it: the user's, then what he did not name of the image's. */
export function givenEnvironment(
  { environment }: Pick<RunOptions, 'environment'>,
  { config = {} }: Pick<ImageConfig, 'config'>,
): string[] {
  const named = new Set(environment.map(nameOf))
  return [...environment, ...(config.Env ?? []).filter(variable => !named.has(nameOf(variable)))]
}

/**
 * The environment, in Docker's order: PATH, HOSTNAME, TERM with a terminal, the user's variables, then those of the image
 * that the user did not name; a name without a value takes a variable away. HOME comes last, from the user database,
 * unless a value is there. Source: moby, container/env.go and CreateDaemonEnvironment.
 */
export function programEnvironment(
  options: Pick<RunOptions, 'environment' | 'tty'>,
  image: Pick<ImageConfig, 'config'>,
  { hostname, home }: { hostname: string; home: string },
): string[] {
  const variables = new Map<string, string | undefined>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', hostname],
    ...(options.tty ? [['TERM', 'xterm'] as const] : []),
  ])
  for (const variable of givenEnvironment(options, image)) {
    const equals = variable.indexOf('=')
    variables.set(nameOf(variable), equals < 0 ? undefined : variable.slice(equals + 1))
  }
  if (!variables.get('HOME')) {
    variables.delete('HOME')
    variables.set('HOME', home)
  }
  return [...variables].flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`))
}

/** The environment with these variables, in place of those of the same names. */
export function withVariables(environment: readonly string[], more: readonly string[]): string[] {
  if (more.length === 0) return [...environment]
  const named = new Set(more.map(nameOf))
  return [...environment.filter(variable => !named.has(nameOf(variable))), ...more]
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0]!
}

/** The directory the program starts in; made where the image has none. */
export function workingDirectory(
  options: Pick<RunOptions, 'workingDirectory'>,
  { config = {} }: Pick<ImageConfig, 'config'>,
): string {
  return options.workingDirectory || config.WorkingDir || '/'
}

const signalNames =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'

/** What `stop` sends first where nobody has named a signal. */
const DEFAULT_STOP_SIGNAL = 'SIGTERM'

/**
 * The signal that was named for `stop` to send first: the user's, or the image's, in the form given; undefined where there is
 * none. Throws MinictrError as `checkSignal`.
 */
export function namedStopSignal(
  options: Pick<RunOptions, 'stopSignal'>,
  { config = {} }: Pick<ImageConfig, 'config'>,
): string | undefined {
  const given = options.stopSignal || config.StopSignal || undefined
  if (given !== undefined) checkSignal(given)
  return given
}

/** The signal that `stop` sends a container first. */
export function stopSignalOf({
  stopSignal = DEFAULT_STOP_SIGNAL,
}: Pick<ContainerRecord, 'stopSignal'>): string {
  return stopSignal
}

/** Throws MinictrError in Docker's words for what is no signal. Source: github.com/moby/sys, signal.ParseSignal. */
export function checkSignal(given: string): void {
  const name = given.toUpperCase().replace(/^SIG/, '')
  const isName = signalNames.split(' ').includes(name.replace(/^(RTMIN|RTMAX)[+-]\d+$/, '$1'))
  const isNumber = /^\d+$/.test(given) && Number(given) > 0 && Number(given) <= 64
  if (isName || isNumber) return
  throw new MinictrError(`Invalid signal: ${given}`)
}
