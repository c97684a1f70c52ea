// `inspect` of containers: the fields of Docker's answer, read back from what is kept of a container.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileTemplate, toJson } from '../../../src/cli/template.ts'
import type { Condition } from '../../../src/containers/condition.ts'
import { describeContainer } from '../../../src/containers/inspect.ts'
import { describeConfig } from '../../../src/containers/inspect-config.ts'
import { describeNetwork } from '../../../src/containers/inspect-network.ts'
import { describeSettings } from '../../../src/containers/inspect-settings.ts'
import { describeState } from '../../../src/containers/inspect-state.ts'
import type { Container } from '../../../src/containers/state.ts'
import { fields, image, many, plain, privileged } from './docker-inspect.ts'
import { endpoint } from './listed.ts'
import { configure } from './request.ts'

const plainly = (value: unknown) => JSON.parse(toJson(value))

/** A container that these words of a command line make. */
function containerOf(words: string[], change: Partial<Container> = {}): Container {
  const { spec, record } = configure(words, { config: image })
  return { id: 'ab'.repeat(32), name: record.name, record, spec, status: 'created', ...change }
}

describe('HostConfig and Config', () => {
  for (const [name, answer] of Object.entries({ plain, many, privileged })) {
    it(`of a ${name} container are as Docker has them`, () => {
      const container = containerOf(answer.flags)
      const { Runtime, MaskedPaths, ReadonlyPaths, ...settings } = plainly(describeSettings(container))
      assert.equal(Runtime, 'minictr')
      assert.equal(MaskedPaths === null, name === 'privileged')
      assert.equal(ReadonlyPaths === null, name === 'privileged')
      assert.deepEqual(settings, answer.hostConfig)
      const { Hostname, Image, ...config } = plainly(describeConfig(container))
      assert.equal(Image, 'debian:trixie')
      assert.equal(typeof Hostname, 'string')
      assert.deepEqual(config, answer.config)
    })
  }

  const setting = (name: string, ...flags: string[]) => plainly(describeSettings(containerOf(flags)))[name]
  const settings: [flags: string[], name: string, value: unknown][] = [
    [['--cpu-quota', '50000'], 'CpuQuota', 50_000],
    [['--cpu-period', '50000', '--cpu-quota', '25000'], 'CpuPeriod', 50_000],
    [['--cpu-period', '50000', '--cpu-quota', '25000'], 'NanoCpus', 0],
    [['-m', '64m', '--memory-swap', '-1'], 'MemorySwap', -1],
    [['-m', '64m', '--memory-swap', '100m'], 'MemorySwap', 100 * 1024 ** 2],
    [['--cap-add', 'all'], 'CapAdd', ['ALL']],
    [['--rm'], 'AutoRemove', true],
    [['--ipc', 'host'], 'IpcMode', 'host'],
    [['--cgroupns', 'private'], 'CgroupnsMode', 'private'],
    [['-v', '/tmp:/t:ro,rslave'], 'Binds', ['/tmp:/t:ro,rslave']],
    [['-v', '/t'], 'Binds', null],
    [['--cidfile', '/tmp/c'], 'ContainerIDFile', '/tmp/c'],
    [['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0'], 'Sysctls', undefined],
  ]
  for (const [flags, name, value] of settings) {
    it(`${flags.join(' ')} makes ${name} ${JSON.stringify(value)}`, () =>
      assert.deepEqual(setting(name, ...flags), value))
  }

  it('a health check is in Config with what was said of it, in nanoseconds', () => {
    const flags = ['--health-cmd', 'true', '--health-interval', '90s', '--health-retries', '2']
    assert.deepEqual(plainly(describeConfig(containerOf(flags))).Healthcheck, {
      Test: ['CMD-SHELL', 'true'],
      Interval: 90_000_000_000,
      Retries: 2,
    })
    const disabled = plainly(describeConfig(containerOf(['--no-healthcheck'])))
    assert.deepEqual(disabled.Healthcheck, { Test: ['NONE'] })
    assert.equal(plainly(describeConfig(containerOf([]))).Healthcheck, undefined)
  })

  it('has for templates what JSON leaves out', () => {
    const { spec, record } = configure(['-v', '/tmp:/t'], { config: { Cmd: ['bash'] } })
    const container = { ...containerOf([]), spec, record }
    const described = {
      Config: describeConfig(container),
      HostConfig: describeSettings(container),
    }
    const template =
      '{{.Config.ExposedPorts}} {{json .Config.ExposedPorts}} {{.Config.StopTimeout}}[{{.Config.StopSignal}}] ' +
      '{{.HostConfig.Tmpfs}} {{.HostConfig.Init}} {{range .HostConfig.Mounts}}x{{end}}{{.HostConfig.Sysctls}}'
    assert.equal(compileTemplate(template)(described), 'map[] null <nil>[] map[] <nil> map[]')
    assert.doesNotMatch(toJson(described), /ExposedPorts|StopTimeout|Tmpfs|Init"/)
    const whole = describeContainer(container, { root: '/none', runRoot: '/none' }, { size: false })
    const mounts = '{{range .Mounts}}[{{.Name}}{{.Driver}}]{{.Destination}}{{end}} {{.SizeRw}}'
    assert.equal(compileTemplate(mounts)(whole), '[]/t <nil>')
    assert.equal(compileTemplate('{{eq .ID .Id}}')(whole), 'true')
  })

  const attached: [flags: string[], streams: boolean[]][] = [
    [[], [false, true, true]],
    [['-i'], [true, true, true]],
    [
      ['-d', '-i'],
      [false, false, false],
    ],
    [
      ['-a', 'stdout'],
      [false, true, false],
    ],
  ]
  for (const [flags, streams] of attached) {
    it(`${flags.join(' ') || 'no flag'} attaches ${streams}`, () => {
      const { AttachStdin, AttachStdout, AttachStderr } = plainly(describeConfig(containerOf(flags)))
      assert.deepEqual([AttachStdin, AttachStdout, AttachStderr], streams)
    })
  }
})

describe('State', () => {
  const run = { pid: 12, startTimeTicks: '1', startedAtMs: 1000 }
  const lifecycle = { startedAtMs: 1000, restartCount: 2, isStoppedByUser: false }
  const exit = { exitStatus: 3, signal: null, finishedAtMs: 5000 }
  const stateOf = (container: Partial<Container>, condition: Condition) => {
    const { Status, Running, Pid, ExitCode, StartedAt, FinishedAt } = describeState(container, condition)
    return { Status, Running, Pid, ExitCode, StartedAt, FinishedAt }
  }
  const NEVER = '0001-01-01T00:00:00Z'
  const STARTED = '1970-01-01T00:00:01.000Z'

  it('has Docker’s fields', () => {
    assert.deepEqual(Object.keys(describeState({}, { state: 'created' })), fields.state)
  })

  it('tells of one that never ran', () => {
    assert.deepEqual(stateOf({}, { state: 'created' }), {
      Status: 'created',
      Running: false,
      Pid: 0,
      ExitCode: 0,
      StartedAt: NEVER,
      FinishedAt: NEVER,
    })
  })

  it('tells of one that runs, and of one that is paused, which runs as well', () => {
    const running = { Running: true, Pid: 12, ExitCode: 0, StartedAt: STARTED, FinishedAt: NEVER }
    for (const state of ['running', 'paused'] as const) {
      assert.deepEqual(stateOf({ run, lifecycle }, { state }), { Status: state, ...running })
    }
    assert.equal(describeState({ run, lifecycle }, { state: 'paused' }).Paused, true)
  })

  it('tells how one ended, and of one that will be restarted', () => {
    const ended = { Pid: 0, ExitCode: 3, StartedAt: STARTED, FinishedAt: '1970-01-01T00:00:05.000Z' }
    assert.deepEqual(stateOf({ lifecycle, exit }, { state: 'exited' }), {
      Status: 'exited',
      Running: false,
      ...ended,
    })
    assert.deepEqual(stateOf({ lifecycle, exit }, { state: 'restarting' }), {
      Status: 'restarting',
      Running: true,
      ...ended,
    })
    assert.equal(describeState({ lifecycle, exit }, { state: 'exited' }).OOMKilled, false)
    const killed = { ...exit, isOutOfMemory: true as const }
    assert.equal(describeState({ lifecycle, exit: killed }, { state: 'exited' }).OOMKilled, true)
  })

  it('tells why one could not be started', () => {
    const startError = { exitStatus: 127, message: 'exec: "x": not found', failedAtMs: 6000 }
    for (const [container, state] of [
      [{ startError }, 'created'],
      [{ startError, lifecycle, exit: { ...exit, exitStatus: 127 } }, 'exited'],
    ] as const) {
      const expected = { Status: state, ExitCode: 127, Error: startError.message }
      assert.partialDeepStrictEqual(describeState(container, { state }), expected)
    }
  })

  it('invents no status of one whose end nobody saw', () => {
    const unseen = describeState({ lifecycle }, { state: 'exited' })
    assert.equal(unseen.ExitCode, 255)
    assert.match(String(unseen.Error), /nobody saw/)
  })

  it('tells of health where there is any, and lets templates ask for it where there is none', () => {
    const none = describeState({ run, lifecycle }, { state: 'running' })
    assert.equal(
      compileTemplate('{{if .Health}}{{.Health.Status}}{{else}}none{{end}} {{.Health}}')(none),
      'none <nil>',
    )
    assert.doesNotMatch(toJson(none), /Health/)
    const health = { status: 'unhealthy' as const, failingStreak: 2, log: [] }
    assert.deepEqual(describeState({ run, lifecycle }, { state: 'running', health }).Health, {
      Status: 'unhealthy',
      FailingStreak: 2,
      Log: [],
    })
  })
})

describe('inspect', () => {
  const roots = { root: '/nowhere', runRoot: '/nowhere/run' }

  it('has all of Docker’s fields, in its order', () => {
    const description = describeContainer(containerOf(['--network', 'none']), roots, { size: false })
    assert.deepEqual(Object.keys(description), fields.all)
    const network = description.NetworkSettings as { Networks: Map<string, object> }
    assert.deepEqual(Object.keys(network), fields.network)
    assert.deepEqual(Object.keys(network.Networks.get('none')!), fields.endpoint)
    assert.deepEqual(
      Object.keys(describeContainer(containerOf([]), roots, { size: true })).filter(name =>
        /^Size/.test(name),
      ),
      ['SizeRw', 'SizeRootFs'],
    )
  })

  it('names the program, its arguments, files and mounts', () => {
    const words = ['-v', 'vol:/v:ro', '--tmpfs', '/run', 'IMAGE', 'sleep', '1']
    const description = describeContainer(containerOf(words), roots, { size: false })
    assert.equal(description.Path, 'sleep')
    assert.deepEqual(description.Args, ['1'])
    assert.match(String(description.LogPath), /\/json\.log$/)
    assert.match(String(description.HostsPath), /\/hosts$/)
    const [volume, anonymous, ...rest] = plainly(description.Mounts)
    assert.deepEqual(volume, {
      Type: 'volume',
      Name: 'vol',
      Source: '/var/lib/minictr/volumes/vol/_data',
      Destination: '/v',
      Driver: 'local',
      Mode: 'ro',
      RW: false,
      Propagation: '',
    })
    assert.equal(anonymous.Destination, '/data')
    assert.deepEqual(rest, [])
  })

  it('lists ports by their names, for a network of the container’s own', () => {
    const container = containerOf(['--network', 'bridge'], { status: 'running' })
    const ports = [
      { port: 80, protocol: 'tcp' as const, hostAddress: '0.0.0.0', hostPort: 8080 },
      { port: 80, protocol: 'tcp' as const, hostAddress: '::', hostPort: 8080 },
    ]
    const settings = plainly(describeNetwork(container, [endpoint({ ports })]))
    assert.deepEqual(settings.Ports, {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '90/udp': null,
    })
    assert.equal(settings.IPAddress, '172.17.0.2')
    assert.equal(settings.IPPrefixLen, 16)
    assert.equal(settings.Networks.bridge.Gateway, '172.17.0.1')
    assert.equal(settings.Networks.bridge.MacAddress, settings.MacAddress)
    const ended = plainly(describeNetwork({ ...container, status: 'exited' }, []))
    assert.deepEqual(ended.Ports, {})
    assert.equal(ended.Networks.bridge.IPAddress, '')
  })
})
