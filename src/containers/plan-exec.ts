// Deciding an exec: which container, as whom, with what, put together into one plan. Nothing is done.

import { execPlan } from '../runtime/exec-plan.ts'
import type { Spec } from '../runtime/spec.ts'
import type { Plan } from '../runtime/step.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import type { ProcessIdentity } from '../system/process-identity.ts'
import { type ExecOptions, sessionSpec, type UserFiles } from './exec-session.ts'
import { isPaused } from './frozen.ts'
import { joinableCgroup } from './inner-cgroup.ts'
import { findContainer } from './lookup.ts'
import type { ContainerRecord } from './record.ts'
import type { Roots } from './state.ts'

export type PlannedExec = {
  id: string
  name: string
  record: ContainerRecord
  /** The container's first process. */
  container: ProcessIdentity
  /** The container's configuration, with the new process in place of its own. */
  spec: Spec
  plan: Plan
}

/**
 * Decides an exec completely and performs nothing of it. `executor` reads the container's user database, where a user is
 * asked for. Throws MinictrError for a container that is not there or does not run, and for a user it does not have.
 */
export async function planExec(
  options: ExecOptions,
  roots: Roots,
  executor: () => Executor,
): Promise<PlannedExec> {
  const container = findContainer(roots, options.container)
  const { id, name, record, run } = container
  if (container.status === 'restarting') {
    throw new MinictrError(`Container ${id} is restarting, wait until the container is running`, {
      remedy: `It ended, and its restart policy starts it again: minictr logs ${name}`,
      exitStatus: 1,
    })
  }
  if (container.status !== 'running' || !run) {
    throw new MinictrError(`Container ${id} is not running`, {
      remedy: `exec needs a container that runs: minictr start ${name}`,
      exitStatus: 1,
    })
  }
  const host = hostFacts()
  if (isPaused(container)) {
    throw new MinictrError(`Container ${options.container} is paused, unpause the container before exec`, {
      remedy: `minictr unpause ${name}`,
      exitStatus: 1,
    })
  }
  const files = options.user ? await readUserFiles(executor(), run.pid) : undefined
  const spec = sessionSpec(container.spec, options, files, host)
  const { pid, startTimeTicks } = run
  const stdin = options.interactive && !options.detach ? 'once' : 'none'
  const unifiedCgroup = joinableCgroup(spec.linux.cgroupsPath ?? `/minictr/${id}`, pid, host)
  const plan = execPlan(spec, {
    containerId: id,
    container: { pid, startTimeTicks },
    unifiedCgroup,
    host,
    stdin,
  })
  return { id, name, record, container: { pid, startTimeTicks }, spec, plan }
}

/**
 * The user database as the container has it now. Its files may be anything: the executor follows links within the
 * container's root alone, and opens nothing but a plain file.
 */
async function readUserFiles(executor: Executor, pid: number): Promise<UserFiles> {
  const read = async (path: string) => {
    const { answers } = await executor.perform([{ name: 'read_file', args: [`/proc/${pid}/root`, path] }])
    return answers[0]?.data?.toString('utf8') ?? ''
  }
  return { passwd: await read('/etc/passwd'), group: await read('/etc/group') }
}
