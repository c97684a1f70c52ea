// The OCI configuration of a run: what a plain one holds, and what each flag changes in it, as Docker writes it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Spec } from '../../../src/runtime/spec.ts'
import { MinictrError } from '../../../src/system/error.ts'
import { unifiedHost } from '../runtime/hosts.ts'
import { configure, directory, fakeHost, id } from './request.ts'

const spec = (line: string, change?: Parameters<typeof configure>[1]): Spec => configure(line, change).spec
const mountAt = (destination: string, line: string, change?: Parameters<typeof configure>[1]) =>
  spec(line, change).mounts.find(mount => mount.destination === destination)
const namespacesOf = (line: string, change?: Parameters<typeof configure>[1]) =>
  spec(line, change).linux.namespaces.map(({ type, path }) => (path ? `${type} of ${path}` : type))

describe('the configuration of a plain run', () => {
  const plain = spec('')

  it('has an overlay of the image below a directory of the container’s own', () => {
    assert.equal(plain.root.path, `${directory}/rootfs`)
    assert.deepEqual(JSON.parse(plain.annotations['minictr.overlay']!), {
      lower: ['/layers/bottom', '/layers/top'],
      upper: `${directory}/upper`,
      work: `${directory}/work`,
    })
  })

  it('is named after the beginning of the id', () => assert.equal(plain.hostname, id.slice(0, 12)))

  it('has every namespace but a user’s, and none for cgroups where v1 is', () => {
    assert.deepEqual(namespacesOf(''), ['mount', 'network', 'uts', 'pid', 'ipc'])
    assert.deepEqual(namespacesOf('', { facts: unifiedHost }).at(-1), 'cgroup')
  })

  it('mounts what Docker mounts, shallow first', () => {
    assert.deepEqual(
      plain.mounts.map(({ destination }) => destination),
      [
        '/proc',
        '/dev',
        '/dev/pts',
        '/sys',
        '/sys/fs/cgroup',
        '/dev/mqueue',
        '/dev/shm',
        '/etc/resolv.conf',
        '/etc/hostname',
        '/etc/hosts',
      ],
    )
  })

  it('runs as root with Docker’s capabilities, filtered by Docker’s policy', () => {
    assert.deepEqual(plain.process.user, { uid: 0, gid: 0, additionalGids: [0] })
    assert.equal(plain.process.capabilities.bounding.length, 14)
    assert.equal(plain.linux.seccomp?.defaultAction, 'SCMP_ACT_ERRNO')
    assert.ok(plain.linux.maskedPaths!.includes('/proc/kcore'))
    assert.ok(plain.linux.readonlyPaths!.includes('/proc/sys'))
  })

  it('lets every user bind low ports and ping', () => {
    assert.deepEqual(plain.linux.sysctl, {
      'net.ipv4.ping_group_range': '0 2147483647',
      'net.ipv4.ip_unprivileged_port_start': '0',
    })
  })

  it('opens no device but the usual ones', () => {
    assert.deepEqual(plain.linux.resources?.devices?.[0], { allow: false, access: 'rwm' })
    assert.deepEqual(
      plain.linux.devices?.map(({ path }) => path),
      ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'],
    )
  })

  it('says which image and container it is of', () => {
    const { image, name, createdAt, stopSignal } = configure('').record
    assert.deepEqual(image, { name: 'debian:trixie', digest: 'sha256:22', id: 'sha256:11' })
    assert.equal(name, 'calm_hopper')
    assert.equal(createdAt, '2026-01-02T03:04:05.678Z')
    assert.equal(stopSignal, undefined)
  })

  it('comes with three files, and needs nothing else', () => {
    const { files, directories, warnings } = configure('')
    assert.deepEqual(
      files().map(({ path, mode }) => [path, mode]),
      [
        [`${directory}/hosts`, 0o644],
        [`${directory}/hostname`, 0o644],
        [`${directory}/resolv.conf`, 0o644],
      ],
    )
    assert.deepEqual([directories, warnings], [[], []])
  })
})

