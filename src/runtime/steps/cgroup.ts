// Cgroups: how much of the machine a container may use, and the list of its processes (cgroups(7)).

import { MinictrError } from '../../system/error.ts'
import { type LimitWrite, limitWrites } from '../cgroup-limits.ts'
import { deviceFilter } from '../device-filter.ts'
import { type DevicePolicy, describe, devicePolicy } from '../device-rules.ts'
import { type CgroupHierarchy, type HostFacts, hierarchyOf, unifiedHierarchy } from '../host.ts'
import type { Op } from '../op.ts'
import type { Linux } from '../spec.ts'
import type { Step } from '../step.ts'

/** The part of config.json this file is about. */
export type CgroupConfig = Pick<Linux, 'resources'> & { cgroupsPath: string }

/**
 * The cgroup of a container: `host` steps that make it and set its limits, in order, and the `container` step by which
 * init joins it. The join must come before the cgroup namespace is made, which takes the cgroup of its maker for its
 * root. Throws MinictrError for limits this host cannot set. Source: config-linux.md (OCI), cgroups(7).
 */
export function cgroupSteps(config: CgroupConfig, host: HostFacts): { create: Step[]; join: Step } {
  const create = [createCgroup(config, host)]
  const limits = limitOps(config, host)
  if (limits.length) create.push(limitStep('limit-resources', whyLimits, limits))
  const devices = deviceOps(config, host)
  if (devices.length) create.push(limitStep('limit-devices', whyDevices, devices))
  return { create, join: cgroupJoin(config, host) }
}

/**
 * The directories of the container's cgroup, one for each hierarchy it joins: all of v1, and v2 unless it stands beside
 * v1 without a controller that limits could use. Throws MinictrError where no cgroup file system is mounted.
 */
export function cgroupDirectories(cgroupsPath: string, host: HostFacts): string[] {
  return joined(host).map(hierarchy => hierarchy.mountPoint + cgroupsPath)
}

const usedControllers = ['cpu', 'cpuset', 'io', 'memory', 'pids']

