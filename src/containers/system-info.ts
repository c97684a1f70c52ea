// What there is, and what this host can do: as `docker info` tells it, as far as it is true here.

import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { hostname, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { listImages } from '../images/catalog.ts'
import { readConfiguration } from '../images/configuration.ts'
import { ImageStore } from '../images/store.ts'
import { hierarchyOf } from '../runtime/host.ts'
import { type HostFacts, hostFacts } from '../system/host-facts.ts'
import { conditionOf, type State } from './condition.ts'
import { configuredRemap } from './configured-remap.ts'
import { chooseLog } from './log-options.ts'
import { listContainers } from './lookup.ts'
import { readMachineUsage } from './usage.ts'

type Settings = { root: string; runRoot: string; configFile: string }

/** Under Docker's names. */
export type SystemInfo = ReturnType<typeof describeSystem>

/** Describes it. Throws MinictrError for a configuration file that is wrong. Source: Docker Engine API, "Get system information". */
export function describeSystem(settings: Settings, version: string) {
  const host = hostFacts()
  const has = (controller: string) => hierarchyOf(host, controller) !== undefined
  const isLegacy = host.cgroups.some(({ version }) => version === 1)
  const { registryMirrors, insecureRegistries } = readConfiguration(settings.configFile)
  const release = osRelease()
  const info = {
    ...counts(settings),
    Images: listImages(new ImageStore(`${settings.root}/images`)).length,
    Driver: 'overlay',
    DriverStatus: [['Backing Filesystem', fileSystemOf(settings.root)]],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
      Authorization: null,
      Log: ['json-file', 'none'],
    },
    MemoryLimit: has('memory'),
    SwapLimit: host.swapLimit,
    CpuCfsPeriod: has('cpu'),
    CpuCfsQuota: has('cpu'),
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    IPv4Forwarding: readText('/proc/sys/net/ipv4/ip_forward') === '1',
    OomKillDisable: hierarchyOf(host, 'memory')?.version === 1,
    SystemTime: new Date().toISOString(),
    LoggingDriver: chooseLog({}, settings.configFile).driver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: isLegacy ? '1' : '2',
    KernelVersion: readText('/proc/sys/kernel/osrelease'),
    OperatingSystem: release.PRETTY_NAME ?? 'Linux',
    OSVersion: release.VERSION_ID ?? '',
    OSType: 'linux',
    Architecture: host.architecture === 'amd64' ? 'x86_64' : 'aarch64',
    RegistryConfig: { InsecureRegistries: insecureRegistries, Mirrors: registryMirrors },
    NCPU: readMachineUsage().cpus,
    MemTotal: totalmem(),
    DockerRootDir: settings.root,
    Name: hostname(),
    ServerVersion: version,
    Runtimes: new Map([['minictr', { path: 'minictr' }]]),
    DefaultRuntime: 'minictr',
    LiveRestoreEnabled: true,
    InitBinary: 'minictr-helper',
    SecurityOptions: [
      'name=seccomp,profile=builtin',
      ...(configuredRemap(settings.configFile) ? ['name=userns'] : []),
      ...(isLegacy ? [] : ['name=cgroupns']),
    ],
  }
  return { ...info, Warnings: warningsOf(host) }
}

/** How many containers there are, and how they are; one that waits for its restart runs, as in Docker. */
function counts(settings: Settings) {
  const states = listContainers(settings).map(container => conditionOf(container, settings).state)
  const count = (...wanted: State[]) => states.filter(state => wanted.includes(state)).length
  return {
    Containers: states.length,
    ContainersRunning: count('running', 'restarting'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('created', 'exited'),
  }
}

/** What containers cannot be limited in here. */
function warningsOf(host: HostFacts): string[] {
  const limits: [controller: string, what: string][] = [
    ['memory', 'memory'],
    ['cpu', 'cpu'],
    ['cpuset', 'cpuset'],
    ['pids', 'pids'],
  ]
  const missing = limits.filter(([controller]) => hierarchyOf(host, controller) === undefined)
  return [
    ...missing.map(([, what]) => `WARNING: No ${what} limit support`),
    ...(host.swapLimit ? [] : ['WARNING: No swap limit support']),
  ]
}

/** By their numbers in statfs(2), under the names that docker info has. */
const fileSystems: Record<number, string> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
  801189825: 'zfs',
  4076150800: 'f2fs',
}

/** Of the directory, or of where it would be made. */
function fileSystemOf(directory: string): string {
  if (!existsSync(directory)) return fileSystemOf(dirname(directory))
  return fileSystems[statfsSync(directory).type] ?? '<unknown>'
}

/** The fields of os-release(5). */
function osRelease(): Record<string, string> {
  const text = readText('/etc/os-release')
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/gm)].map(([, name, double, single, plain]) => [
      name!,
      double ?? single ?? plain ?? '',
    ]),
  )
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
}
