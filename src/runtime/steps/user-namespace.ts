// The user namespace: root inside, somebody without rights outside (user_namespaces(7)).

import type { IdMapping, Op, Slot } from '../op.ts'
import type { Spec, SpecIdMapping } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith } from './container-step.ts'

/** The name under which the executor keeps the new user namespace. */
const usernsSlot: Slot = 'user-namespace'

/** That name where the configuration asks for a new user namespace. */
export function slotIfMapped(spec: Spec): Slot | undefined {
  return hasUserNamespace(spec) ? usernsSlot : undefined
}

/** Whether the configuration asks for a new user namespace. */
export function hasUserNamespace(spec: Spec): boolean {
  return spec.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined)
}

/** The user and group of the host that are root in the container, where these are not simply root. */
export function containerRoot(spec: Spec): { uid: number; gid: number } | undefined {
  if (!hasUserNamespace(spec)) return undefined
  const uid = spec.linux.uidMappings?.find(map => map.containerID === 0)?.hostID
  const gid = spec.linux.gidMappings?.find(map => map.containerID === 0)?.hostID
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

/** The user of the host that a user of the container is. */
export function hostUser(spec: Spec, uid: number): number {
  if (!hasUserNamespace(spec)) return uid
  const range = spec.linux.uidMappings?.find(
    map => uid >= map.containerID && uid < map.containerID + map.size,
  )
  return range === undefined ? uid : range.hostID + uid - range.containerID
}

/** Makes the namespace, without entering it yet. */
export function createUserNamespaceStep(spec: Spec): Step {
  return containerStep(
    'create-user-namespace',
    'Ids inside stand for other ids outside: root in the container is an ordinary user of the host. The maps are written from outside, by root. Not entered yet, because mounting the layers needs the host’s rights.',
    [
      {
        op: 'create_userns',
        uidMappings: (spec.linux.uidMappings ?? []).map(kernelMapping),
        gidMappings: (spec.linux.gidMappings ?? []).map(kernelMapping),
        as: usernsSlot,
      },
    ],
    endsWith.namespace,
  )
}

/**
 * Enters it and takes a second mount namespace, owned by the user namespace, so that the container's root may mount
 * there. What was mounted before is locked: it can be covered but neither removed nor changed from inside.
 */
export function enterUserNamespaceStep(rootPath: string): Step {
  const ops: Op[] = [
    { op: 'setns', slot: usernsSlot, namespaces: ['user'] },
    { op: 'close', slot: usernsSlot },
    { op: 'setresgid', gid: 0 },
    { op: 'setresuid', uid: 0 },
    { op: 'unshare', namespaces: ['mount'] },
    { op: 'mount', source: rootPath, target: rootPath, flags: ['MS_BIND', 'MS_REC'] },
  ]
  return containerStep(
    'enter-user-namespace',
    'From here on the process is root only over what belongs to this namespace. The namespaces that follow are made inside it and so belong to it. The root is bound onto itself, because a mount taken over from outside is locked and could not become the new root.',
    ops,
    endsWith.namespace,
  )
}

function kernelMapping(map: SpecIdMapping): IdMapping {
  return { containerId: map.containerID, hostId: map.hostID, size: map.size }
}
