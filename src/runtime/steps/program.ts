// The program: the last step replaces the executor by what the container is for (execve(2)).

import type { Op, StdinUse } from '../op.ts'
import { annotation, type Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith, hostStep } from './container-step.ts'
import { hostUser } from './user-namespace.ts'

/** chown(2) takes it for the id a file has. */
const unchanged = -1

/** The monitor makes the pipes and forks the process that will become the container. */
export function spawnInitStep(spec: Spec, stdin: StdinUse): Step {
  return hostStep(
    'spawn-init',
    'The monitor stays on the host: it holds the other ends of the container’s input and output and waits for its end. Its child performs all the steps that follow and turns into the container’s program.',
    [{ op: 'spawn_init', stdin, terminal: spec.process.terminal === true }],
    'run',
    [],
  )
}

/** The pipes that are the container's input and output get the owner who is to use them; /dev/null is not touched. */
export function streamOwnerStep(spec: Spec, stdin: StdinUse): Step[] {
  const uid = hostUser(spec, spec.process.user.uid)
  if (uid === 0 || spec.process.terminal) return []
  return [
    containerStep(
      'give-standard-streams',
      'Programs open /dev/stdout by its name, and then the owner of the pipe behind it counts: not root of the host, who made it. Before a user namespace is entered, in which that root does not exist.',
      (stdin === 'none' ? [1, 2] : [0, 1, 2]).map((fd): Op => ({ op: 'fchown', fd, uid, gid: unchanged })),
      endsWith.process,
    ),
  ]
}

/** The working directory is made where the image has none, as Docker does. */
export function createWorkingDirectoryStep(spec: Spec): Step[] {
  if (spec.process.cwd === '/') return []
  return [
    containerStep(
      'create-working-directory',
      'A WORKDIR that the image does not hold is made, owned by root. Before the root can become read-only and the user changes.',
      [{ op: 'mkdir', in: spec.root.path, path: spec.process.cwd, mode: 0o755, parents: true }],
      endsWith.overlay,
    ),
  ]
}

/** Nothing of the host's open files gets into the container. */
export function closeDescriptorsStep(): Step {
  return containerStep(
    'close-descriptors',
    'Every descriptor but 0, 1 and 2 closes when the program starts. An open directory of the host would be a way out of the container.',
    [{ op: 'close_range', first: 3, flags: ['CLOSE_RANGE_CLOEXEC'] }],
    endsWith.process,
  )
}

/** Becomes the program; its own closing of the conversation is the sign that it worked. */
export function execStep(spec: Spec): Step {
  const { args, env } = spec.process
  const ops: Op[] = []
  if (spec.annotations[annotation.init] === 'true') ops.push({ op: 'fork_under_reaper' })
  ops.push({ op: 'execve', candidates: candidates(args[0] ?? '', env), argv: args, env })
  return containerStep(
    'execute-program',
    'The executor is replaced by the container’s program, which keeps the PID, the namespaces and the limits. Nothing of minictr is left inside.',
    ops,
    endsWith.process,
  )
}

/** Where execvp(3) would look: a name with a slash is a path, any other is tried in each directory of PATH. */
function candidates(program: string, env: string[]): string[] {
  if (program === '' || program.includes('/')) return [program]
  return searchedDirectories(env).map(directory => `${directory}/${program}`)
}

/** The directories of PATH. */
export function searchedDirectories(env: string[]): string[] {
  const path = env.find(entry => entry.startsWith('PATH='))?.slice('PATH='.length) ?? ''
  return path.split(':').filter(directory => directory !== '')
}
