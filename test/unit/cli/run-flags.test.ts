// The flags of `run`: each one's effect on the options, and the words of its errors, as Docker has them.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseRun, runFlags } from '../../../src/cli/run-flags.ts'
import { defaultOptions, type RunOptions } from '../../../src/containers/options.ts'
import { MinictrError } from '../../../src/system/error.ts'

const GIB = 1024 ** 3

function options(...args: string[]): RunOptions {
  const parsed = parseRun([...args, 'image'])
  assert.notEqual(parsed, 'help')
  return parsed as RunOptions
}

/** A line and the options it changes. */
const effects: [line: string, changed: Partial<RunOptions>][] = [
  ['-i', { interactive: true }],
  ['-t', { tty: true }],
  ['--interactive=false', { interactive: false }],
  ['--rm', { remove: true }],
  ['--name web', { name: 'web' }],
  ['--cidfile /tmp/id', { cidFile: '/tmp/id' }],
  ['--pull always', { pull: 'always' }],
  ['--pull=never -q', { pull: 'never', quiet: true }],
  ['--platform linux/arm64', { platform: 'linux/arm64' }],
  ['--label a=b -l c --label a=d', { labels: { a: 'd', c: '' } }],
  ['--annotation a=b', { annotations: { a: 'b' } }],
  ['--sig-proxy=false', { signalProxy: false }],
  ['--stop-signal SIGINT --stop-timeout 3', { stopSignal: 'SIGINT', stopTimeoutSeconds: 3 }],
  ['-e A=1 --env B=', { environment: ['A=1', 'B='] }],
  ['-e MINICTR_TEST_UNSET', { environment: ['MINICTR_TEST_UNSET'] }],
  ['-e MINICTR_TEST_SET', { environment: ['MINICTR_TEST_SET=from here'] }],
  ['-w /srv', { workingDirectory: '/srv' }],
  ['-u daemon:adm --group-add 5 --group-add audio', { user: 'daemon:adm', additionalGroups: ['5', 'audio'] }],
  ['--entrypoint sh', { entrypoint: ['sh'] }],
  ['--entrypoint=', { entrypoint: [] }],
  ['--init', { init: true }],
  ['--name web --name=', {}],
  [
    '--ulimit nofile=10:20 --ulimit core=-1 --ulimit nproc=5',
    {
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'core', soft: -1, hard: -1 },
        { name: 'nproc', soft: 5, hard: 5 },
      ],
    },
  ],
  ['--ulimit nofile=5:-1', { ulimits: [{ name: 'nofile', soft: 5, hard: -1 }] }],
  ['--oom-score-adj -500', { oomScoreAdjustment: -500 }],
  ['-h web --domainname example.org', { hostname: 'web', domainname: 'example.org' }],
  ['--network host', { network: 'host', networks: [] }],
  ['--net none', { network: 'none', networks: [] }],
  ['--network container:web', { network: { container: 'web' }, networks: [] }],
  ['--network web', { networks: [{ name: 'web', aliases: [] }] }],
  ['-p 8080:80', { publishedPorts: [{ port: 80, protocol: 'tcp', hostPorts: { first: 8080, last: 8080 } }] }],
  [
    '--add-host a:1.2.3.4 --add-host b=5.6.7.8 --add-host c:::1 --add-host d=[fe80::2]',
    {
      extraHosts: [
        { name: 'a', address: '1.2.3.4' },
        { name: 'b', address: '5.6.7.8' },
        { name: 'c', address: '::1' },
        { name: 'd', address: 'fe80::2' },
      ],
    },
  ],
  [
    '--dns 1.1.1.1 --dns ::1 --dns-search a.b --dns-search . --dns-option ndots:2 --dns-opt rotate',
    { dnsServers: ['1.1.1.1', '::1'], dnsSearch: ['a.b', '.'], dnsOptions: ['ndots:2', 'rotate'] },
  ],
  ['--sysctl net.core.somaxconn=5', { sysctls: { 'net.core.somaxconn': '5' } }],
  ['--read-only', { isRootReadOnly: true }],
  ['--shm-size 1g', { shmSizeBytes: GIB }],
  ['--privileged', { privileged: true }],
  ['--cap-add net_admin --cap-drop ALL', { capabilitiesToAdd: ['net_admin'], capabilitiesToDrop: ['ALL'] }],
  ['--security-opt no-new-privileges', { noNewPrivileges: true }],
  ['--security-opt no-new-privileges:true', { noNewPrivileges: true }],
  ['--security-opt no-new-privileges=false', { noNewPrivileges: false }],
  ['--security-opt seccomp=unconfined', { seccomp: 'unconfined' }],
  ['--security-opt seccomp:unconfined', { seccomp: 'unconfined' }],
  ['--security-opt systempaths=unconfined', { systemPathsUnconfined: true }],
  ['--security-opt apparmor=unconfined --security-opt label=disable', {}],
  ['--device /dev/fuse', { devices: [{ source: '/dev/fuse', target: '/dev/fuse', access: 'rwm' }] }],
  ['--device /dev/fuse:r', { devices: [{ source: '/dev/fuse', target: '/dev/fuse', access: 'r' }] }],
  [
    '--device /dev/sda:/dev/xvda:rw',
    { devices: [{ source: '/dev/sda', target: '/dev/xvda', access: 'rw' }] },
  ],
  ['--restart on-failure:3', { restart: { name: 'on-failure', maximumRetryCount: 3 } }],
  ['--restart=', {}],
  ['--rm --restart no', { remove: true }],
  [
    '--health-cmd true --health-interval 1m30s --health-timeout 1.5s --health-retries 5 --health-start-period 1h --health-start-interval 100ms',
    {
      health: {
        isDisabled: false,
        command: 'true',
        intervalMs: 90_000,
        timeoutMs: 1500,
        retries: 5,
        startPeriodMs: 3_600_000,
        startIntervalMs: 100,
      },
    },
  ],
  ['--no-healthcheck', { health: { isDisabled: true } }],
  ['--log-driver none', { log: { driver: 'none' } }],
  [
    '--log-driver=json-file --log-opt max-size=10m --log-opt max-file=3',
    { log: { driver: 'json-file', maxBytes: 10_000_000, maxFiles: 3 } },
  ],
  ['--log-opt max-size=1.5KiB', { log: { maxBytes: 1500 } }],
  ['--log-opt max-size=-1', {}],
  [
    '--userns-remap auto --step --timing --trace /tmp/t.json',
    { usernsRemap: 'auto', step: true, timing: true, traceFile: '/tmp/t.json' },
  ],
]

