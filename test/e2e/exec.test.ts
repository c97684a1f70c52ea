// exec: another program in a running container, as Docker's users know it, and closed to a hostile container.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { quote } from '../../src/runtime/shell.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { executable, minictr, type Running, startMinictr } from '../fixtures/command-line.ts'
import { atTerminal } from '../fixtures/terminal.ts'
import { namesIn, useDebian } from './debian.ts'

const debian = useDebian()
const started: { name: string; running: Running }[] = []

/** Starts a container of this name that stays until the tests end, and waits until it runs. */
async function start(name: string, flags: string[] = [], script = 'exec sleep 1000'): Promise<void> {
  const command = ['sh', '-c', `echo ready; ${script}`]
  const network = flags.includes('--network') ? [] : ['--network', 'none']
  const running = debian.start(['--name', name, ...network, ...flags], command)
  started.push({ name, running })
  for (let tries = 0; tries < 500 && !running.output().includes('ready'); tries++) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  if (!running.output().includes('ready')) assert.fail(`${name} does not start`)
}

async function removeAll(): Promise<void> {
  for (const { name, running } of started.splice(0)) {
    await debian.minictr('rm', '--force', name)
    await running.outcome
  }
}

function exec(...args: string[]) {
  return debian.minictr('exec', ...args)
}

/** What a shell script prints in the container, without the last newline. */
async function inside(name: string, script: string, ...flags: string[]): Promise<string> {
  const { status, stdout, stderr } = await exec(...flags, name, 'sh', '-c', script)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout.replace(/\n$/, '')
}

