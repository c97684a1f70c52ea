// What strace(1) saw of a run, and what a plan says it should have seen: both as calls that can be compared.

import { existsSync } from 'node:fs'
import { capabilityNames } from '../../src/runtime/capabilities.ts'
import { namespaceFlagNames } from '../../src/runtime/constants.ts'
import type { Op } from '../../src/runtime/op.ts'

/** A system call: its name, and its arguments as strace writes them. */
export type Call = { pid: string; name: string; args: string }

/** Calls that make or leave a part of a container: mounts, namespaces, credentials, the root, power. */
export const telling = [
  'mount umount umount2 move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr pivot_root chroot',
  'unshare setns clone clone3 setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid',
  'capset prctl seccomp sethostname setdomainname keyctl add_key request_key bpf',
]
  .join(' ')
  .split(' ')

/** Of prctl, what changes credentials; the rest names threads and asks questions. */
const tellingOptions =
  /^PR_(CAPBSET_DROP|CAP_AMBIENT, PR_CAP_AMBIENT_(RAISE|LOWER|CLEAR_ALL)|SET_NO_NEW_PRIVS|SET_KEEPCAPS|SET_SECCOMP|SET_SECUREBITS)/

/** The calls in the output of `strace -f`, each where it began. */
export function callsIn(trace: string): Call[] {
  const begun = new Map<string, Call>()
  const calls: Call[] = []
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    if (resumed) {
      const call = begun.get(pid)
      if (call) call.args += withoutResult(resumed[1]!)
      continue
    }
    const [, name, args] = /^(\w+)\((.*)$/.exec(rest) ?? []
    if (name === undefined || args === undefined) continue
    const isUnfinished = args.endsWith('<unfinished ...>')
    const call = {
      pid,
      name,
      args: isUnfinished ? args.replace(/ *<unfinished \.\.\.>$/, '') : withoutResult(args),
    }
    if (isUnfinished) begun.set(pid, call)
    calls.push(call)
  }
  return calls
}

function withoutResult(text: string): string {
  return text.replace(/\) += .*$/, '')
}

/** Whether the call changes what the container is. */
export function isTelling({ name, args }: Call): boolean {
  if (!telling.includes(name)) return false
  if (name === 'prctl') return tellingOptions.test(args)
  return !name.startsWith('clone') || /CLONE_NEW/.test(args)
}

