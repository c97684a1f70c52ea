// From what a person asked, what the image says and what this host is, to the OCI configuration: the engine's half of
// making a container. Everything is decided here; nothing is done.

import type { ImageConfig } from '../images/image-config.ts'
import type { LayerStack } from '../images/layer-stack.ts'
import { type Identity, resolveUser } from '../images/passwd.ts'
import { type Port, parseImagePorts, portName } from '../networks/ports.ts'
import { capabilitySets, chooseCapabilities } from '../runtime/capabilities.ts'
import type { ContainerFile, SharedMemory } from '../runtime/context.ts'
import type { HostFacts } from '../runtime/host.ts'
import type { StdinUse } from '../runtime/op.ts'
import { protectedPaths } from '../runtime/paths.ts'
import { rlimitOf } from '../runtime/rlimits.ts'
import type { Linux, Process, Spec } from '../runtime/spec.ts'
import { checkSysctls, defaultSysctls } from '../runtime/sysctl.ts'
import { makeAnnotations } from './annotations.ts'
import { askedOptions } from './asked.ts'
import { chooseDevices } from './devices.ts'
import { chooseHealthCheck } from './health-check.ts'
import { type HostFiles, thisHost } from './host-files.ts'
import { checkMapped, type IdMappings, resolveMappings } from './id-mapping.ts'
import { type FindRunning, joinedNetwork, sharedMemory } from './joined.ts'
import type { LogOptions } from './log-options.ts'
import { type ResolvedMount, recordedMounts } from './mount-points.ts'
import { chooseMounts, type NewDirectory, shmSizeBytes } from './mounts.ts'
import { chooseNamespaces } from './namespaces.ts'
import { type NetworkNames, networkFiles } from './network-files.ts'
import type { RunOptions } from './options.ts'
import {
  givenEnvironment,
  namedStopSignal,
  programEnvironment,
  programParts,
  workingDirectory,
} from './program.ts'
import type { ContainerRecord } from './record.ts'
import { chooseResources } from './resources.ts'
import { chooseSeccomp } from './seccomp.ts'

export type ConfigRequest = {
  id: string
  name: string
  /** ISO 8601. */
  createdAt: string
  options: RunOptions
  image: { name: string; id: string; digest: string; config: ImageConfig }
  /** The unpacked layers as one tree, and their directories, bottom first. */
  layers: LayerStack
  layerPaths: string[]
  /** The user's mounts and the image's volumes; every volume has a name by now. */
  mounts: ResolvedMount[]
  log: LogOptions
  /** <root>/containers/<id>. */
  directory: string
  /** `userns-remap` of the configuration file, for runs that say nothing themselves. */
  usernsRemap?: string
  facts: HostFacts
  /** Finds a running container whose namespaces are to be joined; throws MinictrError where there is none. */
  findRunning: FindRunning
  /** This host, unless a test has one of its own. */
  host?: HostFiles
}

export type ContainerConfig = {
  spec: Spec
  record: ContainerRecord
  /** To be written while the plan is performed: hosts, hostname, resolv.conf; with what its networks add to them. */
  files(names?: NetworkNames): ContainerFile[]
  /** To be made before, in this order. */
  directories: NewDirectory[]
  /** Of a container that may be joined. */
  sharedMemory?: SharedMemory
  /** What Docker would have printed as WARNING. */
  warnings: string[]
}

/**
 * The OCI configuration of a container as Docker would write it, with what has to be written beside it. Nothing is
 * changed; the layers and a few files of the host are read. Throws MinictrError, mostly in Docker's words, for wishes that
 * this image or this host cannot meet. Source: OCI runtime-spec, config.md; moby, daemon/oci_linux.go.
 */