describe('exec', () => {
  before(() => start('box'))
  after(removeAll)

  it('starts a program in the container: its files, its processes, its name', async () => {
    await exec('box', 'sh', '-c', 'echo kept > /made-by-exec')
    assert.equal(await inside('box', 'cat /made-by-exec'), 'kept')
    assert.match(await inside('box', 'tr "\\0" " " < /proc/1/cmdline'), /^sleep 1000/)
    const links = 'for n in mnt pid net uts ipc; do readlink /proc/$1/ns/$n; done'
    assert.equal(await inside('box', `set -- self; ${links}`), await inside('box', `set -- 1; ${links}`))
  })

  it('counts with the container in every cgroup', async () => {
    assert.equal(await inside('box', 'cat /proc/self/cgroup'), await inside('box', 'cat /proc/1/cgroup'))
  })

  it('gives the program the power of the container, and all of it with --privileged', async () => {
    const power = (pid: string) => `grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)' /proc/${pid}/status`
    assert.equal(await inside('box', power('self')), await inside('box', power('1')))
    const bounding = await inside('box', "sed -n 's/^CapEff:\\t//p' /proc/self/status", '--privileged')
    assert.equal(BigInt(`0x${bounding}`), hostFacts().boundingSet)
    assert.match(await inside('box', 'grep Seccomp: /proc/self/status', '--privileged'), /\t2$/)
  })

  it('ends with the status of the program', async () => {
    for (const [script, status] of [
      ['exit 0', 0],
      ['exit 3', 3],
      ['kill -9 $$', 137],
    ] as const) {
      assert.equal((await exec('box', 'sh', '-c', script)).status, status)
    }
  })

  it('is told to events, with the status at its end', async () => {
    assert.equal((await exec('box', 'sh', '-c', 'exit 41')).status, 41)
    const { stdout } = await debian.minictr(
      ...['events', '--since', '5m', '--until', '0s', '--filter', 'container=box', '--format'],
      '{{.Action}} {{with .Actor.Attributes.exitCode}}{{.}}{{end}} {{.Actor.Attributes.execID}}',
    )
    const lines = stdout.split('\n')
    const end = lines.findIndex(line => line.startsWith('exec_die 41 '))
    const id = lines[end]!.split(' ').at(-1)!
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.deepEqual(
      lines.filter(line => line.endsWith(id)).map(line => line.replace(/ +[0-9a-f]{64}$/, '')),
      ['exec_create: sh -c exit 41', 'exec_start: sh -c exit 41', 'exec_die 41'],
    )
  })

  it('leaves the flags of the command to the command', async () => {
    assert.match((await exec('box', 'ls', '-l', '/etc/hostname')).stdout, /^-rw/)
    assert.equal((await exec('box', 'echo', '--user', '-t', '--')).stdout, '--user -t --\n')
  })

  it('passes standard input on with -i alone', async () => {
    const call = (...args: string[]) =>
      minictr([...debian.store().globals, 'exec', ...args], { input: 'typed\n' })
    assert.equal((await call('-i', 'box', 'cat')).stdout, 'typed\n')
    assert.equal((await call('box', 'cat')).stdout, '')
  })

  it('keeps standard output and error apart', async () => {
    const { stdout, stderr } = await exec('box', 'sh', '-c', 'echo out; echo err >&2')
    assert.deepEqual({ stdout, stderr }, { stdout: 'out\n', stderr: 'err\n' })
  })

  it('gives the container’s variables, those given in their places or behind', async () => {
    const file = join(debian.directory(), 'variables')
    writeFileSync(file, 'FROM_FILE=1\nBOTH=file\n')
    const given = ['--env-file', file, '-e', 'BOTH=flag', '-e', 'HOSTNAME', '-e', 'EMPTY=']
    const { stdout } = await exec(...given, 'box', 'env')
    assert.match(stdout, /^PATH=.*\nFROM_FILE=1\nBOTH=flag\nEMPTY=\nHOME=\/root\n$/)
  })

  it('starts where -w says, else where the container did', async () => {
    assert.equal(await inside('box', 'pwd'), '/')
    assert.equal(await inside('box', 'pwd', '-w', '/etc/apt'), '/etc/apt')
  })

  it('takes users and groups by the container’s own files, as they are now', async () => {
    await inside(
      'box',
      'echo new:x:4321:4321::/home/new:/bin/sh >> /etc/passwd; echo both:x:99:new >> /etc/group',
    )
    assert.equal(
      await inside('box', 'id -u; id -g; id -G; echo $HOME', '-u', 'new'),
      '4321\n4321\n4321 99\n/home/new',
    )
    assert.equal(await inside('box', 'id -u; id -G; echo $HOME', '-u', '77:both'), '77\n99\n/')
    assert.match(await inside('box', 'grep CapEff /proc/self/status', '-u', 'new'), /\t0+$/)
  })

  it('follows no link of the container’s files out of it', async () => {
    await start('linked')
    await inside(
      'linked',
      'rm /etc/passwd; ln -s ../../../../../../../../etc/passwd-of-the-host /etc/passwd; echo host:x:5:5::/:/bin/sh > /etc/passwd-of-the-host',
    )
    assert.equal(await inside('linked', 'id -u', '-u', 'host'), '5')
    // A fifo would keep a reader waiting, a device might do something when it is opened.
    await inside('linked', 'rm /etc/passwd; mkfifo /etc/passwd')
    assert.equal(await inside('linked', 'id -u', '-u', '6'), '6')
    const { status, stderr } = await exec('-u', 'host', 'linked', 'true')
    assert.equal(status, 126)
    assert.match(stderr, /Unable to find user host/)
  })

  it('-d returns at once, prints nothing, and the program goes on', async () => {
    const { status, stdout, stderr } = await exec(
      '-d',
      'box',
      'sh',
      '-c',
      'echo unheard; sleep 0.2; echo done > /detached; exec sleep 1000',
    )
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
    assert.equal(await inside('box', 'while ! [ -e /detached ]; do sleep 0.05; done; cat /detached'), 'done')
  })

  it('tells in Docker’s words what cannot be started', async () => {
    for (const [args, status, words] of [
      [['box', 'no-such-program'], 127, /exec: "no-such-program": executable file not found in \$PATH/],
      [['box', '/no/such'], 127, /exec: "\/no\/such": stat \/no\/such: no such file or directory/],
      [['box', '/etc/passwd'], 126, /exec: "\/etc\/passwd": permission denied/],
      [['-d', 'box', 'no-such-program'], 127, /executable file not found/],
      [['-w', '/nowhere', 'box', 'true'], 127, /chdir to cwd \("\/nowhere"\): no such file or directory/],
      [['-w', '/etc/passwd', 'box', 'true'], 126, /chdir to cwd \("\/etc\/passwd"\): not a directory/],
      [['-w', 'etc', 'box', 'true'], 126, /not an absolute path/],
      [['-u', 'nobody-here', 'box', 'true'], 126, /Unable to find user nobody-here/],
      [['nothing', 'true'], 1, /No such container: nothing/],
      [['box'], 1, /'minictr exec' requires at least 2 arguments/],
      [['--nope', 'box', 'true'], 125, /unknown flag: --nope/],
      [['-it', 'box', 'true'], 1, /the input device is not a TTY/],
    ] as [string[], number, RegExp][]) {
      const outcome = await exec(...args)
      assert.equal(outcome.status, status, outcome.stderr)
      assert.match(outcome.stderr, words)
      assert.equal(outcome.stdout, '')
    }
  })

  it('refuses a container that has ended, and one that is paused', async () => {
    const kept = debian.startKept(['--name', 'over', '--network', 'none'], ['true'])
    await kept.outcome
    const ended = await exec('over', 'true')
    assert.equal(ended.status, 1)
    assert.match(ended.stderr, /Container [0-9a-f]{64} is not running/)
    await debian.minictr('rm', 'over')
    const freezer = await freezerOf('box')
    try {
      writeFileSync(freezer.file, freezer.frozen)
      const paused = await exec('box', 'true')
      assert.equal(paused.status, 1)
      assert.match(paused.stderr, /Container box is paused, unpause the container before exec/)
    } finally {
      writeFileSync(freezer.file, freezer.thawed)
    }
    assert.equal((await exec('box', 'true')).status, 0)
  })

  it('ends with the container', async () => {
    await start('short')
    const long = startMinictr([
      ...debian.store().globals,
      'exec',
      'short',
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    ])
    while (!long.output().includes('up')) await new Promise(resolve => setTimeout(resolve, 20))
    await debian.minictr('rm', '--force', 'short')
    assert.equal((await long.outcome).status, 137)
  })

  it('leaves the program to itself at the keys for that', async () => {
    const command = [executable, ...debian.store().globals, 'exec', '--detach-keys', 'ctrl-x,y']
    const script = 'echo ready; sleep 1; echo went on > /left; exec sleep 1000'
    const session = atTerminal([...command, '-it', 'box', 'sh', '-c', script])
    await session.see('ready')
    session.press('\x18y')
    await session.see('read escape sequence')
    assert.equal((await session.end()).status, 1)
    assert.equal(await inside('box', 'while ! [ -e /left ]; do sleep 0.05; done; cat /left'), 'went on')
    const wrong = await exec('--detach-keys', 'foo', 'box', 'true')
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /Invalid escape keys \(foo\) provided/)
  })

  it('opens a terminal of the container’s own', async () => {
    const command = [executable, ...debian.store().globals, 'exec', '-it', 'box', 'bash', '--norc']
    const session = atTerminal(['sh', '-c', `stty rows 33; exec ${command.map(quote).join(' ')}`], {
      PS1: '',
    })
    session.type('tty; stty size; echo $TERM; echo "got $((6 * 7))"')
    await session.see(/\/dev\/pts\/\d+\n33 100\nxterm\n/)
    await session.see('got 42')
    session.type('exit 9')
    assert.equal((await session.end()).status, 9)
  })
})

