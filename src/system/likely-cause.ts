// Why the kernel may have refused: looked up on this host, not guessed. Only what a probe confirms is said.

import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { errnoOf } from './errno.ts'
import { processLimit, tooManyFiles } from './exhaustion.ts'
import { mountRefusal } from './mount-refused.ts'

/** What a failed op was about; a structural subset of the runtime's ops. */
export type FailedOp = {
  op: string
  path?: unknown
  type?: unknown
  target?: unknown
  source?: unknown
  in?: unknown
  data?: unknown
  flags?: unknown
  resource?: unknown
  hard?: unknown
  content?: unknown
  nofollow?: unknown
  candidates?: unknown
  parent?: unknown
  master?: unknown
}

/**
 * A sentence on the likely cause of this error on this host, or undefined where no probe tells. `inUserNamespace`:
 * whoever performed it had entered one. `said`: what the kernel, or the program that was run, had to say.
 */
export function likelyCause(
  op: FailedOp,
  errno: string,
  inUserNamespace = false,
  said?: string,
): string | undefined {
  if (errno === 'EPIPE')
    return 'the process that performed the step was killed; `dmesg` tells whether memory ran out.'
  if (errno === 'ENOSPC') return fullFileSystem(op) ?? exhaustedNamespaces(op)
  if (op.op === 'access' && errno === 'ENOENT')
    return 'the image was removed after it had been found: run it again, and it is pulled.'
  if (op.op === 'lock_shared' && errno === 'EAGAIN')
    return 'images are being removed just now: try again when that is done.'
  if (errno === 'ENOENT' && said === undefined && op.op === 'nft')
    return 'nft is not installed: apt install nftables'
  if (errno === 'ENOENT' && said === undefined && op.op === 'run_program' && Array.isArray(op.candidates))
    return `there is no ${op.candidates.join(' nor ')} on this host.`
  if (errno === 'EROFS')
    return `${pathOf(op) ?? 'the target'} lies on a file system that is mounted read-only.`
  if (errno === 'ELOOP' && typeof op.in === 'string') return links(op)
  if (errno === 'EPERM' || errno === 'EACCES') {
    const refusal = () =>
      inUserNamespace && op.op === 'mount' ? mountRefusal(op, read('/proc/self/mountinfo')) : undefined
    return missingPrivilege() ?? raisedLimit(op) ?? loweredScore(op) ?? refusal() ?? closedDirectory(op)
  }
  if (errno === 'EBUSY') return occupiedCgroup(op) ?? memoryInUse(op)
  if (op.op === 'lock' && errno === 'EAGAIN') return 'another command is at this container just now.'
  if (errno === 'ENOENT' || errno === 'EINVAL') {
    const setting = kernelSetting(op, errno)
    if (setting !== undefined) return setting
  }
  if (errno === 'EINVAL' && op.type === 'overlay') {
    const upper = readOnlyUpper(op.data)
    if (upper !== undefined) return `${upper} lies on a file system that is mounted read-only.`
  }
  if (errno === 'EINVAL' && op.op === 'mount' && typeof op.data === 'string' && op.data !== '') {
    return `an option of ${JSON.stringify(op.data)} may be none of ${op.type}: \`dmesg | tail\` names it.`
  }
  if (errno === 'ENODEV' && typeof op.type === 'string') return missingFileSystem(op.type)
  if (errno === 'ENODEV') return missingLink(op.parent ?? op.master)
  if (
    errno === 'ENOENT' &&
    typeof op.source === 'string' &&
    op.source.startsWith('/') &&
    !existsSync(op.source)
  ) {
    return `${op.source} does not exist on this host.`
  }
  if (errno === 'EAGAIN' && (op.op === 'fork' || op.op === 'spawn_init')) return processLimit()
  if (errno === 'EMFILE') return tooManyFiles
  if (errno === 'ENOSYS')
    return `this kernel (${read('/proc/sys/kernel/osrelease')}) lacks a system call of ${op.op}: minictr needs Linux 5.12, with --userns-remap 5.19.`
  return undefined
}

function pathOf(op: FailedOp): string | undefined {
  const path = op.path ?? op.target
  if (typeof path !== 'string') return undefined
  return typeof op.in === 'string' ? `${op.in}${path}` : path
}

/** The writable directory of an overlay's options, where it is not writable. */
function readOnlyUpper(options: unknown): string | undefined {
  const upper = /upperdir=([^,]*)/.exec(String(options))?.[1]
  try {
    accessSync(upper ?? '/', constants.W_OK)
    return undefined
  } catch (error) {
    return errnoOf(error) === 'EROFS' ? upper : undefined
  }
}

function links(op: FailedOp): string {
  const path = op.path ?? op.target
  if (op.nofollow) return `${path} is a symbolic link in the image, and must be a directory there.`
  return `the symbolic links that ${path} leads through in the image go round in a circle.`
}

/** What is free may be less than what was to be written. */
const NEARLY_FULL_BYTES = 256 * 1024