export function makeConfig(request: ConfigRequest): ContainerConfig {
  const { options, layers, directory, facts, findRunning, host = thisHost } = request
  const { config = {} } = request.image.config
  const mappings = chooseMappings(options, request.usernsRemap, host)
  const network = joinedNetwork(options.network, findRunning)
  const hostname = network?.hostname ?? chooseHostname(request, host)
  const shared = sharedMemory(options.namespaces.ipc, directory, findRunning)
  const sharedMemoryBytes = options.namespaces.ipc === 'shareable' ? shmSizeBytes(options) : undefined
  const { mounts, directories } = chooseMounts({
    options,
    mounts: request.mounts,
    networkDirectory: network?.directory ?? directory,
    sharedMemory: shared,
    host,
  })
  const { resources, warnings } = chooseResources(options.resources, facts, host)
  const identity = resolveUser(layers, options.user || config.User || '', options.additionalGroups)
  const process = makeProcess(request, identity, hostname)
  const linux = makeLinux(request, process.capabilities.bounding, mappings, host)
  linux.resources = { ...linux.resources, ...resources }
  const spec: Spec = {
    ociVersion: '1.2.0',
    root: { path: `${directory}/rootfs`, ...(options.isRootReadOnly && { readonly: true }) },
    ...uts(options, hostname),
    process,
    mounts,
    linux,
    annotations: makeAnnotations(request),
  }
  const record = makeRecord(request, sharedMemoryBytes)
  return {
    spec,
    record,
    files: names => (network ? [] : networkFiles(record, hostname, directory, host, names)),
    directories: withoutRepeats(directories),
    ...(sharedMemoryBytes !== undefined && {
      sharedMemory: { path: shared!, sizeBytes: sharedMemoryBytes },
    }),
    warnings: [...options.warnings, ...warnings],
  }
}

function makeRecord(request: ConfigRequest, sharedMemoryBytes: number | undefined): ContainerRecord {
  const { name, createdAt, options, image, mounts, log } = request
  const health = chooseHealthCheck(options.health, image.config)
  const stopSignal = namedStopSignal(options, image.config)
  return {
    name,
    createdAt,
    image: { name: image.name, id: image.id, digest: image.digest },
    ...programParts(options, image.config),
    environment: givenEnvironment(options, image.config),
    user: options.user || image.config.config?.User || '',
    labels: { ...image.config.config?.Labels, ...options.labels },
    removeAtExit: options.remove,
    restart: options.restart,
    ...(health && { health }),
    ...(stopSignal !== undefined && { stopSignal }),
    ...(options.stopTimeoutSeconds !== undefined && { stopTimeoutSeconds: options.stopTimeoutSeconds }),
    stdin: stdinUse(options),
    log,
    mounts: recordedMounts(mounts),
    ...(sharedMemoryBytes !== undefined && { sharedMemoryBytes }),
    ...joined(request),
    networks: options.networks,
    links: options.links,
    ports: {
      published: options.publishedPorts,
      exposed: exposedPorts(options, image.config),
      publishesAll: options.publishesAllPorts,
    },
    naming: {
      extraHosts: options.extraHosts,
      dnsServers: options.dnsServers,
      dnsSearch: options.dnsSearch,
      dnsOptions: options.dnsOptions,
    },
    asked: askedOptions(options),
  }
}

/** What is published is exposed as well; each once, whoever names it. */
function exposedPorts({ exposedPorts, publishedPorts }: RunOptions, { config = {} }: ImageConfig): Port[] {
  const all = [
    ...parseImagePorts(config.ExposedPorts ?? {}),
    ...exposedPorts,
    ...publishedPorts.map(({ port, protocol }) => ({ port, protocol })),
  ]
  return [...new Map(all.map(port => [portName(port), port])).values()]
}

/** Docker's OpenStdin and StdinOnce: an input that somebody was attached to from the beginning ends with him. */
function stdinUse({ interactive, detach }: RunOptions): StdinUse {
  return !interactive ? 'none' : detach ? 'open' : 'once'
}

/** By their ids, since a name may be another container's by the next start. */
function joined({ options, findRunning }: ConfigRequest): Pick<ContainerRecord, 'joins' | 'networkMode'> {
  const { network, namespaces } = options
  const idOf = (mode: string | { container: string }) =>
    typeof mode === 'string' ? undefined : findRunning(mode.container).id
  const [ofNetwork, ipc, pid] = [network, namespaces.ipc, namespaces.pid].map(idOf)
  return {
    joins: {
      ...(ofNetwork !== undefined && { network: ofNetwork }),
      ...(ipc !== undefined && { ipc }),
      ...(pid !== undefined && { pid }),
    },
    networkMode: networkMode(options, ofNetwork),
  }
}

