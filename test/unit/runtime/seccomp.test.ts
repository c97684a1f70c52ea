import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilityNames, defaultCapabilities } from '../../../src/runtime/capabilities.ts'
import { abisOf, numbersOf } from '../../../src/runtime/seccomp/abi.ts'
import { compileSeccomp } from '../../../src/runtime/seccomp/compile.ts'
import { defaultProfile } from '../../../src/runtime/seccomp/policy.ts'
import { settleProfile } from '../../../src/runtime/seccomp/profile.ts'
import type { Seccomp, SeccompRule } from '../../../src/runtime/spec.ts'
import { answerTo } from './bpf-machine.ts'

const allow = 0x7fff0000
const kill = 0
const errno = (number: number) => 0x00050000 | number
const eperm = errno(1)
const enosys = errno(38)

type Architecture = 'amd64' | 'arm64'
const auditNumbers = { amd64: 0xc000003e, i386: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 }

function defaultProgram(architecture: Architecture, capabilities: readonly string[] = defaultCapabilities) {
  const host = { architecture, kernel: { major: 6, minor: 12 } }
  const seccomp = settleProfile(defaultProfile(), [...capabilities], host)
  assert.ok(seccomp)
  return compileSeccomp(seccomp, host)
}

/**
 * Docker's documentation and the manual pages, from the other side than the table in src: what a container without
 * further capabilities may not do, on 64-bit processors of today.
 */
const refused = `
  acct add_key bpf clone3 clock_settime delete_module fanotify_init file_getattr file_setattr finit_module fsconfig
  fsmount fsopen fspick get_mempolicy init_module io_uring_enter io_uring_register io_uring_setup kcmp
  kexec_file_load kexec_load keyctl listns lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mbind
  migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree open_tree_attr
  perf_event_open personality pidfd_getfd pivot_root process_madvise quotactl quotactl_fd reboot request_key
  set_mempolicy set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff swapon syslog umount2
  unshare userfaultfd vhangup
`
const refusedOnAmd64 = `
  _sysctl afs_syscall create_module get_kernel_syms getpmsg ioperm iopl putpmsg query_module security sysfs tuxcall
  uprobe uselib ustat vserver
`

const words = (text: string) => text.trim().split(/\s+/)

test('each system call of x86-64 and arm64 is answered as the policy says', () => {
  for (const [architecture, more] of [
    ['amd64', refusedOnAmd64],
    ['arm64', ''],
  ] as const) {
    const program = defaultProgram(architecture)
    const numbers = numbersOf(abisOf[architecture][0])
    const known = new Set(words(`${refused} ${more}`))
    // personality is asked for something it must not have; clone for a new mount namespace; socket for AF_VSOCK.
    const argument: Record<string, bigint> = { personality: 0x40000n, clone: 0x20000n, socket: 40n }
    for (const [name, number] of numbers) {
      const call = { number, architecture: auditNumbers[architecture], args: [argument[name] ?? 0n] }
      const expected = known.has(name) || argument[name] !== undefined ? 'refused' : 'allowed'
      const answer = answerTo(program, call)
      assert.equal(answer === allow ? 'allowed' : 'refused', expected, `${architecture} ${name} (${number})`)
      const isHidden = name === 'clone3' || number > 466
      if (answer !== allow) assert.equal(answer, isHidden ? enosys : eperm, `${architecture} ${name}`)
    }
  }
})

test('the words of the statement above are system calls', () => {
  const all = new Set([...numbersOf(abisOf.amd64[0]).keys(), ...numbersOf(abisOf.arm64[0]).keys()])
  for (const name of words(`${refused} ${refusedOnAmd64}`)) assert.ok(all.has(name), name)
})