/** The telling call as a line of text; sets of flags are sorted, numbers of descriptors and addresses left out. */
export function lineOf({ name, args }: Call): string {
  return `${name}(${args})`
    .replaceAll(/(?:1<<)?[A-Z0-9_]+(?:\|(?:1<<)?[A-Z0-9_]+)+/g, flags => flags.split('|').sort().join('|'))
    .replaceAll(/"\/proc\/self\/fd\/\d+"/g, '"/proc/self/fd/N"')
    .replaceAll(/0x[0-9a-f]+/g, 'ADDRESS')
    .replace(/^setns\(\d+/, 'setns(N')
    .replace(/^(setresuid|setresgid)\((\d+), \d+, \d+\)$/, '$1($2)')
    .replace(/^(move_mount|mount_setattr)\(\d+/, '$1(N')
    .replace(/^move_mount\(N, "", \d+/, 'move_mount(N, "", N')
    .replace(/userns_fd=\d+/, 'userns_fd=N')
    .replace(/^clone\(.*(CLONE_NEW\w+).*$/, 'clone($1)')
    .replace(/^capset\(.*?effective=(.*?), permitted=(.*?), inheritable=(.*)\}\)$/, 'capset($1, $2, $3)')
    .replace(/ \/\* MS_\?\?\? \*\//, '')
}

/** Whether an op gets as far as its call: a mount point inside a root is opened first, and this kernel may not have it. */
export function isReached(op: Op): boolean {
  return op.op !== 'mount' || !op.in || !op.tolerate?.includes('ENOENT') || existsSync(op.target)
}

/** What strace must show of an op; empty for those that touch neither mounts, namespaces, credentials nor the root. */
export function expectedOf(op: Op): string[] {
  switch (op.op) {
    case 'mount': {
      const target = op.in ? '/proc/self/fd/N' : op.target
      return [
        `mount(${text(op.source)}, ${text(target)}, ${text(op.type)}, ${flags(op.flags)}, ${text(op.data)})`,
      ]
    }
    case 'mount_setattr': {
      const how = op.recursive ? 'AT_EMPTY_PATH|AT_RECURSIVE' : 'AT_EMPTY_PATH'
      const attributes = `attr_set=${flags(op.set)}, attr_clr=${flags(op.clear)}, propagation=${op.propagation ?? 0}`
      return [`mount_setattr(N, "", ${how}, {${attributes}, userns_fd=N}, 32)`]
    }
    case 'umount2':
      return [`umount2(${text(op.target)}, ${flags(op.flags)})`]
    case 'pivot_root':
      return [`pivot_root(${text(op.newRoot)}, ${text(op.putOld)})`]
    case 'unshare':
      return [`unshare(${flags(op.namespaces.map(name => namespaceFlagNames[name]!))})`]
    case 'setns':
      return [`setns(N, ${flags(op.namespaces.map(name => namespaceFlagNames[name]!))})`]
    case 'create_userns':
      return ['clone(CLONE_NEWUSER)']
    case 'copy_mount': {
      const how = `${op.recursive ? 'AT_RECURSIVE|' : ''}OPEN_TREE_CLOEXEC|OPEN_TREE_CLONE`
      return [`open_tree(AT_FDCWD, ${text(op.source)}, ${how})`]
    }
    case 'attach_mount':
      return ['move_mount(N, "", N, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)']
    case 'idmap_mount':
      return [
        `open_tree(AT_FDCWD, ${text(op.source)}, AT_RECURSIVE|OPEN_TREE_CLOEXEC|OPEN_TREE_CLONE)`,
        'mount_setattr(N, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_IDMAP, attr_clr=0, propagation=0, userns_fd=N}, 32)',
        `move_mount(N, "", AT_FDCWD, ${text(op.target)}, MOVE_MOUNT_F_EMPTY_PATH)`,
      ]
    case 'sethostname':
    case 'setdomainname':
      return [`${op.op}(${text(op.name)}, ${op.name.length})`]
    case 'join_session_keyring':
      return [`keyctl(KEYCTL_JOIN_SESSION_KEYRING, ${text(op.name)})`]
    case 'setgroups':
      return [`setgroups(${op.gids.length}, [${op.gids.join(', ')}])`]
    case 'setresgid':
      return [`setresgid(${op.gid})`]
    case 'setresuid':
      return [`setresuid(${op.uid})`]
    case 'capset':
      return [`capset(${[op.effective, op.permitted, op.inheritable].map(capabilities).join(', ')})`]
    case 'drop_bounding_set':
      return inOrder(op.capabilities).map(name => `prctl(PR_CAPBSET_DROP, ${name})`)
    case 'raise_ambient_set':
      return inOrder(op.capabilities).map(
        name => `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ${name}, 0, 0)`,
      )
    case 'prctl':
      return [`prctl(${op.option}, ${op.value}${op.option === 'PR_SET_NO_NEW_PRIVS' ? ', 0, 0, 0' : ''})`]
    case 'seccomp':
      return [
        `seccomp(SECCOMP_SET_MODE_FILTER, ${flags(op.flags)}, {len=${op.program.length}, filter=ADDRESS})`,
      ]
    default:
      return []
  }
}

function text(value: string | undefined): string {
  return value ? JSON.stringify(value) : 'NULL'
}

function flags(names: string[]): string {
  return names.length ? names.toSorted().join('|') : '0'
}

function capabilities(names: string[]): string {
  return names.length
    ? names
        .map(name => `1<<${name}`)
        .sort()
        .join('|')
    : '0'
}

function inOrder(names: string[]): string[] {
  return capabilityNames.filter(name => names.includes(name))
}

/** What of an op's arguments every trace of it shows: the last part of its path, or the name it is about. */
export function markOf(op: Op): string {
  const byDescriptor = op.op === 'mount' || op.op === 'mount_setattr'
  const path = byDescriptor ? '' : 'path' in op && typeof op.path === 'string' ? op.path : ''
  return path.slice(path.lastIndexOf('/') + 1)
}