describe('a flag of run', () => {
  before(() => {
    process.env.MINICTR_TEST_SET = 'from here'
    delete process.env.MINICTR_TEST_UNSET
  })
  after(() => {
    delete process.env.MINICTR_TEST_SET
  })

  for (const [line, changed] of effects) {
    it(line, () => {
      const networks = [{ name: 'bridge', aliases: [] }]
      const plain = { ...defaultOptions(), image: 'image', networks }
      assert.deepEqual(options(...line.split(' ')), { ...plain, ...changed })
    })
  }

  it('--device-cgroup-rule', () => {
    assert.deepEqual(options('--device-cgroup-rule', 'c 7:* rmw').deviceCgroupRules, [
      { type: 'c', major: 7, minor: undefined, access: 'rmw' },
    ])
  })
})

describe('a namespace flag', () => {
  const own = defaultOptions().namespaces
  const modes: [line: string, changed: Partial<RunOptions['namespaces']>][] = [
    ['--pid host', { pid: 'host' }],
    ['--pid=', {}],
    ['--pid container:a', { pid: { container: 'a' } }],
    ['--ipc none', { ipc: 'none' }],
    ['--ipc shareable', { ipc: 'shareable' }],
    ['--ipc private', { ipc: 'private' }],
    ['--ipc host', { ipc: 'host' }],
    ['--ipc container:a', { ipc: { container: 'a' } }],
    ['--uts host', { uts: 'host' }],
    ['--cgroupns private', { cgroup: 'private' }],
    ['--cgroupns host', { cgroup: 'host' }],
    ['--userns host', { user: 'host' }],
  ]
  for (const [line, changed] of modes) {
    it(line, () => assert.deepEqual(options(...line.split(' ')).namespaces, { ...own, ...changed }))
  }
})