function fullFileSystem(op: FailedOp): string | undefined {
  let path = pathOf(op) ?? '/'
  while (path !== '/' && !existsSync(path)) path = path.slice(0, path.lastIndexOf('/')) || '/'
  const { bavail, bsize, ffree } = statfsSync(path)
  if (bavail * bsize < NEARLY_FULL_BYTES) return `the file system of ${path} is full: df ${path}`
  if (ffree === 0) return `the file system of ${path} has no inode left: df -i ${path}`
  return undefined
}

const namespaceLimits = ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup', 'user']

function exhaustedNamespaces(op: FailedOp): string | undefined {
  if (op.op !== 'unshare' && op.op !== 'create_userns') return undefined
  const zero = namespaceLimits.filter(name => read(`/proc/sys/user/max_${name}_namespaces`) === '0')
  if (zero.length > 0)
    return `user.max_${zero[0]}_namespaces is 0 on this host: sysctl -w user.max_${zero[0]}_namespaces=10000`
  return 'a limit of user.max_*_namespaces is reached, or namespaces are nested too deep.'
}

const sysAdmin = 21n

function hasCapability(number: bigint): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(read('/proc/self/status'))?.[1] ?? '0'
  return ((BigInt(`0x${mask}`) >> number) & 1n) === 1n
}

function missingPrivilege(): string | undefined {
  if (process.getuid?.() !== 0) return 'minictr does not run as root: use sudo.'
  if (!hasCapability(sysAdmin)) {
    return 'this root has no CAP_SYS_ADMIN: minictr seems to run inside a container itself; use a virtual machine.'
  }
  return undefined
}

const sysResource = 24n

/** The hard limits of this process, and that of all: a process may lower its own, to raise them is a right of its own. */
function raisedLimit(op: FailedOp): string | undefined {
  if (op.op !== 'prlimit') return undefined
  const openFilesMost = Number(read('/proc/sys/fs/nr_open'))
  if (op.resource === 'RLIMIT_NOFILE' && !(Number(op.hard) <= openFilesMost)) {
    return `this kernel lets no process open more than ${openFilesMost} files: sysctl fs.nr_open`
  }
  if (hasCapability(sysResource)) return undefined
  return 'this root has no CAP_SYS_RESOURCE, so no limit can be raised above the hard one that minictr has: `ulimit -Ha` shows those.'
}

function loweredScore(op: FailedOp): string | undefined {
  if (op.path !== '/proc/self/oom_score_adj' || hasCapability(sysResource)) return undefined
  return `this root has no CAP_SYS_RESOURCE, so no score can be lower than minictr's own, ${read('/proc/self/oom_score_adj')}.`
}

/** A file of /proc/sys that is not there, or takes another kind of value. */
function kernelSetting(op: FailedOp, errno: string): string | undefined {
  if (typeof op.path !== 'string' || !op.path.startsWith('/proc/sys/')) return undefined
  const name = op.path.slice('/proc/sys/'.length).replaceAll('/', '.')
  if (errno === 'EINVAL') return `the kernel does not take ${JSON.stringify(op.content)} for ${name}.`
  return existsSync(op.path) ? undefined : `this kernel has no setting ${name}.`
}

const searchableByOthers = 0o001

/** Root in a mapped user namespace is an ordinary user of the host: some directory on the way may be closed to it. */
function closedDirectory(op: FailedOp): string | undefined {
  const path = typeof op.source === 'string' && op.source.startsWith('/') ? op.source : pathOf(op)
  const names = path?.split('/').slice(1, -1) ?? []
  for (let length = 1; length <= names.length; length++) {
    const directory = `/${names.slice(0, length).join('/')}`
    const mode = statSync(directory, { throwIfNoEntry: false })?.mode
    if (mode !== undefined && (mode & searchableByOthers) === 0) {
      return `${directory} is closed to other users, and with a user namespace the container's root is one: chmod o+x ${directory}`
    }
  }
  return undefined
}

/** cgroup v2 passes nothing on from a cgroup that has processes itself, the root excepted (cgroups(7)). */
function occupiedCgroup({ path }: FailedOp): string | undefined {
  if (typeof path !== 'string' || !path.endsWith('/cgroup.subtree_control')) return undefined
  const directory = path.slice(0, path.lastIndexOf('/'))
  const [pid] = read(`${directory}/cgroup.procs`).split('\n')
  if (!pid) return undefined
  return `process ${pid} is in ${directory} itself, and a cgroup with processes passes no controller on: move it to one below.`
}

/** cgroup v1 refuses a limit of memory below what the processes hold and cannot give up. */
function memoryInUse({ path }: FailedOp): string | undefined {
  const [, directory] = /^(.*)\/memory\.(?:memsw\.)?limit_in_bytes$/.exec(String(path)) ?? []
  if (directory === undefined) return undefined
  return `its processes have ${read(`${directory}/memory.usage_in_bytes`)} bytes in use, and the kernel cannot take them away.`
}

/** The link that another one is made on, or put into. */
function missingLink(name: unknown): string | undefined {
  if (typeof name !== 'string' || existsSync(`/proc/sys/net/ipv4/conf/${name}`)) return undefined
  return `there is no link ${name} on this host: \`ip link\` lists those there are.`
}

function missingFileSystem(type: string): string | undefined {
  const known = read('/proc/filesystems').split(/\s+/)
  return known.includes(type) ? undefined : `this kernel has no ${type} file system: modprobe ${type}`
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