test('a capability gives back the calls it is asked for', () => {
  const cases: [string, string][] = [
    ['CAP_SYS_ADMIN', 'mount umount2 setns unshare clone3 bpf sethostname quotactl_fd'],
    ['CAP_SYS_PTRACE', 'kcmp pidfd_getfd process_madvise'],
    ['CAP_SYS_TIME', 'settimeofday clock_settime'],
    ['CAP_SYS_MODULE', 'init_module finit_module delete_module'],
    ['CAP_SYS_BOOT', 'reboot'],
    ['CAP_SYS_NICE', 'mbind set_mempolicy get_mempolicy'],
    ['CAP_SYS_RAWIO', 'iopl ioperm'],
    ['CAP_DAC_READ_SEARCH', 'open_by_handle_at'],
    ['CAP_SYSLOG', 'syslog'],
    ['CAP_PERFMON', 'perf_event_open'],
    ['CAP_BPF', 'bpf'],
    ['CAP_SYS_TTY_CONFIG', 'vhangup'],
    ['CAP_SYS_PACCT', 'acct'],
  ]
  const numbers = numbersOf(abisOf.amd64[0])
  for (const [capability, names] of cases) {
    const program = defaultProgram('amd64', [...defaultCapabilities, capability])
    for (const name of words(names)) {
      const call = { number: numbers.get(name)!, architecture: auditNumbers.amd64 }
      assert.equal(answerTo(program, call), allow, `${name} with ${capability}`)
    }
  }
  const without = defaultProgram(
    'amd64',
    defaultCapabilities.filter(name => name !== 'CAP_SYS_CHROOT'),
  )
  assert.equal(answerTo(without, { number: 161, architecture: auditNumbers.amd64 }), eperm, 'chroot')
})

test('even with all capabilities, key rings, io_uring, kexec and pivot_root stay closed', () => {
  const program = defaultProgram('amd64', capabilityNames)
  const numbers = numbersOf(abisOf.amd64[0])
  for (const name of words('keyctl add_key io_uring_setup kexec_load pivot_root swapon userfaultfd')) {
    assert.equal(
      answerTo(program, { number: numbers.get(name)!, architecture: auditNumbers.amd64 }),
      eperm,
      name,
    )
  }
})

test('clone may make threads and processes, but no namespace', () => {
  const program = defaultProgram('amd64')
  const clone = (flags: bigint) =>
    answerTo(program, { number: 56, architecture: auditNumbers.amd64, args: [flags] })
  assert.equal(clone(0x3d0f00n), allow, 'a thread of the C library')
  assert.equal(clone(17n), allow, 'fork')
  for (const bit of [17n, 25n, 26n, 27n, 28n, 29n, 30n])
    assert.equal(clone(17n | (1n << bit)), eperm, `bit ${bit}`)
})

test('sockets of the usual families, not AF_VSOCK, AF_ALG or what the kernel gave up', () => {
  const program = defaultProgram('amd64')
  const socket = (family: bigint) =>
    answerTo(program, { number: 41, architecture: auditNumbers.amd64, args: [family] })
  const closed = [12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 47, 1000]
  for (let family = 0; family < 50; family++) {
    assert.equal(
      socket(BigInt(family)),
      closed.includes(family) || family > 45 ? eperm : allow,
      `family ${family}`,
    )
  }
  assert.equal(socket(2n ** 32n + 2n), eperm, 'a family above 32 bits')
})

test('personality only for Linux as it is', () => {
  const program = defaultProgram('amd64')
  const ask = (value: bigint) =>
    answerTo(program, { number: 135, architecture: auditNumbers.amd64, args: [value] })
  for (const value of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn]) assert.equal(ask(value), allow, `${value}`)
  for (const value of [1n, 9n, 0x40000n, 0x1000000n, 2n ** 32n]) assert.equal(ask(value), eperm, `${value}`)
})

test('ptrace only where the kernel cannot be fooled by it', () => {
  const at = (minor: number) => {
    const host = { architecture: 'amd64' as const, kernel: { major: 4, minor } }
    const program = compileSeccomp(settleProfile(defaultProfile(), [...defaultCapabilities], host)!, host)
    return answerTo(program, { number: 101, architecture: auditNumbers.amd64 })
  }
  assert.equal(at(7), eperm)
  assert.equal(at(8), allow)
})