describe('a limit', () => {
  const limits: [line: string, changed: Partial<RunOptions['resources']>][] = [
    ['-m 64m', { memoryBytes: 64 * 1024 ** 2 }],
    ['--memory 1.5g', { memoryBytes: 1.5 * GIB }],
    ['-m1GiB', { memoryBytes: GIB }],
    ['-m 10000000', { memoryBytes: 10_000_000 }],
    ['-m 10000000b', { memoryBytes: 10_000_000 }],
    ['-m 0', {}],
    ['-m 1g --memory-swap 2g', { memoryBytes: GIB, memorySwapBytes: 2 * GIB }],
    ['-m 1g --memory-swap -1', { memoryBytes: GIB, memorySwapBytes: -1 }],
    ['-m 1g --memory-reservation 512m', { memoryBytes: GIB, memoryReservationBytes: GIB / 2 }],
    ['--memory-swappiness 0', { memorySwappiness: 0 }],
    ['--memory-swappiness -1', {}],
    ['--oom-kill-disable', { disablesOomKiller: true }],
    ['--cpus 1.5', { nanoCpus: 1_500_000_000 }],
    ['--cpus .000000001', { nanoCpus: 1 }],
    ['--cpus 2', { nanoCpus: 2_000_000_000 }],
    ['-c 512', { cpuShares: 512 }],
    ['--cpu-quota 20000 --cpu-period 50000', { cpuQuotaMicroseconds: 20_000, cpuPeriodMicroseconds: 50_000 }],
    ['--cpuset-cpus 0-1 --cpuset-mems 0', { cpusetCpus: '0-1', cpusetMems: '0' }],
    ['--pids-limit 50', { pidsLimit: 50 }],
    ['--pids-limit -1', { pidsLimit: -1 }],
    ['--blkio-weight 300', { blockIoWeight: 300 }],
  ]
  for (const [line, changed] of limits) {
    it(line, () => {
      const { resources } = options(...line.split(' '))
      const given = Object.fromEntries(Object.entries(resources).filter(([, value]) => value !== undefined))
      assert.deepEqual(given, { disablesOomKiller: false, ...changed })
    })
  }
})

describe('a mount', () => {
  const here = process.cwd()
  const bind = {
    type: 'bind',
    isReadOnly: false,
    createsSource: true,
    isRecursive: true,
    propagation: undefined,
  }
  const mounts: [args: string[], mount: object][] = [
    [['-v', '/a:/b'], { ...bind, source: '/a', target: '/b' }],
    [['-v', '/a:/b', '-v', '/a:/b'], { ...bind, source: '/a', target: '/b' }],
    [['-v', '/a/../c/:/b//d/'], { ...bind, source: '/c', target: '/b/d' }],
    [['-v', './a:/b'], { ...bind, source: join(here, 'a'), target: '/b' }],
    [['-v', '.:/b'], { ...bind, source: here, target: '/b' }],
    [['-v', '/a:/b:ro'], { ...bind, source: '/a', target: '/b', isReadOnly: true }],
    [
      ['-v', '/a:/b:ro,rshared'],
      { ...bind, source: '/a', target: '/b', isReadOnly: true, propagation: 'rshared' },
    ],
    [['-v', '/a:/b:z'], { ...bind, source: '/a', target: '/b' }],
    [['-v', '/data'], { type: 'volume', target: '/data', isReadOnly: false, copiesContent: true }],
    [
      ['--mount', 'type=bind,src=/a,dst=/b,readonly,bind-propagation=slave,bind-nonrecursive'],
      {
        type: 'bind',
        source: '/a',
        target: '/b',
        isReadOnly: true,
        createsSource: false,
        isRecursive: false,
        propagation: 'slave',
      },
    ],
    [
      ['--mount', 'type=bind,source=./a,destination=/b,ro=false'],
      { ...bind, createsSource: false, source: join(here, 'a'), target: '/b' },
    ],
    [
      ['--mount', 'type=bind,"source=/with,comma",target=/b'],
      { ...bind, createsSource: false, source: '/with,comma', target: '/b' },
    ],
    [
      ['--mount', 'type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770'],
      { type: 'tmpfs', target: '/t', isReadOnly: false, options: ['size=1048576', 'mode=1770'] },
    ],
    [
      ['--mount', 'target=/v,volume-nocopy'],
      { type: 'volume', target: '/v', isReadOnly: false, copiesContent: false },
    ],
    [
      ['-v', 'data:/v:ro,nocopy'],
      { type: 'volume', name: 'data', target: '/v', isReadOnly: true, copiesContent: false },
    ],
    [
      [
        '--mount',
        'src=data,dst=/v,volume-label=a=b,volume-label=c,volume-opt=type=tmpfs,volume-driver=local',
      ],
      {
        type: 'volume',
        name: 'data',
        target: '/v',
        isReadOnly: false,
        copiesContent: true,
        labels: { a: 'b', c: '' },
        driverOptions: { type: 'tmpfs' },
      },
    ],
    [['--tmpfs', '/t'], { type: 'tmpfs', target: '/t', isReadOnly: false, options: [] }],
    [
      ['--tmpfs', '/t:ro', '--tmpfs', '/t:size=1m'],
      { type: 'tmpfs', target: '/t', isReadOnly: false, options: ['size=1m'] },
    ],
    [
      ['--tmpfs', '/t:size=64m,mode=700,exec'],
      { type: 'tmpfs', target: '/t', isReadOnly: false, options: ['size=64m', 'mode=700', 'exec'] },
    ],
  ]
  for (const [args, mount] of mounts) {
    it(args.join(' '), () => assert.deepEqual(options(...args).mounts, [mount]))
  }
})

