// The commands that only look: ps, inspect, top, stats, port, info, system df, history; and those that clean up: prune.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { quote } from '../../src/runtime/shell.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal } from '../fixtures/terminal.ts'
import { fields } from '../unit/containers/docker-inspect.ts'
import { namesIn, useDebian } from './debian.ts'

const debian = useDebian()

/** What a command prints. Fails where it does not succeed, or complains. */
async function out(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
  return stdout
}

const linesOf = (text: string) => text.split('\n').slice(0, -1)

/** Runs a container in the background; gives its id. */
async function inBackground(name: string, command: string[], ...flags: string[]): Promise<string> {
  const { image } = debian.store()
  return (
    await out('run', '-d', '--quiet', '--name', name, '--network', 'none', ...flags, image, ...command)
  ).trim()
}

/** Runs a container to its end. */
async function toTheEnd(name: string, script: string, ...flags: string[]): Promise<number | null> {
  const all = ['--name', name, '--network', 'none', ...flags]
  return (await debian.startKept(all, ['sh', '-c', script]).outcome).status
}

async function create(name: string, ...flags: string[]): Promise<string> {
  const { image } = debian.store()
  return (
    await out('create', '--quiet', '--name', name, '--network', 'none', ...flags, image, 'sleep', '1')
  ).trim()
}

/** Stops the processes of a container where they stand, as `pause` does, or lets them go on. */
function setFrozen(id: string, isFrozen: boolean): void {
  const { cgroups } = hostFacts()
  const legacy = cgroups.find(({ controllers }) => controllers.includes('freezer'))
  const path = (mountPoint = '') => `${mountPoint}/minictr/${id}`
  if (legacy) writeFileSync(`${path(legacy.mountPoint)}/freezer.state`, isFrozen ? 'FROZEN' : 'THAWED')
  else {
    const unified = cgroups.find(({ version }) => version === 2)
    writeFileSync(`${path(unified?.mountPoint)}/cgroup.freeze`, isFrozen ? '1' : '0')
  }
}

afterEach(async () => {
  const ids = linesOf(await out('ps', '-aq'))
  if (ids.length > 0) await out('rm', '-f', '-v', ...ids)
})

