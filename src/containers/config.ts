// From what a person asked, what the image says and what this host is, to the OCI configuration: the engine's half of
// making a container. Everything is decided here; nothing is done.

import type { LayerStack } from '../images/layer-stack.ts'
import type { ImageConfig } from '../images/manifest.ts'
import { type Identity, resolveUser } from '../images/passwd.ts'
import { capabilitySets, chooseCapabilities } from '../runtime/capabilities.ts'
import type { ContainerFile } from '../runtime/context.ts'
import type { HostFacts } from '../runtime/host.ts'
import { protectedPaths } from '../runtime/paths.ts'
import { rlimitOf } from '../runtime/rlimits.ts'
import type { Linux, Process, Spec } from '../runtime/spec.ts'
import { checkSysctls, defaultSysctls } from '../runtime/sysctl.ts'
import { makeAnnotations } from './annotations.ts'
import { chooseDevices } from './devices.ts'
import { type HostFiles, thisHost } from './host-files.ts'
import { checkMapped, type IdMappings, resolveMappings } from './id-mapping.ts'
import { type FindRunning, joinedNetwork, sharedMemory } from './joined.ts'
import { chooseMounts } from './mounts.ts'
import { chooseNamespaces } from './namespaces.ts'
import { hostsFile, resolverFile } from './network-files.ts'
import type { RunOptions } from './options.ts'
import { programArguments, programEnvironment, workingDirectory } from './program.ts'
import { chooseResources } from './resources.ts'
import { chooseSeccomp } from './seccomp.ts'
import type { NewDirectory } from './volumes.ts'

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
  /** <root>/containers/<id>, and <run-root>/<id>. */
  directory: string
  runDirectory: string
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
  /** To be written while the plan is performed: hosts, hostname, resolv.conf. */
  files: ContainerFile[]
  /** To be made before, in this order. */
  directories: NewDirectory[]
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
  const shared = sharedMemory(options.namespaces.ipc, request.runDirectory, findRunning)
  const { mounts, directories } = chooseMounts({
    options,
    imageVolumes: Object.keys(config.Volumes ?? {}),
    image: layers,
    directory,
    networkDirectory: network?.directory ?? directory,
    sharedMemory: shared,
    mappings,
    host,
  })
  if (options.namespaces.ipc === 'shareable') directories.push({ path: shared!, mode: 0o1777 })
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
  const files = network ? [] : networkFiles(request, hostname, host)
  return { spec, files, directories: withoutRepeats(directories), warnings }
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
    args: programArguments(options, image.config),
    env: programEnvironment(options, image.config, { hostname, home }),
    cwd: workingDirectory(options, image.config),
    capabilities: capabilitySets(capabilities, uid),
    ...(ulimits.length > 0 && { rlimits: ulimits.map(({ name, soft, hard }) => rlimitOf(name, soft, hard)) }),
    ...(options.noNewPrivileges && { noNewPrivileges: true }),
    ...(oomScoreAdjustment !== undefined && { oomScoreAdj: oomScoreAdjustment }),
  }
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

function networkFiles(
  { options, directory }: ConfigRequest,
  hostname: string,
  host: HostFiles,
): ContainerFile[] {
  return [
    { path: `${directory}/hosts`, content: hostsFile(options, host), mode: 0o644 },
    { path: `${directory}/hostname`, content: `${hostname}\n`, mode: 0o644 },
    { path: `${directory}/resolv.conf`, content: resolverFile(options, host), mode: 0o644 },
  ]
}

/** Two mounts may need the same directory. */
function withoutRepeats(directories: NewDirectory[]): NewDirectory[] {
  const seen = new Set<string>()
  return directories.filter(({ path }) => !seen.has(path) && seen.add(path))
}