/** A line and the message Docker's command line or daemon gives for it. */
const mistakes: [args: string[], message: string][] = [
  [['-m', 'abc'], 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
  [['-m', '-5'], 'invalid argument "-5" for "-m, --memory" flag: invalid size: \'-5\''],
  [['-m', '1m'], 'Minimum memory limit allowed is 6MB'],
  [['--memory-swap', '1g'], 'You should always set the Memory limit when using Memoryswap limit, see usage'],
  [
    ['-m', '2g', '--memory-swap', '1g'],
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  ],
  [
    ['-m', '1g', '--memory-reservation', '2g'],
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [['--memory-reservation', '1m'], 'Minimum memory reservation allowed is 6MB'],
  [['--cpus', 'abc'], 'invalid argument "abc" for "--cpus" flag: failed to parse abc as a rational number'],
  [['--cpus', '0.0000000001'], 'invalid argument "0.0000000001" for "--cpus" flag: value is too precise'],
  [['--cpus', '1', '--cpu-quota', '5000'], 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
  [
    ['--cpu-period', '1'],
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  ],
  [['--cpu-quota', '5'], 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [['--cpu-shares', 'x'], 'invalid argument "x" for "-c, --cpu-shares" flag: parsing "x": invalid syntax'],
  [['--cpu-shares', '1'], 'the minimum allowed cpu-shares is 2'],
  [['--pids-limit', '1.5'], 'invalid argument "1.5" for "--pids-limit" flag: parsing "1.5": invalid syntax'],
  [['--blkio-weight', '5'], 'Range of blkio weight is from 10 to 1000'],
  [
    ['--blkio-weight', '99999'],
    'invalid argument "99999" for "--blkio-weight" flag: parsing "99999": value out of range',
  ],
  [
    ['--memory-swappiness', '101'],
    'invalid argument "101" for "--memory-swappiness" flag: invalid value: 101. Valid memory swappiness range is 0-100',
  ],
  [
    ['--oom-score-adj', '1001'],
    'invalid argument "1001" for "--oom-score-adj" flag: Invalid value 1001, range for oom score adj is [-1000, 1000]',
  ],
  [['--ulimit', 'nofile'], 'invalid argument "nofile" for "--ulimit" flag: invalid ulimit argument: nofile'],
  [['--ulimit', 'foo=1'], 'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo'],
  [
    ['--ulimit', 'nofile=5:3'],
    'invalid argument "nofile=5:3" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: 5 > 3',
  ],
  [
    ['--ulimit', 'nofile=1:2:3'],
    'invalid argument "nofile=1:2:3" for "--ulimit" flag: too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`',
  ],
  [['--rm', '--restart', 'always'], 'conflicting options: cannot specify both --restart and --rm'],
  [['--restart', 'always:x'], 'invalid restart policy format: maximum retry count must be an integer'],
  [
    ['--health-interval', '5'],
    'invalid argument "5" for "--health-interval" flag: time: missing unit in duration "5"',
  ],
  [
    ['--health-timeout', '1d'],
    'invalid argument "1d" for "--health-timeout" flag: time: unknown unit "d" in duration "1d"',
  ],
  [
    ['--health-start-period', 'soon'],
    'invalid argument "soon" for "--health-start-period" flag: time: invalid duration "soon"',
  ],
  [
    ['--health-retries', 'x'],
    'invalid argument "x" for "--health-retries" flag: parsing "x": invalid syntax',
  ],
  [['--health-retries', '-1'], '--health-retries cannot be negative'],
  [['--health-interval', '-1s'], '--health-interval cannot be negative'],
  [['--health-start-interval', '10us'], 'StartInterval in Healthcheck cannot be less than 1ms'],
  [['--no-healthcheck', '--health-cmd', 'true'], '--no-healthcheck conflicts with --health-* options'],
  [['-e', '=x'], 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
  [['--env-file', '/nonexistent'], 'open /nonexistent: no such file or directory'],
  [['--label', '=x'], 'invalid argument "=x" for "-l, --label" flag: invalid label \'=x\': empty name'],
  [['--add-host', 'foo'], 'invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"'],
  [
    ['--add-host', 'foo:bar'],
    'invalid argument "foo:bar" for "--add-host" flag: invalid IP address in add-host: "bar"',
  ],
  [['--dns', 'foo'], 'invalid argument "foo" for "--dns" flag: IP address is not correctly formatted: foo'],
  [
    ['--dns-search', 'foo..bar'],
    'invalid argument "foo..bar" for "--dns-search" flag: foo..bar is not a valid domain',
  ],
  [
    ['-v', '/a:/b:foo'],
    'invalid argument "/a:/b:foo" for "-v, --volume" flag: invalid volume specification: \'/a:/b:foo\': invalid mode: foo',
  ],
  [
    ['-v', '/a:/b:ro:z'],
    'invalid argument "/a:/b:ro:z" for "-v, --volume" flag: invalid spec: /a:/b:ro:z: too many colons',
  ],
  [
    ['-v', '/a:/'],
    "invalid argument \"/a:/\" for \"-v, --volume\" flag: invalid volume specification: '/a:/': invalid specification: destination can't be '/'",
  ],
  [
    ['-v', '/a:b'],
    'invalid argument "/a:b" for "-v, --volume" flag: invalid volume specification: \'/a:b\': invalid mount path: \'b\' mount path must be absolute',
  ],
  [
    ['-v', 'data:/b:rslave'],
    'invalid argument "data:/b:rslave" for "-v, --volume" flag: invalid volume specification: \'data:/b:rslave\': invalid mode: rslave',
  ],
  [
    ['-v', '/a:/b:nocopy'],
    'invalid argument "/a:/b:nocopy" for "-v, --volume" flag: invalid volume specification: \'/a:/b:nocopy\': invalid mode: nocopy',
  ],
  [
    ['-v', 'd:/b'],
    'invalid argument "d:/b" for "-v, --volume" flag: create d: volume name is too short, names should be at least two alphanumeric characters',
  ],
  [
    ['-v', `${'d'.repeat(256)}:/b`],
    `invalid argument "${'d'.repeat(256)}:/b" for "-v, --volume" flag: create ${'d'.repeat(256)}: volume name is too long, at most 255 characters are allowed`,
  ],
  [
    ['-v', 'a b:/b'],
    'invalid argument "a b:/b" for "-v, --volume" flag: create a b: "a b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  [
    ['--volumes-from', ''],
    'invalid argument "" for "--volumes-from" flag: volumes-from specification cannot be an empty string',
  ],
  [
    ['--volumes-from', 'a:nocopy'],
    'invalid argument "a:nocopy" for "--volumes-from" flag: invalid mode: nocopy',
  ],
  [['-v', '/a:/x', '-v', '/b:/x'], 'Duplicate mount point: /x'],
  [['-v', '/a:/x', '--tmpfs', '/x'], 'Duplicate mount point: /x'],
  [['--mount', 'type=tmpfs,target=/x', '--tmpfs', '/x'], 'Duplicate mount point: /x'],
  [
    ['--mount', 'foo'],
    'invalid argument "foo" for "--mount" flag: invalid field \'foo\' must be a key=value pair',
  ],
  [['--mount', 'type=bind'], 'invalid argument "type=bind" for "--mount" flag: target is required'],
  [
    ['--mount', 'type=bind,target=/x'],
    'invalid argument "type=bind,target=/x" for "--mount" flag: invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    ['--mount', 'type=bind,src=a,target=/x'],
    'invalid argument "type=bind,src=a,target=/x" for "--mount" flag: invalid mount config for type "bind": invalid mount path: \'a\' mount path must be absolute',
  ],
  [
    ['--mount', 'type=foo,target=/x'],
    'invalid argument "type=foo,target=/x" for "--mount" flag: invalid mount config for type "foo": mount type unknown',
  ],
  [
    ['--mount', 'type=tmpfs,target=/x,src=/a'],
    'invalid argument "type=tmpfs,target=/x,src=/a" for "--mount" flag: invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [
    ['--mount', 'type=bind,src=/a,target=/x,tmpfs-size=1m'],
    'invalid argument "type=bind,src=/a,target=/x,tmpfs-size=1m" for "--mount" flag: cannot mix \'tmpfs-*\' options with mount type \'bind\'',
  ],
  [
    ['--mount', 'type=tmpfs,target=/x,tmpfs-mode=9'],
    'invalid argument "type=tmpfs,target=/x,tmpfs-mode=9" for "--mount" flag: invalid value for tmpfs-mode: 9',
  ],
  [
    ['--mount', 'type=bind,src=/a,target=/x,foo=1'],
    'invalid argument "type=bind,src=/a,target=/x,foo=1" for "--mount" flag: unexpected key \'foo\' in \'foo=1\'',
  ],
  [
    ['--mount', 'src=data,target=/x,volume-driver=nfs'],
    'invalid argument "src=data,target=/x,volume-driver=nfs" for "--mount" flag: error looking up volume plugin nfs: plugin "nfs" not found',
  ],
  [
    ['--mount', 'type=bind,src=/a,target=/x,volume-label=a'],
    'invalid argument "type=bind,src=/a,target=/x,volume-label=a" for "--mount" flag: cannot mix \'volume-*\' options with mount type \'bind\'',
  ],
  [
    ['--tmpfs', 'foo'],
    'invalid argument "foo" for "--tmpfs" flag: invalid mount path: \'foo\' mount path must be absolute',
  ],
  [['--tmpfs', '/x:foo'], 'invalid argument "/x:foo" for "--tmpfs" flag: invalid tmpfs option "foo"'],
  [['--device', 'foo'], 'invalid argument "foo" for "--device" flag: foo is not an absolute path'],
  [
    ['--device', '/dev/null:/x:q'],
    'invalid argument "/dev/null:/x:q" for "--device" flag: bad mode specified: q',
  ],
  [['--device', 'a:b:c:d'], 'invalid argument "a:b:c:d" for "--device" flag: bad format for path: a:b:c:d'],
  [['--sysctl', 'foo'], 'invalid argument "foo" for "--sysctl" flag: sysctl \'foo\' is not allowed'],
  [
    ['--security-opt', 'foo'],
    'invalid argument "foo" for "--security-opt" flag: Invalid --security-opt: "foo"',
  ],
  [
    ['--security-opt', 'seccomp=/nonexistent'],
    'invalid argument "seccomp=/nonexistent" for "--security-opt" flag: opening seccomp profile (/nonexistent) failed: open /nonexistent: no such file or directory',
  ],
  [
    ['--security-opt', 'apparmor=mine'],
    'invalid argument "apparmor=mine" for "--security-opt" flag: minictr has no AppArmor profiles yet: mine',
  ],
  [['--pid', 'x'], 'invalid argument "x" for "--pid" flag: --pid: invalid PID mode'],
  [['--pid', 'container:'], 'invalid argument "container:" for "--pid" flag: --pid: invalid PID mode'],
  [['--uts', 'container:a'], 'invalid argument "container:a" for "--uts" flag: --uts: invalid UTS mode'],
  [['--userns', 'x'], 'invalid argument "x" for "--userns" flag: --userns: invalid USER mode'],
  [['--cgroupns', 'x'], 'invalid argument "x" for "--cgroupns" flag: --cgroupns: invalid CGROUP mode'],
  [['--network', 'container:'], 'Invalid network mode: invalid container format container:<name|id>'],
  [['--network', 'container:x', '-h', 'a'], 'conflicting options: hostname and the network mode'],
  [['--network', 'container:x', '--dns', '1.1.1.1'], 'conflicting options: dns and the network mode'],
  [
    ['--network', 'container:x', '--add-host', 'a:1.2.3.4'],
    'conflicting options: custom host-to-IP mapping and the network mode',
  ],
  [['--uts', 'host', '-h', 'a'], 'conflicting options: hostname and the UTS mode'],
  [['--name', 'a b'], 'Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
  [
    ['--name', 'n'.repeat(256)],
    `Invalid container name (${'n'.repeat(256)}), at most 255 characters are allowed`,
  ],
  [['--name', 'x'], 'Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
  [['-w', 'foo'], "the working directory 'foo' is invalid, it needs to be an absolute path"],
  [
    ['--pull', 'foo'],
    'invalid argument "foo" for "--pull" flag: invalid pull option: \'foo\': must be one of "always", "missing" or "never"',
  ],
]

describe('a mistake in run', () => {
  for (const [args, message] of mistakes) {
    it(`${args.join(' ')}: ${message}`, () => {
      assert.throws(
        () => options(...args),
        (error: unknown) => {
          assert.ok(error instanceof MinictrError)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }

  it('is one to leave the image out', () => {
    assert.throws(() => parseRun(['--rm']), {
      message: "'minictr run' requires at least 1 argument",
      exitStatus: 1,
    })
  })
})

describe('what follows the image', () => {
  it('belongs to the command, flags and all', () => {
    const parsed = parseRun(['--rm', 'debian', 'ls', '--help', '-e', '--', '-x'])
    assert.ok(parsed !== 'help')
    assert.equal(parsed.image, 'debian')
    assert.deepEqual(parsed.command, ['ls', '--help', '-e', '--', '-x'])
  })
})

describe('files of variables', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'minictr-flags-'))
  })
  after(() => rmSync(directory, { recursive: true }))

  function file(name: string, text: string | Buffer): string {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  it('are read line by line, by the rules of Docker', () => {
    process.env.MINICTR_TEST_SET = 'from here'
    const path = file(
      'env',
      '\uFEFFA=1\n\n# comment\n  B= spaces stay \nC="quotes stay"\r\nMINICTR_TEST_SET\nMINICTR_TEST_UNSET\nD=a=b\n',
    )
    assert.deepEqual(options('-e', 'Z=1', '--env-file', path).environment, [
      'A=1',
      'B= spaces stay ',
      'C="quotes stay"',
      'MINICTR_TEST_SET=from here',
      'MINICTR_TEST_UNSET',
      'D=a=b',
      'Z=1',
    ])
    delete process.env.MINICTR_TEST_SET
  })

  const broken: [text: string | Buffer, message: RegExp][] = [
    ['A B=1\n', /line 1: poorly formatted environment: variable 'A B' contains whitespaces/],
    ['A=1\n=x\n', /line 2: poorly formatted environment: no variable name on line '=x'/],
    [Buffer.from([0x41, 0x3d, 0xff, 0x0a]), /is not UTF-8/],
  ]
  for (const [text, message] of broken) {
    it(`fail with ${message.source}`, () => {
      assert.throws(() => options('--env-file', file('broken', text)), message)
    })
  }

  it('give labels too, without this host’s values', () => {
    process.env.MINICTR_TEST_SET = 'from here'
    const path = file('labels', 'a=1\nMINICTR_TEST_SET\nb=2\n')
    assert.deepEqual(options('--label', 'b=3', '--label-file', path).labels, {
      a: '1',
      MINICTR_TEST_SET: '',
      b: '3',
    })
    delete process.env.MINICTR_TEST_SET
  })

  it('give a seccomp profile', () => {
    const path = file('profile.json', '{"defaultAction": "SCMP_ACT_ALLOW"}')
    assert.deepEqual(options('--security-opt', `seccomp=${path}`).seccomp, {
      file: path,
      text: '{"defaultAction": "SCMP_ACT_ALLOW"}',
    })
  })
})

describe('the flags of docker run', () => {
  const names = new Set(runFlags.flatMap(({ flags }) => flags.map(({ name }) => name)))
  let dockerHelp: string | undefined
  try {
    dockerHelp = execFileSync('docker', ['run', '--help'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {}

  it('are all known here, if only to be refused', {
    skip: dockerHelp === undefined && 'docker is not installed',
  }, () => {
    const dockers = [...dockerHelp!.matchAll(/^ {2,6}(?:-\w, )?--([a-z0-9-]+)/gm)].map(match => match[1]!)
    assert.ok(dockers.length > 90)
    assert.deepEqual(
      dockers.filter(name => name !== 'help' && !names.has(name)),
      [],
    )
  })

  it('have each one name and one letter', () => {
    const all = runFlags.flatMap(({ flags }) => flags)
    assert.equal(names.size, all.length)
    const letters = all.flatMap(({ short }) => short ?? [])
    assert.equal(new Set(letters).size, letters.length)
  })
})