async function freezerOf(name: string): Promise<{ file: string; frozen: string; thawed: string }> {
  const [, legacy] = /^\d+:freezer:(.*)$/m.exec(await inside(name, 'cat /proc/1/cgroup')) ?? []
  const { cgroups } = hostFacts()
  const hierarchy = cgroups.find(({ controllers }) => controllers.includes('freezer'))
  if (hierarchy) {
    return { file: `${hierarchy.mountPoint}${legacy}/freezer.state`, frozen: 'FROZEN', thawed: 'THAWED' }
  }
  const id = (await debian.minictr('ps', '--no-trunc', '--quiet')).stdout.trim().split('\n')[0]
  return { file: `${cgroups[0]!.mountPoint}/minictr/${id}/cgroup.freeze`, frozen: '1', thawed: '0' }
}

describe('exec in containers of every kind', () => {
  before(() => start('box'))
  after(removeAll)

  for (const [title, flags] of [
    ['a user namespace', ['--userns-remap', 'auto', '--cgroupns', 'private']],
    ['the host’s process numbers', ['--pid', 'host']],
    ['the host’s network', ['--network', 'host']],
    ['a read-only root and no new privileges', ['--read-only', '--security-opt', 'no-new-privileges']],
    [
      'another user, limits and a score',
      ['-u', 'www-data', '--ulimit', 'nofile=100:200', '--oom-score-adj', '300'],
    ],
    ['privileges', ['--privileged']],
    ['a terminal', ['-t']],
  ] as [string, string[]][]) {
    it(`makes a process like the container’s own: ${title}`, async () => {
      const name = `kind-${title.replaceAll(/[^a-z]+/g, '-')}`
      await start(name, flags, 'echo $$ > /dev/shm/pid; exec sleep 1000')
      const look = [
        'pid=$(cat /dev/shm/pid)',
        'see() { readlink /proc/$1/ns/mnt /proc/$1/ns/pid /proc/$1/ns/net /proc/$1/ns/user /proc/$1/ns/uts /proc/$1/ns/ipc',
        'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/$1/status; cat /proc/$1/limits /proc/$1/oom_score_adj; cat /proc/$1/cgroup',
        'cat /proc/$1/environ | tr "\\0" "\\n" | grep -v ^TERM=; }',
        'a=$(see $pid); b=$(see self); [ "$a" = "$b" ] && echo alike || { echo "$a"; echo ----; echo "$b"; }',
      ]
      assert.equal(await inside(name, look.join('\n')), 'alike')
      assert.equal((await exec('-t', name, 'tty')).stdout.replace(/\d+/, 'N'), '/dev/pts/N\r\n')
    })
  }

  it('in the network of another container', async () => {
    await start('joined', ['--network', 'container:box'])
    assert.equal(
      await inside('joined', 'readlink /proc/self/ns/net'),
      await inside('box', 'readlink /proc/self/ns/net'),
    )
  })
})

