// rename: a container under another name, in such an order that it always has one.

import { basename, dirname } from 'node:path'
import { dnsNamesOf } from '../networks/new-endpoint.ts'
import { NetworkStore } from '../networks/store.ts'
import type { Observer } from '../runtime/perform.ts'
import { renamePlan } from '../runtime/rename-plan.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import type { Replacement } from '../runtime/steps/container-files.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { wrongName } from './conflicts.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { readText } from './json-file.ts'
import { performLocked } from './locked-plan.ts'
import { nameFiles } from './network-places.ts'
import { nameConflict } from './plan-run.ts'
import { presentJoins } from './present-networks.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'

/**
 * Gives a container, running or not, another name. Throws MinictrError for a name that cannot be one, is its own, or another
 * container's. Source: moby, daemon/rename.go.
 */
export async function renameContainer(
  container: Container,
  roots: Roots,
  executor: Executor,
  { name, observer }: { name: string; observer?: Observer },
): Promise<void> {
  const decide = () => planRename(readContainer(roots, container.id) ?? container, roots, name)
  const isDone = await performLocked(decide, executor, observer).catch(error => {
    const isTaken = error instanceof StepError && error.failure.errno === 'EEXIST'
    throw isTaken ? allocationError(conflictOf(roots, withoutSlash(name))) : error
  })
  if (!isDone) return
  const renamed = readContainer(roots, container.id) ?? container
  recordContainerEvent(roots, renamed, 'rename', { oldName: `/${container.name}` })
}

/** Decides it completely and performs nothing of it. Throws MinictrError as `renameContainer`. */
export function planRename(container: Container, roots: Roots, wanted: string): Plan {
  const { id, name, record } = container
  const newName = withoutSlash(wanted)
  if (newName === name) {
    throw new MinictrError('Renaming a container with the same name as its current name')
  }
  const wrong = wrongName(newName)
  if (wrong !== undefined) throw allocationError(new MinictrError(wrong))
  const paths = containerPaths(roots, id)
  const conflict = conflictOf(roots, newName)
  if (conflict) throw allocationError(conflict)
  const text = (content: object) => `${JSON.stringify(content, null, 2)}\n`
  return renamePlan({
    containerId: id,
    lockFile: paths.lock,
    oldNameFile: paths.nameFile(name),
    newNameFile: paths.nameFile(newName),
    record: { path: paths.record, before: text(record), after: text({ ...record, name: newName }) },
    inNetworks: inNetworks({ ...container, record: { ...record, name: newName } }, roots),
  })
}

/** What the networks of a renamed container are to know of it; nothing of one that does not run. */
function inNetworks(renamed: Container, roots: Roots): Replacement[] {
  const store = new NetworkStore(roots)
  return presentJoins(renamed, { store }).flatMap(join => {
    const { network, named } = join
    const endpoint = {
      ...join.endpoint,
      containerName: named.containerName,
      dnsNames: dnsNamesOf(network, named),
    }
    const path = store.endpointFile(network.id, renamed.id)
    const text = (content: object) => `${JSON.stringify(content, null, 2)}\n`
    return [
      {
        path,
        aside: `${dirname(path)}/.${basename(path)}`,
        before: text(join.endpoint),
        after: text(endpoint),
      },
      ...nameFiles(join, store).flatMap(({ path, aside, text: after }) => {
        const before = readText(path)
        // It goes with the container's end, which nothing keeps off yet.
        return before === undefined ? [] : { path, aside, mode: 0o644, before, after }
      }),
    ]
  })
}

function conflictOf(roots: Roots, name: string): MinictrError | undefined {
  const id = readText(containerPaths(roots, '').nameFile(name))
  return id === undefined ? undefined : nameConflict(name, id)
}

function allocationError(cause: MinictrError | undefined): MinictrError {
  const reason = cause?.message ?? 'it was taken by another container just now'
  return new MinictrError(`Error when allocating new name: ${reason}`, { remedy: cause?.remedy, cause })
}

function withoutSlash(name: string): string {
  return name.replace(/^\//, '')
}
