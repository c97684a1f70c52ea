// One more program in a running container: what was asked, and the process it comes to, by Docker's rules.

import { type Identity, identityIn } from '../images/passwd.ts'
import { capabilitySets, chooseCapabilities } from '../runtime/capabilities.ts'
import type { HostFacts } from '../runtime/host.ts'
import type { Process, Spec } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'

/** What a person asked of `exec`, parsed and typed. */
export type ExecOptions = {
  /** A name, an id or the beginning of one. */
  container: string
  /** The program and its arguments. */
  command: string[]
  detach: boolean
  /** What is typed at the terminal to leave the program to itself. */
  detachKeys: Uint8Array
  interactive: boolean
  tty: boolean
  /** The size of the caller's terminal. */
  terminalSize?: { rows: number; columns: number }
  privileged: boolean
  /** `name|uid[:group|gid]`, looked up in the container. */
  user?: string
  workingDirectory?: string
  /** `NAME=value`, or `NAME` alone, which takes a variable away. */
  environment: string[]
  step: boolean
  timing: boolean
  traceFile?: string
}

/** Whether an exec has no flags but --interactive: for such a one everything but the command is always the same. */
export function isKeepable(options: ExecOptions): boolean {
  const { detach, tty, privileged, user, workingDirectory, environment, step, timing, traceFile } = options
  const isChanged = [user, workingDirectory, traceFile].some(value => value !== undefined)
  return !(detach || tty || privileged || isChanged || environment.length > 0 || step || timing)
}

/** The texts of a container's /etc/passwd and /etc/group; empty where it has none. */
export type UserFiles = { passwd: string; group: string }

/** Docker's status for a process that could not be started. */
const CANNOT_START = 126

/**
 * The container's configuration with the new process in place of its own. `files` are needed where a user is asked for.
 * Throws MinictrError. Source: moby, daemon/exec.go, daemon/exec_linux.go and container/env.go.
 */
export function sessionSpec(
  spec: Spec,
  options: ExecOptions,
  files: UserFiles | undefined,
  facts: Pick<HostFacts, 'boundingSet'>,
): Spec {
  const { process } = spec
  const identity = options.user && files ? identify(files, options.user) : undefined
  const user = identity
    ? { uid: identity.uid, gid: identity.gid, additionalGids: identity.additionalGids }
    : process.user
  const names = options.privileged
    ? chooseCapabilities({ privileged: true }, facts)
    : process.capabilities.bounding
  const { terminal: _, consoleSize: __, ...own } = process
  const session: Process = {
    ...own,
    ...(options.tty && { terminal: true }),
    ...(options.tty &&
      options.terminalSize && {
        consoleSize: { height: options.terminalSize.rows, width: options.terminalSize.columns },
      }),
    user,
    args: options.command,
    env: sessionEnvironment(
      process,
      options,
      identity && { home: identity.home, own: ownHome(files!, process) },
    ),
    cwd: options.workingDirectory ? absolute(options.workingDirectory) : process.cwd,
    capabilities: capabilitySets(names, user.uid),
  }
  return { ...spec, process: session, annotations: {} }
}

function identify(files: UserFiles, user: string): Identity {
  try {
    return identityIn(files, user)
  } catch (error) {
    if (error instanceof MinictrError) error.exitStatus = CANNOT_START
    throw error
  }
}

function ownHome(files: UserFiles, { user }: Process): string {
  return identityIn(files, `${user.uid}:${user.gid}`).home
}

function absolute(path: string): string {
  if (path.startsWith('/')) return path
  throw new MinictrError(`the working directory ${path} is not an absolute path`, {
    remedy: 'Give one that begins with a slash: it is a directory of the container.',
    exitStatus: CANNOT_START,
  })
}

/**
 * The container's variables, those given put in their places or behind. TERM comes and goes with the terminal. HOME is
 * another user's where it was looked up for the container's own, which is then the last one.
 */
function sessionEnvironment(
  { env, terminal }: Process,
  { environment, tty }: ExecOptions,
  homes: { home: string; own: string } | undefined,
): string[] {
  const variables = new Map(env.map(split))
  if (terminal && !tty && variables.get('TERM') === 'xterm') variables.delete('TERM')
  const isLookedUp = env.at(-1)?.startsWith('HOME=') ?? false
  const home = variables.get('HOME') ?? ''
  if (isLookedUp) variables.delete('HOME')
  if (tty && !variables.has('TERM')) variables.set('TERM', 'xterm')
  for (const text of environment) {
    const [name, value] = split(text)
    if (text.includes('=')) variables.set(name, value)
    else variables.delete(name)
  }
  if (!variables.get('HOME')) {
    variables.delete('HOME')
    variables.set('HOME', homes && homes.own === home ? homes.home : home || (homes?.home ?? '/'))
  }
  return [...variables].map(([name, value]) => `${name}=${value}`)
}

function split(text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}