test('32-bit programs have the same policy under their own numbers', () => {
  const amd64 = defaultProgram('amd64')
  const i386 = (number: number, ...args: bigint[]) =>
    answerTo(amd64, { number, architecture: auditNumbers.i386, args })
  assert.equal(i386(4), allow, 'write')
  assert.equal(i386(21), eperm, 'mount, where x86-64 has access')
  assert.equal(i386(102), allow, 'socketcall')
  assert.equal(i386(359, 40n), eperm, 'socket AF_VSOCK')
  assert.equal(i386(120, 0x10000000n), eperm, 'clone CLONE_NEWUSER')
  assert.equal(i386(403), allow, 'clock_gettime64')
  assert.equal(i386(404), eperm, 'clock_settime64')
  const arm64 = defaultProgram('arm64')
  const arm = (number: number) => answerTo(arm64, { number, architecture: auditNumbers.arm })
  assert.equal(arm(4), allow, 'write')
  assert.equal(arm(21), eperm, 'mount')
  assert.equal(arm(0xf0005), allow, 'set_tls')
  assert.equal(arm(0xf0000), enosys)
  assert.equal(arm(500), enosys)
})

test('x32 is said not to exist; other architectures are killed', () => {
  const program = defaultProgram('amd64')
  assert.equal(answerTo(program, { number: 0x40000001, architecture: auditNumbers.amd64 }), enosys)
  assert.equal(answerTo(program, { number: 0xffffffff, architecture: auditNumbers.amd64 }), enosys)
  assert.equal(answerTo(program, { number: 1, architecture: auditNumbers.arm64 }), kill)
  const host = { architecture: 'amd64' as const }
  const nativeOnly = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] }, host)
  assert.equal(answerTo(nativeOnly, { number: 1, architecture: auditNumbers.amd64 }), allow)
  assert.equal(answerTo(nativeOnly, { number: 1, architecture: auditNumbers.i386 }), kill)
  assert.equal(answerTo(nativeOnly, { number: 0x40000001, architecture: auditNumbers.amd64 }), kill)
})

test('calls newer than the profile do not exist, unless the default lets them through', () => {
  const rules: SeccompRule[] = [{ names: ['read', 'openat2'], action: 'SCMP_ACT_ALLOW' }]
  const after = (defaultAction: string, defaultErrnoRet?: number) => {
    const seccomp: Seccomp = { defaultAction, syscalls: rules, ...(defaultErrnoRet && { defaultErrnoRet }) }
    const program = compileSeccomp(seccomp, { architecture: 'amd64' })
    return [436, 437, 438].map(number => answerTo(program, { number, architecture: auditNumbers.amd64 }))
  }
  assert.deepEqual(after('SCMP_ACT_ERRNO', 13), [errno(13), allow, enosys])
  assert.deepEqual(after('SCMP_ACT_KILL_PROCESS'), [0x80000000, allow, enosys])
  assert.deepEqual(after('SCMP_ACT_LOG'), [0x7ffc0000, allow, 0x7ffc0000])
  assert.deepEqual(after('SCMP_ACT_TRACE'), [0x7ff00001, allow, 0x7ff00001])
})