function joined(host: HostFacts): CgroupHierarchy[] {
  const hasLegacy = host.cgroups.some(({ version }) => version === 1)
  const wanted = host.cgroups.filter(
    ({ version, controllers }) =>
      version === 1 || !hasLegacy || controllers.some(name => usedControllers.includes(name)),
  )
  if (wanted.length) return wanted
  throw new MinictrError('No cgroup file system is mounted on this host', {
    remedy: 'Mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  })
}

const whyCreate =
  'A cgroup is a directory in which the kernel counts and limits what a group of processes uses. It is made first, ' +
  'while the container is still an empty place, so that not one of its instructions runs uncounted.'

function createCgroup({ cgroupsPath }: CgroupConfig, host: HostFacts): Step {
  const directories = cgroupDirectories(cgroupsPath, host)
  const ancestors = ownAncestors(cgroupsPath)
  return {
    id: 'create-cgroup',
    side: 'host',
    why: whyCreate,
    ops: [
      ...directories.map((path): Op => ({ op: 'mkdir', path, mode: 0o755, parents: true })),
      // Only now, since a child keeps its parent from being removed by another container's end.
      ...joined(host).flatMap(hierarchy => passOn(hierarchy, cgroupsPath)),
      ...fillCpuset(cgroupsPath, host),
    ],
    undo: [
      ...directories.map((path): Op => ({ op: 'remove_cgroup', path })),
      // Shared by all containers: the last one takes it away, the others find it busy.
      ...joined(host).flatMap(({ mountPoint }) => ancestors.map(path => removeShared(mountPoint + path))),
    ],
    lasts: 'run',
  }
}

function removeShared(path: string): Op {
  return { op: 'rmdir', path, tolerate: ['ENOENT', 'EBUSY', 'ENOTEMPTY'] }
}

/** The directories above the container's that minictr made itself, the lowest first. */
function ownAncestors(cgroupsPath: string): string[] {
  return cgroupsPath.startsWith('/minictr/') ? ancestorsOf(cgroupsPath).reverse() : []
}

function ancestorsOf(cgroupsPath: string): string[] {
  const names = cgroupsPath.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

/** v2: a directory has a controller's files only if every directory above passes that controller on. */
function passOn({ version, mountPoint, controllers, passedOn }: CgroupHierarchy, cgroupsPath: string): Op[] {
  if (version === 1) return []
  const available = usedControllers.filter(name => controllers.includes(name))
  const ofRoot = available.filter(name => !passedOn.includes(name))
  return [
    ...(ofRoot.length ? [switchOn(mountPoint, ofRoot)] : []),
    ...(available.length ? ancestorsOf(cgroupsPath).map(path => switchOn(mountPoint + path, available)) : []),
  ]
}

function switchOn(directory: string, controllers: string[]): Op {
  return writeTo(`${directory}/cgroup.subtree_control`, controllers.map(name => `+${name}`).join(' '))
}

/** v1: a new cpuset has no CPU and no memory node, and a process cannot join it before it has. */
function fillCpuset(cgroupsPath: string, host: HostFacts): Op[] {
  const hierarchy = hierarchyOf(host, 'cpuset')
  if (hierarchy?.version !== 1 || !host.cpuset) return []
  const { cpus, mems } = host.cpuset
  return [...ancestorsOf(cgroupsPath), cgroupsPath].flatMap(path => [
    writeTo(`${hierarchy.mountPoint}${path}/cpuset.cpus`, cpus),
    writeTo(`${hierarchy.mountPoint}${path}/cpuset.mems`, mems),
  ])
}

const whyLimits =
  'Each limit is a number in a file of its controller; the kernel enforces it from the moment it is written. They ' +
  'are set while the cgroup is empty: a memory limit below what is already in use would be refused.'

function limitOps({ cgroupsPath, resources }: CgroupConfig, host: HostFacts): Op[] {
  return limitWrites(resources ?? {}, host).map(({ controller, file, value }) =>
    writeTo(`${hierarchyOf(host, controller)!.mountPoint}${cgroupsPath}/${file}`, value),
  )
}

/** A limit as it is to be, and the text of its file until now. */
export type LimitChange = LimitWrite & { before: string }

const whyChange =
  'The kernel takes a new limit from the moment it is written, while the processes go on. In this order, since in cgroup ' +
  'v1 memory and swap together may at no moment be allowed less than memory alone. One that is below what is used ' +
  'already is refused where the kernel cannot make room; then the limits written before are taken back.'

/** Changes limits of a cgroup in use. */
export function changeLimitsStep(cgroupsPath: string, limits: LimitChange[], host: HostFacts): Step {
  const fileOf = ({ controller, file }: LimitChange) =>
    `${hierarchyOf(host, controller)!.mountPoint}${cgroupsPath}/${file}`
  return {
    id: 'change-limits',
    side: 'host',
    why: whyChange,
    ops: limits.map(limit => writeTo(fileOf(limit), limit.value)),
    undo: limits.toReversed().map(limit => writeTo(fileOf(limit), limit.before)),
    lasts: 'run',
  }
}

const whyDevices =
  'Root in a container may make device nodes, and without this rule opening the node of a disk would read and write ' +
  'the disk, past every mount and namespace. Only harmless devices and those the user named stay open; set before ' +
  'the first process joins, so that there is no moment without the rule.'

function deviceOps({ cgroupsPath, resources }: CgroupConfig, host: HostFacts): Op[] {
  const policy = devicePolicy(resources?.devices ?? [])
  if (policy.allowByDefault && policy.exceptions.length === 0) return []
  const legacy = hierarchyOf(host, 'devices')
  if (legacy) return legacyDeviceOps(legacy.mountPoint + cgroupsPath, policy)
  const unified = unifiedHierarchy(host)
  if (!unified) {
    throw new MinictrError(
      'Devices cannot be limited: this host has neither cgroup v2 nor the v1 controller',
      {
        remedy: 'Mount cgroup v2 at /sys/fs/cgroup, or run the container with --privileged if you trust it.',
      },
    )
  }
  const program = deviceFilter(policy)
  return [{ op: 'attach_device_filter', cgroup: unified.mountPoint + cgroupsPath, program: base64(program) }]
}

function legacyDeviceOps(directory: string, { allowByDefault, exceptions }: DevicePolicy): Op[] {
  const file = `${directory}/devices.${allowByDefault ? 'deny' : 'allow'}`
  return [
    ...(allowByDefault ? [] : [writeTo(`${directory}/devices.deny`, 'a')]),
    ...exceptions.map(exception => writeTo(file, describe(exception))),
  ]
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function limitStep(id: string, why: string, ops: Op[]): Step {
  return { id, side: 'host', why, ops, undo: { kernel: 'it goes when the cgroup is removed' }, lasts: 'run' }
}

const whyJoin =
  'The process that will become the container joins its cgroup by itself, 0 meaning "me"; all its children are born ' +
  'there. Before a cgroup namespace is made, where there is one, since that shows the cgroup it was made in as the root.'

/** The step by which a process joins the cgroup; on v2 the directory `unifiedPath`. Throws as `cgroupSteps`. */
export function cgroupJoin(
  { cgroupsPath }: CgroupConfig,
  host: HostFacts,
  unifiedPath: string = cgroupsPath,
): Step {
  return {
    id: 'join-cgroup',
    side: 'container',
    why: whyJoin,
    ops: joined(host).map(({ version, mountPoint }) =>
      // v1's `tasks` moves one thread, and init has only one. Unlike cgroup.procs it takes no lock that waits for the
      // whole machine (8 ms against 0.02 measured).
      version === 1
        ? writeTo(`${mountPoint}${cgroupsPath}/tasks`, '0')
        : writeTo(`${mountPoint}${unifiedPath}/cgroup.procs`, '0'),
    ),
    undo: { kernel: 'a process leaves its cgroup when it ends' },
    lasts: 'run',
  }
}

function writeTo(path: string, content: string): Op {
  return { op: 'write_file', path, content, how: 'existing' }
}
