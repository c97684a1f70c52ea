// What this machine can do, read once from /proc and /sys: its cgroups, its kernel, the capabilities there are.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { MinictrError } from './error.ts'

export type KernelVersion = { major: number; minor: number }

/** One mounted cgroup file system. */
export type CgroupHierarchy = {
  version: 1 | 2
  mountPoint: string
  /** Its controllers; `name=systemd` and the like for a v1 hierarchy that has a name and no controller. */
  controllers: string[]
  /** v2: the controllers that the root already passes on to its children (cgroup.subtree_control). */
  passedOn: string[]
}

/** Facts about this host that decide what a plan looks like. */
export type HostFacts = {
  /** Go's name for the processor, as the OCI image and Docker's seccomp profiles use it. */
  architecture: 'amd64' | 'arm64'
  kernel: KernelVersion
  /** The capabilities this process could hand on: bit n is capability n (CapBnd). */
  boundingSet: bigint
  cgroups: CgroupHierarchy[]
  /** What a new v1 cpuset must be filled with before a process may join it; absent where cpuset is not on v1. */
  cpuset?: { cpus: string; mems: string }
  /** Whether memory and swap can be limited together. */
  swapLimit: boolean
  /** Counters of overheating, one directory for each CPU, which tell about the machine's other work. */
  thermalPaths: string[]
  /** The file of a child cgroup that takes a block I/O weight, where the kernel has a scheduler that obeys it. */
  blockWeightFile?: 'blkio.weight' | 'blkio.bfq.weight' | 'io.weight' | 'io.bfq.weight'
}

let known: HostFacts | undefined

/** The facts of this host, read at the first call. Throws MinictrError on a processor minictr has no tables for. */
export function hostFacts(): HostFacts {
  known ??= probe()
  return known
}

/**
 * The cgroup hierarchies named in the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)), the first mount of each.
 * `read` gives a file's text, or an empty one where it cannot be read.
 */
export function parseHierarchies(mountinfo: string, read: (path: string) => string): CgroupHierarchy[] {
  const found: CgroupHierarchy[] = []
  for (const line of mountinfo.split('\n')) {
    const separator = line.indexOf(' - cgroup')
    if (separator < 0) continue
    const mountPoint = unescapePath(line.split(' ', 5)[4] ?? '')
    const [type, , options = ''] = line.slice(separator + 3).split(' ')
    const hierarchy = type === 'cgroup2' ? readUnified(mountPoint, read) : parseLegacy(mountPoint, options)
    if (hierarchy && !found.some(other => isSame(other, hierarchy))) found.push(hierarchy)
  }
  return found
}

const legacyControllers =
  'cpu cpuacct cpuset memory devices freezer blkio pids net_cls net_prio perf_event hugetlb rdma misc'.split(
    ' ',
  )

function isSame(one: CgroupHierarchy, other: CgroupHierarchy): boolean {
  return one.version === other.version && String(one.controllers) === String(other.controllers)
}

function parseLegacy(mountPoint: string, options: string): CgroupHierarchy | undefined {
  const controllers = options
    .split(',')
    .filter(option => legacyControllers.includes(option) || option.startsWith('name='))
  return controllers.length ? { version: 1, mountPoint, controllers, passedOn: [] } : undefined
}

function readUnified(mountPoint: string, read: (path: string) => string): CgroupHierarchy {
  return {
    version: 2,
    mountPoint,
    controllers: words(read(`${mountPoint}/cgroup.controllers`)),
    passedOn: words(read(`${mountPoint}/cgroup.subtree_control`)),
  }
}

/** mountinfo writes space, tab, newline and backslash as \ and three octal digits. */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function probe(): HostFacts {
  const cgroups = parseHierarchies(readText('/proc/self/mountinfo'), readText)
  const cpuset = legacyMount(cgroups, 'cpuset')
  const facts: HostFacts = {
    architecture: hostArchitecture(),
    kernel: parseRelease(readText('/proc/sys/kernel/osrelease')),
    boundingSet: BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(readText('/proc/self/status'))?.[1] ?? '0'}`),
    cgroups,
    swapLimit: hasSwapLimit(cgroups),
    thermalPaths: findThermalPaths(),
  }
  if (cpuset) {
    facts.cpuset = {
      cpus: readText(`${cpuset}/cpuset.cpus`).trim(),
      mems: readText(`${cpuset}/cpuset.mems`).trim(),
    }
  }
  const blockWeightFile = findBlockWeightFile(cgroups)
  if (blockWeightFile) facts.blockWeightFile = blockWeightFile
  return facts
}

/** Throws MinictrError on a processor minictr has no tables for. */
export function hostArchitecture(): HostFacts['architecture'] {
  if (process.arch === 'x64') return 'amd64'
  if (process.arch === 'arm64') return 'arm64'
  throw new MinictrError(`This machine is ${process.arch}; minictr runs on x86-64 and arm64 only`)
}

/** The version in a release such as `6.12.0-3-amd64`. */
export function parseRelease(text: string): KernelVersion {
  const [major, minor] = text.split(/[.-]/).map(Number)
  return { major: major || 0, minor: minor || 0 }
}

function legacyMount(cgroups: CgroupHierarchy[], controller: string): string | undefined {
  return cgroups.find(({ version, controllers }) => version === 1 && controllers.includes(controller))
    ?.mountPoint
}

function hasSwapLimit(cgroups: CgroupHierarchy[]): boolean {
  const legacy = legacyMount(cgroups, 'memory')
  if (legacy) return existsSync(`${legacy}/memory.memsw.limit_in_bytes`)
  // memory.swap.max shows only below the root of v2; /proc/swaps is there where the kernel was built with swap.
  return cgroups.some(({ controllers }) => controllers.includes('memory')) && existsSync('/proc/swaps')
}

/** The weight's own file shows only below the root; its schedulers leave other files at the root to know them by. */
function findBlockWeightFile(cgroups: CgroupHierarchy[]): HostFacts['blockWeightFile'] {
  const legacy = legacyMount(cgroups, 'blkio')
  if (legacy) {
    if (existsSync(`${legacy}/blkio.bfq.io_service_bytes`)) return 'blkio.bfq.weight'
    return existsSync(`${legacy}/blkio.time`) ? 'blkio.weight' : undefined
  }
  const unified = cgroups.find(({ controllers }) => controllers.includes('io'))
  if (!unified) return undefined
  if (existsSync('/sys/module/bfq')) return 'io.bfq.weight'
  return existsSync(`${unified.mountPoint}/io.cost.qos`) ? 'io.weight' : undefined
}

const cpuDirectory = '/sys/devices/system/cpu'

function findThermalPaths(): string[] {
  if (!existsSync(`${cpuDirectory}/cpu0/thermal_throttle`)) return []
  return readdirSync(cpuDirectory)
    .filter(name => /^cpu\d+$/.test(name))
    .map(name => `${cpuDirectory}/${name}/thermal_throttle`)
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '')
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