test('comparisons of 64-bit arguments, against the arithmetic of big integers', () => {
  const operators: Record<string, (argument: bigint, value: bigint) => boolean> = {
    SCMP_CMP_EQ: (argument, value) => argument === value,
    SCMP_CMP_NE: (argument, value) => argument !== value,
    SCMP_CMP_LT: (argument, value) => argument < value,
    SCMP_CMP_LE: (argument, value) => argument <= value,
    SCMP_CMP_GT: (argument, value) => argument > value,
    SCMP_CMP_GE: (argument, value) => argument >= value,
    SCMP_CMP_MASKED_EQ: (argument, value) => (argument & value) === (0x500000003n & value),
  }
  const values = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 5 * 2 ** 32 + 3, Number.MAX_SAFE_INTEGER]
  const edges = values.map(BigInt).flatMap(value => [value - 1n, value, value + 1n])
  const samples = [...edges, 2n ** 63n, 2n ** 64n - 1n].filter(sample => sample >= 0n)
  for (const [op, holds] of Object.entries(operators)) {
    for (const value of values) {
      const valueTwo = Number(0x500000003n & BigInt(value))
      const rule = { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 3, value, valueTwo, op }] }
      const program = compileSeccomp(
        { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule] },
        { architecture: 'amd64' },
      )
      for (const sample of samples) {
        const call = { number: 0, architecture: auditNumbers.amd64, args: [7n, 7n, 7n, sample] }
        const expected = holds(sample, BigInt(value)) ? allow : eperm
        assert.equal(answerTo(program, call), expected, `${sample} ${op} ${value}`)
      }
    }
  }
})

test('conditions on several arguments hold together, several on one are alternatives, rules are tried in turn', () => {
  const both = [
    { index: 0, value: 5, op: 'SCMP_CMP_EQ' },
    { index: 1, value: 10, op: 'SCMP_CMP_LT' },
  ]
  const either = [
    { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
    { index: 0, value: 3, op: 'SCMP_CMP_EQ' },
  ]
  const program = compileSeccomp(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_ALLOW', args: both },
        { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 5, args: either },
        { names: ['read'], action: 'SCMP_ACT_LOG' },
      ],
    },
    { architecture: 'amd64' },
  )
  const read = (...args: bigint[]) => answerTo(program, { number: 0, architecture: auditNumbers.amd64, args })
  assert.equal(read(5n, 9n), allow)
  assert.equal(read(5n, 10n), 0x7ffc0000)
  assert.equal(read(1n, 9n), errno(5))
  assert.equal(read(3n, 9n), errno(5))
  assert.equal(read(2n, 9n), 0x7ffc0000)
})

test('a long program reaches its far ends, and one that is too long is refused', () => {
  const rules = (count: number): SeccompRule[] =>
    [...numbersOf(abisOf.amd64[0]).keys()].slice(0, count).map((name, index) => ({
      names: [name],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, value: index, op: 'SCMP_CMP_EQ' },
        { index: 1, value: index, op: 'SCMP_CMP_EQ' },
      ],
    }))
  const host = { architecture: 'amd64' as const }
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules(300) }, host)
  for (let number = 0; number < 300; number++) {
    const call = { number, architecture: auditNumbers.amd64, args: [BigInt(number), BigInt(number)] }
    assert.equal(answerTo(program, call), allow, `${number}`)
    assert.equal(answerTo(program, { ...call, args: [BigInt(number), 999n] }), eperm, `${number}`)
  }
  const tooMany = [...rules(360), ...rules(360), ...rules(360)]
  assert.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: tooMany }, host), {
    message: /the kernel takes 4096/,
  })
})

test('what cannot be done is refused by name', () => {
  const compile = (rule: Partial<SeccompRule>, defaultAction = 'SCMP_ACT_ERRNO') =>
    compileSeccomp(
      { defaultAction, syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...rule }] },
      { architecture: 'amd64' },
    )
  assert.throws(() => compile({ action: 'SCMP_ACT_NOTIFY' }), { message: /SCMP_ACT_NOTIFY is not supported/ })
  assert.throws(() => compile({ action: 'ALLOW' }), { message: /action ALLOW is unknown/ })
  assert.throws(() => compile({}, ''), { message: /action .* unknown/ })
  assert.throws(() => compile({ action: 'SCMP_ACT_ERRNO', errnoRet: 5000 }), { message: /errnoRet 5000/ })
  assert.throws(() => compile({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }), {
    message: /argument 6/,
  })
  assert.throws(() => compile({ args: [{ index: 0, value: 0, op: '==' }] }), { message: /comparison ==/ })
  assert.throws(() => compile({ args: [{ index: 0, value: 2 ** 64, op: 'SCMP_CMP_EQ' }] }), {
    message: /2\^53/,
  })
})