function networkMode({ network, networks }: RunOptions, joined: string | undefined): string {
  if (network === 'own') return networks[0]!.name
  return typeof network === 'string' ? network : `container:${joined}`
}

function chooseMappings(
  options: RunOptions,
  configured: string | undefined,
  host: HostFiles,
): IdMappings | undefined {
  const remap = options.usernsRemap ?? configured
  if (remap === undefined || remap === '' || options.namespaces.user === 'host') return undefined
  checkMapped(options)
  return resolveMappings(remap, host)
}

/** The host's own name where its network or its UTS namespace is shared, else the beginning of the id. */
function chooseHostname({ id, options }: ConfigRequest, host: HostFiles): string {
  const { hostname, network, namespaces } = options
  if (hostname) return hostname
  return network === 'host' || namespaces.uts === 'host' ? host.hostname() : id.slice(0, 12)
}

function uts(
  { namespaces, domainname }: RunOptions,
  hostname: string,
): Pick<Spec, 'hostname' | 'domainname'> {
  if (namespaces.uts === 'host') return {}
  return { hostname, ...(domainname && { domainname }) }
}

function makeProcess(
  { options, image, facts }: ConfigRequest,
  identity: Identity,
  hostname: string,
): Process {
  const { uid, gid, additionalGids, home } = identity
  const capabilities = chooseCapabilities(
    { add: options.capabilitiesToAdd, drop: options.capabilitiesToDrop, privileged: options.privileged },
    facts,
  )
  const { ulimits, oomScoreAdjustment } = options
  return {
    ...(options.tty && { terminal: true, ...consoleSize(options) }),
    user: { uid, gid, additionalGids },
    args: programOf(options, image.config),
    env: programEnvironment(options, image.config, { hostname, home }),
    cwd: workingDirectory(options, image.config),
    capabilities: capabilitySets(capabilities, uid),
    ...(ulimits.length > 0 && { rlimits: ulimits.map(({ name, soft, hard }) => rlimitOf(name, soft, hard)) }),
    ...(options.noNewPrivileges && { noNewPrivileges: true }),
    ...(oomScoreAdjustment !== undefined && { oomScoreAdj: oomScoreAdjustment }),
  }
}

function programOf(options: RunOptions, config: ImageConfig): string[] {
  const { entrypoint, command } = programParts(options, config)
  return [...entrypoint, ...command]
}

function consoleSize({ terminalSize }: RunOptions): Pick<Process, 'consoleSize'> {
  if (terminalSize === undefined) return {}
  return { consoleSize: { height: terminalSize.rows, width: terminalSize.columns } }
}

function makeLinux(
  { id, options, facts, findRunning }: ConfigRequest,
  capabilities: string[],
  mappings: IdMappings | undefined,
  host: HostFiles,
): Linux {
  const { devices, rules } = chooseDevices(options, host)
  const namespaces = chooseNamespaces(options, mappings !== undefined, facts, name => findRunning(name).pid)
  const sysctl = chooseSysctls(options, namespaces)
  const seccomp = chooseSeccomp(options, capabilities, facts)
  return {
    namespaces,
    ...mappings,
    devices,
    cgroupsPath: `/minictr/${id}`,
    resources: { devices: rules },
    ...(seccomp && { seccomp }),
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    ...protectedPaths(facts, options.privileged || options.systemPathsUnconfined),
  }
}

/** The user's settings over those that a network of its own begins with. */
function chooseSysctls({ sysctls }: RunOptions, namespaces: Linux['namespaces']): Record<string, string> {
  const own = namespaces.filter(({ path }) => path === undefined).map(({ type }) => type)
  checkSysctls(Object.keys(sysctls), own)
  return { ...(own.includes('network') && defaultSysctls(own.includes('user'))), ...sysctls }
}

/** Two mounts may need the same directory. */
function withoutRepeats(directories: NewDirectory[]): NewDirectory[] {
  const seen = new Set<string>()
  return directories.filter(({ path }) => !seen.has(path) && seen.add(path))
}