describe('ps', () => {
  it('shows what runs, and with -a what does not, in Docker’s columns', async () => {
    const id = await inBackground('web', ['sleep', '1000'])
    assert.equal(await toTheEnd('old', 'echo hi there > /f; exit 3'), 3)
    await create('new')
    const { image } = debian.store()
    const [titles, line, ...rest] = linesOf(await out('ps'))
    assert.match(titles!, /^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/)
    assert.match(line!, new RegExp(`^${id.slice(0, 12)} {3}${image} {3}"sleep 1000" +.* ago {3}Up .* web$`))
    assert.deepEqual(rest, [])
    const status = (name: string) => out('ps', '-a', '--filter', `name=^${name}$`, '--format', '{{.Status}}')
    assert.match(await status('old'), /^Exited \(3\) .* ago\n$/)
    assert.equal(await status('new'), 'Created\n')
    assert.deepEqual(linesOf(await out('ps', '-a', '--format', '{{.Names}} {{.State}}')), [
      'new created',
      'old exited',
      'web running',
    ])
    setFrozen(id, true)
    assert.match(await status('web'), /^Up .* \(Paused\)\n$/)
    assert.equal(await out('ps', '-q', '--filter', 'status=paused'), `${id.slice(0, 12)}\n`)
    setFrozen(id, false)
  })

  it('chooses by number, by filters, and prints as it is told', async () => {
    const first = await create('first', '-l', 'use=test', '-v', 'named:/data', '-v', '/tmp:/t')
    await create('second')
    assert.equal(await out('ps', '-aq', '--no-trunc', '-n', '1', '--filter', 'label=use=test'), `${first}\n`)
    assert.deepEqual(linesOf(await out('ps', '-l', '--format', '{{.Names}}')), ['second'])
    assert.deepEqual(linesOf(await out('ps', '-n', '2', '--format', '{{.Names}}')), ['second', 'first'])
    const { image } = debian.store()
    const named = (filter: string) => out('ps', '-a', '--filter', filter, '--format', '{{.Names}}')
    for (const filter of ['volume=named', 'volume=/t', 'before=second', `id=${first.slice(0, 20)}`]) {
      assert.equal(await named(filter), 'first\n', filter)
    }
    for (const filter of [`ancestor=${image}`, 'network=none', 'health=none', 'status=created']) {
      assert.equal(await named(filter), 'second\nfirst\n', filter)
    }
    assert.equal(
      await out(
        'ps',
        '-a',
        '--format',
        'table {{.Names}}\\t{{.Label "use"}}\\t{{.LocalVolumes}}\\t{{.Mounts}}',
      ),
      'NAMES     use       LOCAL VOLUMES   MOUNTS\nsecond              0\nfirst     test      1               named,/tmp\n',
    )
    const json = JSON.parse((await out('ps', '-a', '--format', 'json')).split('\n')[1]!)
    assert.deepEqual([json.Names, json.Labels, json.Size, json.Networks], ['first', 'use=test', '0B', 'none'])
    assert.equal(await out('container', 'ls', '-aq'), await out('ps', '-aq'))
    await out('rm', 'first', 'second')
    await out('volume', 'rm', 'named')
  })

  it('measures what a container has written, on top of its image', async () => {
    await toTheEnd('old', 'head -c 20000 /dev/zero > /file')
    assert.match(await out('ps', '-a', '--format', '{{.Size}}'), /^20kB \(virtual [\d.]+MB\)\n$/)
    assert.match(await out('ps', '-as'), /^.* SIZE\n.* 20kB \(virtual [\d.]+MB\)\n$/)
    const sizes = await out('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'old')
    const [written, all] = sizes.split(' ').map(Number)
    assert.equal(written, 20_000)
    assert.ok(all! > 10_000_000)
  })

  it('shows the image’s id once its name is another image’s', async () => {
    await create('made')
    const { image } = debian.store()
    const id = (await out('image', 'inspect', '-f', '{{.Id}}', image)).trim()
    await out('image', 'from-host', '--quiet', 'other', 'true')
    assert.equal(await out('ps', '-a', '--format', '{{.Image}}'), `${image}\n`)
    const { root } = debian.store()
    const index = join(root, 'images/index.json')
    const before = readFileSync(index, 'utf8')
    try {
      writeFileSync(index, before.replaceAll(image, image.replace(':trixie', ':moved')))
      assert.equal(await out('ps', '-a', '--format', '{{.Image}}'), `${id.slice(7, 19)}\n`)
      assert.equal(await out('ps', '-a', '--no-trunc', '--format', '{{.Image}}'), `${id}\n`)
    } finally {
      writeFileSync(index, before)
    }
    await out('rmi', 'other')
  })

  it('says what is wrong in Docker’s words and with its statuses', async () => {
    const wrong: [args: string[], status: number, message: RegExp][] = [
      [['--filter', 'color=red'], 1, /^minictr: invalid filter 'color'\n/],
      [['--filter', 'color'], 125, /bad format of filter \(expected name=value\)/],
      [['--filter', 'before=nobody'], 1, /^minictr: No such container: nobody\n/],
      [['-n', 'x'], 125, /^minictr: invalid argument "x" for "-n, --last" flag/],
      [['--format', '{{.Nothing'], 1, /template parsing error/],
      [['more'], 1, /'minictr ps' accepts no arguments/],
    ]
    for (const [args, status, message] of wrong) {
      const outcome = await debian.minictr('ps', ...args)
      assert.equal(outcome.status, status, args.join(' '))
      assert.match(outcome.stderr, message)
      assert.equal(outcome.stdout, '')
    }
  })
})

describe('what is more than a pipe holds', () => {
  /** How much a reader gets that begins when all would have been printed already. */
  function slowlyRead(...args: string[]): number {
    const words = [executable, ...debian.store().globals, ...args].map(quote).join(' ')
    const script = `${words} | (sleep 1; wc -c)`
    return Number(execFileSync('sh', ['-c', script], { encoding: 'utf8' }))
  }

  it('reaches a slow reader whole', async () => {
    await create('new')
    const long = 'x'.repeat(100_000)
    assert.equal(slowlyRead('ps', '-a', '--format', long), long.length + 1)
    assert.equal(slowlyRead('inspect', '--format', long, 'new'), long.length + 1)
  })

  it('does not keep a command from ending whose reader leaves', () => {
    const words = [executable, ...debian.store().globals, 'info', '--format', 'x'.repeat(100_000)]
    const script = `(${words.map(quote).join(' ')}; echo $? >&2) | head -c 1`
    const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    assert.deepEqual({ stdout, stderr }, { stdout: 'x', stderr: '141\n' })
  })
})

describe('inspect', () => {
  it('ends with the status of its own that Docker’s has for a template that is none', async () => {
    const { status, stdout, stderr } = await debian.minictr('inspect', '--format', '{{.Id', 'nobody')
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' })
    assert.match(stderr, /^minictr: template parsing error: unclosed action: /)
  })

  it('describes a container with Docker’s fields, as it is and as it has ended', async () => {
    const id = await inBackground('web', ['sleep', '1000'], '-m', '64m', '-e', 'A=b', '-v', '/tmp:/t:ro')
    const [container, ...rest] = JSON.parse(await out('inspect', 'web'))
    assert.deepEqual(rest, [])
    assert.deepEqual(Object.keys(container), fields.all)
    assert.deepEqual(Object.keys(container.State), fields.state)
    assert.deepEqual(
      [container.Id, container.Name, container.Path, container.Args],
      [id, '/web', 'sleep', ['1000']],
    )
    const { Status, Running, Paused, Pid, ExitCode } = container.State
    assert.deepEqual([Status, Running, Paused, ExitCode], ['running', true, false, 0])
    assert.match(readFileSync(`/proc/${Pid}/cmdline`, 'utf8'), /^sleep\0/)
    assert.equal(container.HostConfig.Memory, 64 * 1024 ** 2)
    assert.deepEqual(container.HostConfig.Binds, ['/tmp:/t:ro'])
    assert.ok(container.Config.Env.includes('A=b'))
    assert.match(readFileSync(container.HostsPath, 'utf8'), /localhost/)
    assert.ok(namesIn(container.GraphDriver.Data.UpperDir).length > 0)
    assert.ok(Math.abs(Date.parse(container.State.StartedAt) - Date.now()) < 60_000)
    assert.equal(
      await out('container', 'inspect', 'web'),
      await out('inspect', '--type', 'container', id.slice(0, 9)),
    )

    setFrozen(id, true)
    assert.equal(await out('inspect', '-f', '{{.State.Status}} {{.State.Paused}}', 'web'), 'paused true\n')
    setFrozen(id, false)
    await out('stop', '-t', '0', 'web')
    const state =
      '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.OOMKilled}}'
    assert.equal(await out('inspect', '-f', state, 'web'), 'exited false 0 137 false\n')
  })

  it('finds images and volumes too, and says which names it has not found', async () => {
    const { image } = debian.store()
    await out('volume', 'create', 'data')
    assert.equal(await out('inspect', 'none'), await out('network', 'inspect', 'none'))
    await create('both')
    await out('volume', 'create', 'both')
    assert.equal(await out('inspect', image), await out('image', 'inspect', image))
    assert.equal(await out('inspect', 'data'), await out('volume', 'inspect', 'data'))
    assert.match(await out('inspect', '-f', '{{.Name}}', 'both'), /^\/both\n$/)
    assert.match(await out('inspect', '--type', 'volume', '-f', '{{.Name}}', 'both'), /^both\n$/)
    const partly = await debian.minictr('inspect', '-f', '{{.Name}}', 'both', 'No/Such', 'data')
    assert.deepEqual(partly, {
      status: 1,
      stdout: '/both\ndata\n',
      stderr: 'minictr: No such object: No/Such\n',
    })
    const missing = await debian.minictr('inspect', '--type', 'image', 'both')
    assert.deepEqual([missing.status, missing.stdout], [1, '[]\n'])
    assert.match(missing.stderr, /^minictr: No such image: both\n/)
    const unknown = await debian.minictr('inspect', '--type', 'thing', 'both')
    assert.match(
      unknown.stderr,
      /^minictr: unknown type: "thing": must be one of "container", "image", "network", "volume"\n/,
    )
    await out('volume', 'rm', 'both', 'data')
  })

  it('tells which container the kernel killed for want of memory, and events when', async () => {
    const script = 'x=a; while :; do x=$x$x; done'
    const { status } = await debian.startKept(
      ['--name', 'hungry', '--network', 'none', '-m', '16m', '--memory-swap', '16m'],
      ['bash', '-c', script],
    ).outcome
    assert.equal(status, 137)
    assert.equal(
      await out('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hungry'),
      'true 137\n',
    )
    const events = ['events', '--since', '5m', '--until', '0s', '--filter', 'container=hungry']
    const actions = linesOf(await out(...events, '--format', '{{.Action}}'))
    assert.deepEqual(actions, ['create', 'start', 'oom', 'die'])
  })
})

describe('top', () => {
  it('shows the processes of a container alone, with the PIDs of this host', async () => {
    await inBackground('web', ['sh', '-c', 'sleep 1001 & sleep 1002'])
    const pid = (await out('inspect', '-f', '{{.State.Pid}}', 'web')).trim()
    const seen = async () => linesOf(await out('top', 'web', '-o', 'pid,ppid,args'))
    while ((await seen()).length < 4) await sleep(10)
    const [titles, ...processes] = (await seen()).map(line => line.split(/ {2,}/))
    assert.deepEqual(titles, ['PID', 'PPID', 'COMMAND'])
    assert.equal(processes[0]![0], pid)
    assert.deepEqual(
      processes.slice(1).map(([, parent, command]) => [parent, command]),
      [
        [pid, 'sleep 1001'],
        [pid, 'sleep 1002'],
      ],
    )
    assert.match(await out('top', 'web'), /^UID {17}PID {17}PPID {16}C {19}STIME/)
    assert.match(await out('container', 'top', 'web', 'aux'), /^USER {16}PID {17}%CPU/)
  })

  it('is refused where nothing runs, or where no PIDs would be shown', async () => {
    const id = await create('new')
    await inBackground('web', ['sleep', '1000'])
    const wrong: [args: string[], message: RegExp][] = [
      [['new'], new RegExp(`^minictr: Container ${id} is not running\n`)],
      [['nobody'], /^minictr: No such container: nobody\n/],
      [['web', '-o', 'args'], /^minictr: Couldn't find PID field in ps output\n/],
      [['web', '-o', 'comm=PID,pid'], /^minictr: specifying "comm=PID,pid" is not allowed\n/],
      [['web', '--no-such-option'], /^minictr: ps: /],
    ]
    for (const [args, message] of wrong) {
      const { status, stdout, stderr } = await debian.minictr('top', ...args)
      assert.deepEqual([status, stdout], [1, ''], args.join(' '))
      assert.match(stderr, message)
    }
  })
})

describe('stats', () => {
  it('shows what containers use, once', async () => {
    const id = await inBackground('busy', ['sh', '-c', 'while :; do :; done'], '-m', '64m', '--cpus', '0.5')
    await create('new')
    const [titles, line, ...rest] = linesOf(await out('stats', '--no-stream'))
    assert.match(
      titles!,
      /^CONTAINER ID {3}NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/,
    )
    const match =
      /^(\w{12}) {3}busy +([\d.]+)% +[\d.]+[KM]iB \/ 64MiB +[\d.]+% +0B \/ 0B +[\d.]+k?M?B \/ [\d.]+k?B +(\d+)$/.exec(
        line!,
      )
    assert.ok(match, line)
    assert.deepEqual([match[1], match[3]], [id.slice(0, 12), '1'])
    assert.ok(Number(match[2]) > 0)
    assert.deepEqual(rest, [])
    const all = linesOf(
      await out('stats', '--no-stream', '--all', '--format', '{{.Name}} {{.PIDs}} {{.MemUsage}}'),
    )
    assert.equal(all[0], 'new 0 0B / 0B')
    const json = JSON.parse(await out('stats', '--no-stream', '--no-trunc', '--format', 'json', 'busy'))
    assert.deepEqual([json.Container, json.ID, json.Name], ['busy', id, 'busy'])
    const missing = await debian.minictr('stats', '--no-stream', 'nobody')
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /^minictr: No such container: nobody\n/)
  })

  it('counts what goes over the links of its network', async () => {
    await inBackground('linked', ['sleep', '1000'])
    const netIo = () => out('stats', '--no-stream', '--format', '{{.NetIO}}', 'linked')
    assert.equal(await netIo(), '0B / 0B\n')
    const pid = (await out('inspect', '-f', '{{.State.Pid}}', 'linked')).trim()
    // Two links that are each other's ends, and a packet to somebody who is not there: it is asked for, at least.
    const script = `ip link add one type veth peer name two
      ip address add 10.9.8.1/24 dev one
      ip link set one up && ip link set two up
      echo hello > /dev/udp/10.9.8.2/9`
    execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'bash', '-ec', script])
    assert.match(await netIo(), /^[1-9][\d.]*k?B \/ [1-9][\d.]*k?B\n$/)
  })

  it('is drawn anew on a terminal each second, until Ctrl-C', async () => {
    await inBackground('web', ['sleep', '1000'])
    const session = atTerminal([executable, ...debian.store().globals, 'stats'])
    // Once from an empty screen, then line over line.
    for (const beginning of ['\x1b[2J\x1b[H', '\x1b[J\x1b[H']) {
      await session.see(`${beginning}CONTAINER ID `)
      await session.see('PIDS\x1b[K\n')
      await session.see(/^\w{12} {3}web .* 1/m)
      await session.see('\x1b[K\n')
    }
    session.press('\x03')
    assert.equal((await session.end()).status, 130)
  })

  it('ends when the last of those asked for is gone', async () => {
    await inBackground('short', ['sleep', '1000'], '--rm')
    const { globals } = debian.store()
    const session = atTerminal([executable, ...globals, 'stats', 'short'])
    await session.see(' short ')
    await out('stop', '-t', '0', 'short')
    assert.equal((await session.end()).status, 0)
  })
})