describe('a flag changes', () => {
  it('-t: the process has a terminal and a TERM', () => {
    const { process } = spec('-t')
    assert.equal(process.terminal, true)
    assert.ok(process.env.includes('TERM=xterm'))
  })

  it('--user, --group-add: names are looked up in the image', () => {
    assert.deepEqual(spec('-u web').process.user, { uid: 33, gid: 33, additionalGids: [33, 4] })
    assert.deepEqual(spec('-u web:adm --group-add audio --group-add 7').process.user, {
      uid: 33,
      gid: 4,
      additionalGids: [4, 29, 7],
    })
    assert.ok(spec('-u web').process.env.includes('HOME=/srv/web'))
    assert.throws(() => spec('-u nobody-here'), /nobody-here/)
  })

  it('--hostname and --domainname', () => {
    const { hostname, domainname, process } = spec('-h web --domainname example.org')
    assert.deepEqual([hostname, domainname], ['web', 'example.org'])
    assert.ok(process.env.includes('HOSTNAME=web'))
  })

  it('--network host: no namespace, no settings of it, and the host’s name and files', () => {
    const { spec: host, files } = configure('--network host')
    assert.deepEqual(
      host.linux.namespaces.map(({ type }) => type),
      ['mount', 'uts', 'pid', 'ipc'],
    )
    assert.equal(host.linux.sysctl, undefined)
    assert.equal(host.hostname, 'thehost')
    assert.deepEqual(
      files().map(({ content }) => content),
      [
        '127.0.0.1 localhost thehost\n',
        'thehost\n',
        'search example.org\nnameserver 10.0.0.1\noptions rotate\n',
      ],
    )
  })

  it('--uts host: no name is set', () => {
    const host = spec('--uts host')
    assert.equal(host.hostname, undefined)
    assert.ok(host.process.env.includes('HOSTNAME=thehost'))
  })

  it('--pid host and --ipc host', () => {
    assert.deepEqual(namespacesOf('--pid host --ipc host'), ['mount', 'network', 'uts'])
    assert.deepEqual(mountAt('/dev/shm', '--ipc host'), {
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['rbind', 'rprivate'],
    })
  })

  it('--ipc none: no shared memory', () => assert.equal(mountAt('/dev/shm', '--ipc none'), undefined))

  it('--ipc shareable: shared memory is mounted where others can take it from', () => {
    const { spec: shareable, sharedMemory } = configure('--ipc shareable --shm-size 1m')
    const { source } = shareable.mounts.find(({ destination }) => destination === '/dev/shm')!
    assert.equal(source, `${directory}/shm`)
    assert.deepEqual(sharedMemory, { path: source, sizeBytes: 1024 ** 2 })
    assert.equal(configure('').sharedMemory, undefined)
  })

  it('--cgroupns', () => {
    assert.equal(namespacesOf('--cgroupns private').at(-1), 'cgroup')
    assert.ok(!namespacesOf('--cgroupns host', { facts: unifiedHost }).includes('cgroup'))
  })

  it('--shm-size', () => {
    assert.ok(mountAt('/dev/shm', '--shm-size 1m')?.options?.includes('size=1048576'))
    assert.ok(mountAt('/dev/shm', '--shm-size 0')?.options?.includes('size=67108864'))
  })

  it('--read-only: the root and the files of the network', () => {
    assert.equal(spec('--read-only').root.readonly, true)
    assert.deepEqual(mountAt('/etc/hosts', '--read-only')?.options, ['rbind', 'ro', 'rprivate'])
  })

  it('--cap-add, --cap-drop, and with them the policy of system calls', () => {
    const { process } = spec('--cap-drop ALL --cap-add net_admin')
    assert.deepEqual(process.capabilities.permitted, ['CAP_NET_ADMIN'])
    const names = (line: string) => spec(line).linux.seccomp!.syscalls!.flatMap(rule => rule.names)
    assert.ok(!names('').includes('mount'))
    assert.ok(names('--cap-add SYS_ADMIN').includes('mount'))
  })

  it('--privileged: all power, all devices, nothing covered or read-only', () => {
    const { process, linux, mounts } = spec('--privileged --cap-drop CHOWN')
    assert.equal(process.capabilities.bounding.length, 41)
    assert.equal(linux.seccomp, undefined)
    assert.deepEqual([linux.maskedPaths, linux.readonlyPaths], [[], []])
    assert.deepEqual(linux.resources?.devices, [{ allow: true, access: 'rwm' }])
    for (const { destination, options } of mounts) assert.ok(!options?.includes('ro'), destination)
    assert.ok(linux.devices?.some(({ path }) => path === '/dev/tty'))
  })

  it('--security-opt', () => {
    assert.equal(spec('--security-opt no-new-privileges').process.noNewPrivileges, true)
    assert.equal(spec('--security-opt seccomp=unconfined').linux.seccomp, undefined)
    assert.deepEqual(spec('--security-opt systempaths=unconfined').linux.maskedPaths, [])
  })

  it('--device: a node like the host’s, and a rule that opens it', () => {
    const { devices, resources } = spec('--device /dev/fuse:/dev/f:rw').linux
    assert.deepEqual(devices?.at(-1), {
      path: '/dev/f',
      type: 'c',
      major: 10,
      minor: 229,
      fileMode: 0o660,
      uid: 0,
      gid: 6,
    })
    assert.deepEqual(resources?.devices?.at(-1), {
      allow: true,
      type: 'c',
      major: 10,
      minor: 229,
      access: 'rw',
    })
  })

  it('--device of a directory: all devices in it', () => {
    assert.equal(spec('--device /dev/cpu').linux.devices?.at(-1)?.path, '/dev/cpu/0')
    assert.throws(() => spec('--device /dev/nothing'), /no such file or directory/)
    assert.throws(() => spec('--device /etc/hosts'), /not a device/)
  })

  it('--device-cgroup-rule', () => {
    const { spec: ruled } = configure(['--device-cgroup-rule', 'b 7:* rw'])
    assert.deepEqual(ruled.linux.resources?.devices?.at(-1), {
      allow: true,
      type: 'b',
      major: 7,
      minor: undefined,
      access: 'rw',
    })
  })

  it('--ulimit and --oom-score-adj', () => {
    const { rlimits, oomScoreAdj } = spec('--ulimit nofile=10:20 --ulimit core=-1 --oom-score-adj 7').process
    assert.deepEqual(rlimits, [
      { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 },
      { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
    ])
    assert.equal(oomScoreAdj, 7)
  })

  it('--sysctl: over what a network of its own begins with', () => {
    const { sysctl } = spec(
      '--sysctl net.ipv4.ip_unprivileged_port_start=1024 --sysctl kernel.msgmax=1',
    ).linux
    assert.equal(sysctl?.['net.ipv4.ip_unprivileged_port_start'], '1024')
    assert.equal(sysctl?.['kernel.msgmax'], '1')
    assert.throws(() => spec('--sysctl net.core.somaxconn=5 --network host'), /net.core.somaxconn/)
    assert.throws(() => spec('--sysctl kernel.msgmax=5 --ipc host'), /kernel.msgmax/)
    assert.throws(() => spec('--sysctl vm.swappiness=5'), /whole machine/)
  })

  it('--init, --label, --annotation, --stop-signal', () => {
    const { spec: made, record } = configure(
      '--init --label a=b --annotation x=y --stop-signal INT --stop-timeout 3',
      {
        config: { Cmd: ['bash'], Labels: { a: 'image', c: 'd' }, StopSignal: 'SIGQUIT' },
      },
    )
    assert.equal(made.annotations['minictr.init'], 'true')
    assert.equal(made.annotations.x, 'y')
    assert.deepEqual(record.labels, { a: 'b', c: 'd' })
    assert.equal(record.stopSignal, 'INT')
    assert.equal(record.stopTimeoutSeconds, 3)
    assert.throws(() => spec('--stop-signal FOO'), { message: 'Invalid signal: FOO' })
  })
})

describe('limits', () => {
  const resources = (line: string) => spec(line).linux.resources!

  it('of memory: as much swap again, unless something is said', () => {
    assert.deepEqual(resources('-m 64m').memory, { limit: 67_108_864, swap: 134_217_728 })
    assert.deepEqual(resources('-m 64m --memory-swap 64m').memory, { limit: 67_108_864, swap: 67_108_864 })
    assert.deepEqual(resources('-m 64m --memory-swap -1').memory, { limit: 67_108_864 })
    assert.deepEqual(resources('--memory-swappiness 0 --oom-kill-disable').memory, {
      swappiness: 0,
      disableOOMKiller: true,
    })
  })

  it('of processors', () => {
    assert.deepEqual(resources('--cpus 0.5 -c 100').cpu, { shares: 100, quota: 50_000, period: 100_000 })
    assert.deepEqual(resources('--cpu-quota 2000 --cpuset-cpus 0,2-3 --cpuset-mems 0').cpu, {
      quota: 2000,
      cpus: '0,2-3',
      mems: '0',
    })
  })

  it('of processes and block devices', () => {
    assert.deepEqual(resources('--pids-limit 9').pids, { limit: 9 })
    assert.equal(resources('--pids-limit -1').pids, undefined)
    assert.deepEqual(resources('--blkio-weight 300').blockIO, { weight: 300 })
  })

  it('that this host cannot set are left out with a warning, where Docker does so', () => {
    const { blockWeightFile: _, ...facts } = unifiedHost
    const { spec: bare, warnings } = configure('--blkio-weight 300 -m 64m', {
      facts: { ...facts, swapLimit: false },
    })
    assert.equal(bare.linux.resources?.blockIO, undefined)
    assert.deepEqual(bare.linux.resources?.memory, { limit: 67_108_864 })
    assert.equal(warnings.length, 2)
  })

  it('that cgroup v2 has no file for are left out with Docker’s warnings', () => {
    const line = '-m 64m --memory-swappiness 5 --oom-kill-disable'
    const { spec: made, warnings } = configure(line, { facts: unifiedHost })
    assert.deepEqual(made.linux.resources?.memory, { limit: 67_108_864, swap: 134_217_728 })
    assert.deepEqual(warnings, [
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
      'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    ])
  })

  const impossible: [line: string, message: string][] = [
    ['--cpus 5', 'Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    ['--cpus 0.001', 'Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    ['--cpuset-cpus 9', 'Requested CPUs are not available - requested 9, available: 0-3'],
    ['--cpuset-cpus x', 'Invalid value x for cpuset cpus: invalid format: x'],
    ['--cpuset-cpus 3-1', 'Invalid value 3-1 for cpuset cpus: invalid format: 3-1'],
    ['--cpuset-mems 1', 'Requested memory nodes are not available - requested 1, available: 0'],
  ]
  for (const [line, message] of impossible) {
    it(`${line}: ${message}`, () => assert.throws(() => spec(line), { message }))
  }
})

describe('another container’s namespaces', () => {
  const shm = { destination: '/dev/shm', type: 'bind', source: '/run/minictr/OTHER/shm' }
  const hosts = { destination: '/etc/hosts', type: 'bind', source: '/containers/OTHER/hosts' }
  const other = { ...spec(''), hostname: 'other', mounts: [shm, hosts] }
  const findRunning = (name: string) => {
    if (name === 'other') return { id: 'other-id', pid: 42, spec: other }
    throw new MinictrError(`No such container: ${name}`)
  }

  it('are joined through its process', () => {
    assert.deepEqual(namespacesOf('--pid container:other --ipc container:other', { findRunning }), [
      'mount',
      'network',
      'uts',
      'pid of /proc/42/ns/pid',
      'ipc of /proc/42/ns/ipc',
    ])
    assert.equal(mountAt('/dev/shm', '--ipc container:other', { findRunning })?.source, shm.source)
  })

  it('of the network come with its name and files', () => {
    const { spec: joined, files } = configure('--network container:other', { findRunning })
    assert.deepEqual(joined.linux.namespaces[1], { type: 'network', path: '/proc/42/ns/net' })
    assert.equal(joined.hostname, 'other')
    assert.equal(joined.linux.sysctl, undefined)
    assert.equal(
      joined.mounts.find(({ destination }) => destination === '/etc/resolv.conf')?.source,
      '/containers/OTHER/resolv.conf',
    )
    assert.deepEqual(files(), [])
  })

  it('of IPC must be meant to be shared', () => {
    const alone = { ...other, mounts: [{ destination: '/dev/shm', type: 'tmpfs' }] }
    assert.throws(() => spec('--ipc container:a', { findRunning: () => ({ id, pid: 1, spec: alone }) }), {
      message: "can't join IPC of container a: non-shareable IPC",
    })
  })

  it('must exist', () => {
    assert.throws(() => spec('--pid container:nobody', { findRunning }), /No such container: nobody/)
  })
})

describe('mapped users', () => {
  const host = fakeHost({
    '/etc/subuid': 'ann:100000:65536\nann:300000:10\nbob:200000:65536\n',
    '/etc/subgid': 'ann:100000:65536\nstaff:500000:65536\n',
  })

  it('come from /etc/subuid and /etc/subgid, ranges laid end to end', () => {
    const { linux } = spec('--userns-remap ann', { host })
    assert.deepEqual(linux.uidMappings, [
      { containerID: 0, hostID: 100_000, size: 65_536 },
      { containerID: 65_536, hostID: 300_000, size: 10 },
    ])
    assert.deepEqual(linux.gidMappings, [{ containerID: 0, hostID: 100_000, size: 65_536 }])
    assert.deepEqual(linux.namespaces[1], { type: 'user' })
    assert.equal(linux.sysctl?.['net.ipv4.ping_group_range'], undefined)
  })

  it('may have a group of another name', () => {
    const { linux } = spec('--userns-remap bob:staff', { host })
    assert.equal(linux.gidMappings?.[0]?.hostID, 500_000)
    assert.throws(() => spec('--userns-remap bob', { host }), /\/etc\/subgid has no range for "bob"/)
  })

  it('auto takes a range that nobody has', () => {
    assert.equal(spec('--userns-remap auto', { host }).linux.uidMappings?.[0]?.hostID, 565_536)
    assert.equal(spec('--userns-remap auto').linux.uidMappings?.[0]?.hostID, 524_288)
    const crowded = fakeHost({ '/etc/subuid': 'ann:524000:65536\nbob:600000:10\n' })
    assert.equal(spec('--userns-remap auto', { host: crowded }).linux.uidMappings?.[0]?.hostID, 600_010)
    const own = fakeHost({ '/etc/subuid': 'minictr:7000:100\n', '/etc/subgid': 'minictr:8000:100\n' })
    assert.equal(spec('--userns-remap auto', { host: own }).linux.gidMappings?.[0]?.hostID, 8000)
  })

  it('may be the rule of the configuration file, which --userns host leaves', () => {
    assert.ok(spec('', { host, usernsRemap: 'ann' }).linux.uidMappings)
    assert.equal(spec('--userns host', { host, usernsRemap: 'ann' }).linux.uidMappings, undefined)
  })

  for (const line of ['--privileged', '--network host', '--pid host']) {
    it(`do not go with ${line}`, () => {
      assert.throws(() => spec(`--userns-remap ann ${line}`, { host }), MinictrError)
    })
  }
})
