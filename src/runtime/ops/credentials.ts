// Ops on credentials: what a process may do, given up for good before the container's program starts.

import { capabilityMask, capabilityNames } from '../capabilities.ts'
import { bits, prctlOptions, rlimitResources, seccompFlags } from '../constants.ts'
import type { BpfInstruction, OpOf } from '../op.ts'
import { cFlags, cString, octal, type Rows } from './row.ts'

type CredentialOp =
  | 'setgroups'
  | 'setresgid'
  | 'setresuid'
  | 'capset'
  | 'drop_bounding_set'
  | 'raise_ambient_set'
  | 'prctl'
  | 'prlimit'
  | 'umask'
  | 'join_session_keyring'
  | 'seccomp'
  | 'attach_device_filter'

/** One row for each op on credentials and limits. */
export const credentialRows: Rows<CredentialOp> = {
  setgroups: {
    man: 'setgroups(2)',
    syscalls: ['setgroups'],
    arguments: op => [new Uint8Array(Uint32Array.from(op.gids).buffer)],
    show: op => `setgroups(${op.gids.length}, [${op.gids.join(', ')}])`,
    shell: op => ({ setpriv: op.gids.length ? ['--groups', op.gids.join(',')] : ['--clear-groups'] }),
  },
  setresgid: {
    man: 'setresuid(2)',
    syscalls: ['setresgid'],
    arguments: op => [op.gid],
    show: op => `setresgid(${op.gid}, ${op.gid}, ${op.gid})`,
    shell: op => ({ setpriv: ['--regid', String(op.gid)] }),
  },
  setresuid: {
    man: 'setresuid(2)',
    syscalls: ['setresuid'],
    arguments: op => [op.uid],
    show: op => `setresuid(${op.uid}, ${op.uid}, ${op.uid})`,
    shell: op => ({ setpriv: ['--reuid', String(op.uid)] }),
  },
  capset: {
    man: 'capset(2)',
    syscalls: ['capset'],
    arguments: op => [
      capabilityMask(op.effective),
      capabilityMask(op.permitted),
      capabilityMask(op.inheritable),
    ],
    show: op =>
      `capset(effective ${set(op.effective)}, permitted ${set(op.permitted)}, inheritable ${set(op.inheritable)})`,
    shell: op => ({ setpriv: ['--inh-caps', capabilityOption(op.inheritable)] }),
  },
  drop_bounding_set: {
    man: 'capabilities(7)',
    syscalls: ['prctl'],
    arguments: op => [capabilityMask(op.capabilities)],
    show: op => `prctl(PR_CAPBSET_DROP, each of ${set(op.capabilities)})`,
    shell: op => ({
      setpriv: ['--bounding-set', op.capabilities.map(name => `-${shortName(name)}`).join(',') || '+all'],
    }),
  },
  raise_ambient_set: {
    man: 'capabilities(7)',
    syscalls: ['prctl'],
    arguments: op => [capabilityMask(op.capabilities)],
    show: op => `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, each of ${set(op.capabilities)})`,
    shell: op => ({ setpriv: ['--ambient-caps', capabilityOption(op.capabilities)] }),
  },
  prctl: {
    man: 'prctl(2)',
    syscalls: ['prctl'],
    arguments: op => [bits([op.option], prctlOptions), op.value],
    show: op => `prctl(${op.option}, ${op.value})`,
    shell: op => prctlTwin(op),
  },
  prlimit: {
    man: 'getrlimit(2)',
    syscalls: ['prlimit64', 'setrlimit'],
    arguments: op => [bits([op.resource], rlimitResources), limit(op.soft), limit(op.hard)],
    show: op => `prlimit(0, ${op.resource}, {soft ${op.soft}, hard ${op.hard}}, NULL)`,
    shell: op => ({
      run: `prlimit --pid $$ --${op.resource.replace('RLIMIT_', '').toLowerCase()}=${op.soft}:${op.hard}`,
    }),
  },
  umask: {
    man: 'umask(2)',
    syscalls: ['umask'],
    arguments: op => [op.mode],
    show: op => `umask(${octal(op.mode)})`,
    shell: op => ({ run: `umask ${octal(op.mode)}` }),
  },
  join_session_keyring: {
    man: 'keyctl_join_session_keyring(3)',
    syscalls: ['keyctl'],
    arguments: op => [op.name],
    show: op => `keyctl(KEYCTL_JOIN_SESSION_KEYRING, ${cString(op.name)})`,
    shell: () => ({
      none: 'keyctl(1) of the package keyutils does it, as keyctl session NAME PROGRAM; most machines have none',
    }),
  },
  seccomp: {
    man: 'seccomp(2)',
    syscalls: ['seccomp'],
    arguments: op => [bits(op.flags, seccompFlags), programBytes(op.program)],
    show: op =>
      `seccomp(SECCOMP_SET_MODE_FILTER, ${cFlags(op.flags)}, program of ${op.program.length} instructions)`,
    shell: op => ({ seccompFilter: Buffer.from(programBytes(op.program)).toString('base64') }),
  },
  attach_device_filter: {
    man: 'bpf(2)',
    syscalls: ['bpf', 'openat'],
    arguments: op => [op.cgroup, Buffer.from(op.program, 'base64')],
    show: op => `bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE, ${cString(op.cgroup)})`,
    shell: () => ({
      none: 'no shell tool makes an eBPF device filter; the nearest is bpftool(8), which attaches one that a compiler made',
    }),
  },
}

function limit(value: number | 'unlimited'): number {
  return value === 'unlimited' ? -1 : value
}

function shortName(capability: string): string {
  return capability.replace(/^CAP_/, '').toLowerCase()
}

function capabilityOption(capabilities: string[]): string {
  return ['-all', ...capabilities.map(name => `+${shortName(name)}`)].join(',')
}

/** A set as a reader wants it: whole where short, counted where long. */
function set(capabilities: string[]): string {
  if (capabilities.length === 0) return '{}'
  if (capabilities.length >= capabilityNames.length - 1) return '{all}'
  return `{${capabilities.map(shortName).join(' ')}}`
}

function prctlTwin(op: OpOf<'prctl'>): { setpriv: string[] } | { none: string } {
  if (op.option === 'PR_SET_NO_NEW_PRIVS') return { setpriv: ['--no-new-privs'] }
  return { none: `setpriv(1) does what ${op.option} is needed for by itself` }
}

/** struct sock_filter[]: u16 code, u8 jt, u8 jf, u32 k, little endian. */
function programBytes(program: BpfInstruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8))
  program.forEach(([code, jt, jf, k], index) => {
    bytes.setUint16(index * 8, code, true)
    bytes.setUint8(index * 8 + 2, jt)
    bytes.setUint8(index * 8 + 3, jf)
    bytes.setUint32(index * 8 + 4, k, true)
  })
  return new Uint8Array(bytes.buffer)
}
