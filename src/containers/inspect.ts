// A container as `docker inspect` describes it: put together from its record, its OCI configuration and what is seen of it now.

import { NilList, withOmitted } from '../images/nil.ts'
import { overlayOf, type Spec } from '../runtime/spec.ts'
import { describeConfig } from './inspect-config.ts'
import { describeNetwork } from './inspect-network.ts'
import { describeSettings } from './inspect-settings.ts'
import { describeState } from './inspect-state.ts'
import { listedOf } from './listed.ts'
import type { MountPoint } from './mount-points.ts'
import { layerBytes, writtenBytes } from './size.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/** Docker's description: plain objects for what Go has as structs, Maps for its maps. */
export type ContainerDescription = Record<string, unknown>

/**
 * Describes a container; with `size` its files are counted. Source: Docker Engine API, "Inspect a container"; moby,
 * api/types/types.go (ContainerJSON).
 */
export function describeContainer(
  container: Container,
  roots: Roots,
  { size }: { size: boolean },
): ContainerDescription {
  const { id, name, record, spec, lifecycle } = container
  const { condition, endpoints } = listedOf(container, roots)
  const [program = '', ...args] = [...record.entrypoint, ...record.command]
  const description = {
    Id: id,
    Created: record.createdAt,
    Path: program,
    Args: args,
    State: describeState(container, condition),
    Image: record.image.id,
    ResolvConfPath: sourceOf(spec, '/etc/resolv.conf'),
    HostnamePath: sourceOf(spec, '/etc/hostname'),
    HostsPath: sourceOf(spec, '/etc/hosts'),
    LogPath: record.log.driver === 'json-file' ? containerPaths(roots, id).log : '',
    Name: `/${name}`,
    RestartCount: lifecycle?.restartCount ?? 0,
    Driver: 'overlay',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: new NilList(),
    HostConfig: describeSettings(container),
    GraphDriver: { Data: graphData(spec), Name: 'overlay' },
    ...(size && sizes(container, roots)),
    Mounts: record.mounts.filter(({ type }) => type !== 'tmpfs').map(describeMount),
    Config: describeConfig(container),
    NetworkSettings: describeNetwork(container, endpoints),
  }
  return withOmitted(description, { ID: id, SizeRw: null, SizeRootFs: null })
}

/** The host's file behind a place in the container. */
function sourceOf({ mounts }: Spec, destination: string): string {
  return mounts.find(mount => mount.destination === destination)?.source ?? ''
}

/** The directories overlay stacks, topmost first as in its mount option. */
function graphData(spec: Spec): Map<string, string> {
  const overlay = overlayOf(spec)
  if (!overlay) return new Map()
  const { lower, upper, work } = overlay
  return new Map([
    ['LowerDir', [...lower].reverse().join(':')],
    ['MergedDir', spec.root.path],
    ['UpperDir', upper],
    ['WorkDir', work],
  ])
}

function sizes(container: Container, roots: Roots): { SizeRw: number; SizeRootFs: number } {
  const SizeRw = writtenBytes(container, roots)
  return { SizeRw, SizeRootFs: SizeRw + layerBytes(container) }
}

function describeMount(point: MountPoint): Record<string, unknown> {
  const { type, name, source, destination, isReadOnly } = point
  const description = {
    Type: type,
    ...(name !== undefined && { Name: name }),
    Source: source,
    Destination: destination,
    ...(type === 'volume' && { Driver: 'local' }),
    Mode: isReadOnly ? 'ro' : '',
    RW: !isReadOnly,
    Propagation: type === 'bind' ? (point.propagation ?? 'rprivate') : '',
  }
  return withOmitted(description, { Name: '', Driver: '' })
}