describe('stats of what is not there', () => {
  it('names each', async () => {
    await inBackground('web', ['sleep', '1000'])
    const { status, stderr } = await debian.minictr('stats', '--no-stream', 'x', 'web', 'y')
    assert.equal(status, 1)
    assert.match(stderr, /^minictr: No such container: x\nNo such container: y\n/)
  })
})

describe('port', () => {
  it('lists nothing where nothing is published', async () => {
    await inBackground('web', ['sleep', '1000'])
    assert.equal(await out('port', 'web'), '')
    const refused = await debian.minictr('port', 'web', '80')
    assert.deepEqual(
      [refused.status, refused.stderr],
      [1, "minictr: No public port '80' published for web\nminictr port web lists those that are.\n"],
    )
  })
})

describe('a port that is no number', () => {
  it('is refused as such', async () => {
    await inBackground('web', ['sleep', '1000'])
    for (const port of ['foo', '80-82', '99999/tcp']) {
      const { status, stderr } = await debian.minictr('port', 'web', port)
      assert.equal(status, 1)
      assert.match(stderr, /^minictr: invalid port \(/)
    }
  })
})

describe('info, history and system df', () => {
  it('count what there is', async () => {
    await inBackground('web', ['sleep', '1000'])
    await create('new')
    const info = JSON.parse(await out('info', '--format', 'json'))
    assert.deepEqual(
      [info.Containers, info.ContainersRunning, info.ContainersPaused, info.ContainersStopped, info.Images],
      [2, 1, 0, 1, 1],
    )
    assert.match(await out('info'), /^Containers: 2\n Running: 1\n Paused: 0\n Stopped: 1\nImages: 1\n/)
    assert.equal(await out('system', 'info', '-f', '{{.OSType}} {{.NCPU}}'), `linux ${info.NCPU}\n`)
  })

  it('tell how an image was made, the last step first', async () => {
    const { image } = debian.store()
    const id = (await out('images', '-q', image)).trim()
    const [titles, first] = linesOf(await out('history', image))
    assert.match(titles!, /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$/)
    assert.ok(first!.startsWith(`${id} `))
    const sizes = linesOf(await out('image', 'history', '-H=false', '--format', '{{.Size}}', image))
    const total = Number(await out('image', 'inspect', '-f', '{{.Size}}', image))
    assert.equal(
      sizes.reduce((sum, size) => sum + Number(size), 0),
      total,
    )
    assert.equal((await debian.minictr('history', 'nothing')).status, 1)
  })

  it('tell how much of the disk everything takes, and what would be given back', async () => {
    await out('volume', 'create', 'data')
    await inBackground(
      'web',
      ['sh', '-c', 'head -c 50000 /dev/zero > /data/file; exec sleep 1000'],
      '-v',
      'data:/data',
    )
    await toTheEnd('old', 'head -c 20000 /dev/zero > /file')
    const rows = async (...flags: string[]) =>
      new Map(
        linesOf(await out('system', 'df', ...flags, '--format', 'json')).map(line => {
          const { Type, TotalCount, Active, Size, Reclaimable } = JSON.parse(line)
          return [Type, [TotalCount, Active, Size, Reclaimable]]
        }),
      )
    while ((await rows()).get('Local Volumes')![2] !== '50kB') await sleep(10)
    const before = await rows()
    assert.deepEqual(before.get('Containers'), ['2', '1', '20kB', '20kB (100%)'])
    assert.deepEqual(before.get('Local Volumes'), ['1', '1', '50kB', '0B (0%)'])
    assert.deepEqual(before.get('Images')!.slice(0, 2).concat(before.get('Images')![3]!), [
      '1',
      '1',
      '0B (0%)',
    ])
    assert.match(
      await out('system', 'df'),
      /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages .*\nContainers .*\nLocal Volumes .*\nBuild Cache .*\n$/,
    )
    const text = await out('system', 'df', '-v')
    assert.match(text, /^Images space usage:\n\nREPOSITORY .*SHARED SIZE +UNIQUE SIZE +CONTAINERS\n.* 2\n\n/)
    assert.match(text, /\nContainers space usage:\n\nCONTAINER ID .*\n.* 0 +20kB .* old\n.* 1 +0B .* web\n\n/)
    assert.match(text, /\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\ndata +1 +50kB\n\n/)
    const { Images, Containers, Volumes } = JSON.parse(await out('system', 'df', '-v', '--format', 'json'))
    assert.deepEqual([Images.length, Containers.length, Volumes[0].Name], [1, 2, 'data'])
    await out('rm', '-f', 'web', 'old')
    const after = await rows()
    assert.deepEqual(after.get('Images')!.slice(0, 2), ['1', '0'])
    assert.match(after.get('Images')![3]!, /MB \(100%\)$/)
    assert.deepEqual(after.get('Local Volumes'), ['1', '0', '50kB', '50kB (100%)'])
    await out('volume', 'rm', 'data')
  })
})

describe('prune', () => {
  /** A command that asks, and what is answered. */
  const answer = async (line: string, ...args: string[]) => {
    const session = atTerminal([executable, ...debian.store().globals, ...args])
    await session.see('Are you sure you want to continue? [y/N] ')
    session.type(line)
    const { status, text } = await session.end()
    assert.equal(status, 0, text)
    return text
  }

  it('of containers removes those that do not run, once that is agreed to', async () => {
    await inBackground('web', ['sleep', '1000'])
    const old = await create('old', '-l', 'use=test', '-v', '/data')
    const other = await create('other')
    await toTheEnd('wrote', 'head -c 20000 /dev/zero > /file')
    const refused = await answer('n', 'container', 'prune')
    assert.match(refused, /WARNING! This will remove all stopped containers\.\n/)
    assert.equal(linesOf(await out('ps', '-aq')).length, 4)
    assert.equal(await out('container', 'prune', '-f', '--filter', 'until=1h'), 'Total reclaimed space: 0B\n')
    assert.equal(
      await out('container', 'prune', '-f', '--filter', 'label=use=test'),
      `Deleted Containers:\n${old}\n\nTotal reclaimed space: 0B\n`,
    )
    const unasked = await debian.minictr('container', 'prune') // whose input ends at once: a no, too
    assert.deepEqual([unasked.status, unasked.stderr], [0, ''])
    assert.equal(linesOf(await out('ps', '-aq')).length, 3)
    // Its volume stays, as in Docker.
    assert.equal(linesOf(await out('volume', 'ls', '-q')).length, 1)
    const text = await answer('y', 'container', 'prune')
    assert.match(
      text,
      new RegExp(`\nDeleted Containers:\n[0-9a-f]{64}\n${other}\n\nTotal reclaimed space: 20kB\n$`),
    )
    assert.deepEqual(linesOf(await out('ps', '-a', '--format', '{{.Names}}')), ['web'])
    await out('volume', 'prune', '-f')
  })

  it('of images removes those without a name, and with -a those no container needs', async () => {
    const { image } = debian.store()
    await create('made')
    const pruned = async (...flags: string[]) => linesOf(await out('image', 'prune', '-f', ...flags))
    const first = (await out('image', 'from-host', '--quiet', 'tools', 'true')).trim()
    await out('image', 'from-host', '--quiet', 'tools', 'true', 'false')
    const nameless = await pruned()
    assert.deepEqual(nameless.slice(0, 2), ['Deleted Images:', `deleted: ${first}`])
    assert.match(nameless.at(-1)!, /^Total reclaimed space: [\d.]+[kM]B$/)
    assert.deepEqual(await pruned('-a', '--filter', 'label=none'), ['Total reclaimed space: 0B'])
    const named = await pruned('-a')
    assert.deepEqual(named.slice(0, 2), ['Deleted Images:', 'untagged: tools:latest'])
    assert.deepEqual(linesOf(await out('images', '--format', '{{.Repository}}:{{.Tag}}')), [image])
    assert.equal(await debian.inside('echo whole'), 'whole')
  })

  it('of everything names what will go, and takes anonymous volumes only when asked', async () => {
    const id = await create('old', '-v', '/data', '-v', 'named:/n')
    const text = await answer('n', 'system', 'prune', '--volumes', '--filter', 'label!=keep')
    assert.match(
      text,
      /WARNING! This will remove:\n {2}- all stopped containers\n {2}- all networks not used by at least one container\n {2}- all anonymous volumes not used by at least one container\n {2}- all dangling images\n\n {2}Items to be pruned will be filtered with:\n {2}- label!=keep\n\nAre you sure/,
    )
    assert.equal(
      await out('system', 'prune', '-f'),
      `Deleted Containers:\n${id}\n\nTotal reclaimed space: 0B\n`,
    )
    assert.equal(linesOf(await out('volume', 'ls', '-q')).length, 2)
    assert.match(
      await out('system', 'prune', '-f', '--volumes'),
      /^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed/,
    )
    assert.deepEqual(linesOf(await out('volume', 'ls', '-q')), ['named'])
    const refused = await debian.minictr('system', 'prune', '-f', '--volumes', '--filter', 'until=1h')
    assert.deepEqual(refused, {
      status: 1,
      stdout: '',
      stderr: 'minictr: ERROR: The "until" filter is not supported with "--volumes"\n',
    })
    await out('volume', 'rm', 'named')
  })
})