/** Looks at every process that it has not seen before as fast as it can: what is open in it while it is not yet the program. */
const spy = `
my %seen;
$| = 1;
print "ready\\n";
until (-e '/stop') {
  opendir(my $proc, '/proc');
  for my $pid (grep { /^\\d+$/ && $_ != $$ && $_ != 1 } readdir $proc) {
    open(my $comm, '<', "/proc/$pid/comm") or next;
    my $name = <$comm> // '';
    next unless $name =~ /minictr|memfd/;
    $seen{$pid}++;
    for my $link (glob "/proc/$pid/exe /proc/$pid/cwd /proc/$pid/root /proc/$pid/fd/*") {
      my $target = readlink $link;
      print "LEAK $link $target\\n" if defined $target && $target =~ /memfd|minictr|socket|anon_inode|unreachable/;
    }
  }
}
print "saw ", scalar(keys %seen), "\\n";
`

describe('exec into a hostile container', () => {
  before(() => start('box'))
  after(removeAll)

  it('shows its processes nothing of the executor that enters: no program, no directory, no descriptor', async () => {
    await start('hostile', [], `exec perl -e ${quote(spy)}`)
    const { running } = started.at(-1)!
    for (let i = 0; i < 20; i++) assert.equal((await exec('hostile', 'true')).status, 0)
    await exec('hostile', 'touch', '/stop')
    const { stdout } = await running.outcome
    assert.match(stdout, /saw [1-9]/, 'the container was quick enough to see any of them')
    assert.doesNotMatch(stdout, /LEAK/)
  })

  it('hands the program no descriptor of the host and no directory outside of the root', async () => {
    assert.equal(await inside('box', 'ls /proc/self/fd | wc -l'), '4') // 0, 1, 2 and ls's own
    for (const directory of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/self/fd/8']) {
      const { status, stdout } = await exec('-w', directory, 'box', 'pwd')
      // 127 where there is none of that number at all.
      assert.ok([126, 127].includes(status!), `${directory}: ${status}`)
      assert.equal(stdout, '')
    }
  })

  it('leaves no process behind when a container with the host’s process numbers goes', async () => {
    await start('with-host-pids', ['--pid', 'host'])
    const mark = `${process.pid}.5`
    await exec('-d', 'with-host-pids', 'sleep', `1000${mark}`)
    const sleepers = () => namesIn('/proc').filter(pid => commandLine(pid).includes(mark))
    assert.equal(sleepers().length, 1)
    await debian.minictr('rm', '--force', 'with-host-pids')
    assert.deepEqual(sleepers(), [])
  })
})

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
