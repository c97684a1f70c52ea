// Which of the host's views a container shares: namespaces of its own, the host's, or another container's; mapped users.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { hostFacts } from '../../src/system/host-facts.ts'
import type { Running } from '../fixtures/command-line.ts'
import { idsIn, namesIn, useDebian } from './debian.ts'

const debian = useDebian()
const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts']

/** The kinds of namespaces that a container with these flags shares with the host. */
async function shared(...flags: string[]): Promise<string[]> {
  const links = (await debian.inside(`cd /proc/self/ns; readlink ${kinds.join(' ')}`, ...flags)).split('\n')
  return kinds.filter((kind, at) => links[at] === readlinkSync(`/proc/self/ns/${kind}`))
}

describe('namespaces', () => {
  it('are all the container’s own but that of users, and with cgroup v1 that of cgroups', async () => {
    const isUnified = hostFacts().cgroups.every(({ version }) => version === 2)
    assert.deepEqual(await shared(), isUnified ? ['user'] : ['cgroup', 'user'])
    assert.deepEqual(await shared('--cgroupns', 'private'), ['user'])
  })

  it('are the host’s where a flag says so', async () => {
    const flags = [
      '--pid',
      'host',
      '--ipc',
      'host',
      '--uts',
      'host',
      '--network',
      'host',
      '--cgroupns',
      'host',
    ]
    assert.deepEqual(
      await shared(...flags),
      kinds.filter(kind => kind !== 'mnt'),
    )
  })

  it('--pid host shows the host’s processes, and the container’s end is that of its program alone', async () => {
    const script = `cat /proc/${process.pid}/comm; sleep 1000 & echo $!`
    const [name, pid] = (await debian.inside(script, '--pid', 'host')).split('\n')
    assert.equal(name, readFileSync('/proc/self/comm', 'utf8').trim())
    // What the program leaves behind is in the container's cgroup, and goes with that.
    assert.equal(namesIn('/proc').includes(pid!), false)
  })

  it('--network host shows its links and takes its name; none has loopback alone, and it answers', async () => {
    const links = namesIn('/sys/class/net').sort()
    const seen = await debian.inside('ls /sys/class/net; hostname', '--network', 'host')
    assert.deepEqual(seen.split('\n'), [...links, hostname()])
    const script =
      'ls /sys/class/net | grep -v -e ^tun -e ^sit -e ^ip6 -e ^gre -e ^erspan; perl -MIO::Socket::INET -e \'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") ? "answers" : "silent"\''
    assert.equal(await debian.inside(script, '--network', 'none'), 'lo\nanswers')
  })

  it('--uts host changes nothing of the host’s name', async () => {
    assert.equal(
      await debian.inside('hostname; cat /etc/hostname', '--uts', 'host'),
      `${hostname()}\n${hostname()}`,
    )
    const { status, stderr } = await debian.run(['--uts', 'host', '--hostname', 'x'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /conflicting options: hostname and the UTS mode/)
  })

  it('--ipc: private has its own /dev/shm of --shm-size, none has none, host the host’s', async () => {
    const script = 'awk \'$5 == "/dev/shm" { print $NF }\' /proc/self/mountinfo; ls -d /dev/shm 2>/dev/null'
    assert.match(await debian.inside(`${script}; true`), /size=65536k.*\n\/dev\/shm/)
    assert.match(await debian.inside(script, '--shm-size', '1m'), /size=1024k/)
    assert.equal(await debian.inside(`${script}; true`, '--ipc', 'none'), '')
    const file = `minictr-${process.pid}`
    await debian.inside(`echo x > /dev/shm/${file}`, '--ipc', 'host')
    assert.equal(
      execFileSync('sh', ['-c', `cat /dev/shm/${file}; rm /dev/shm/${file}`], { encoding: 'utf8' }),
      'x\n',
    )
  })
})

describe('another container’s namespaces', () => {
  const name = 'to-be-joined'
  let running: Running
  before(async () => {
    running = debian.start(
      ['--name', name, '--ipc', 'shareable', '--hostname', 'joined', '--add-host', 'db:10.1.2.3'],
      ['sh', '-c', 'echo from the first > /dev/shm/file; echo ready; sleep 1000; true'],
    )
    while (running.output() === '') await sleep(10)
  })
  after(async () => {
    await debian.minictr('rm', '-f', name)
    await running.outcome
  })

  it('show its processes', async () => {
    assert.equal(
      await debian
        .inside('cat /proc/1/comm; echo $$', '--pid', `container:${name}`)
        .then(text => text.split('\n')[0]),
      'sh',
    )
    assert.match(
      await debian.inside('tr "\\0" " " < /proc/1/cmdline', '--pid', `container:${name}`),
      /sleep 1000/,
    )
  })

  it('share its network, with its name and its /etc/hosts', async () => {
    const seen = await debian.inside(
      'hostname; grep db /etc/hosts; readlink /proc/self/ns/net',
      '--network',
      `container:${name}`,
    )
    const [host, hosts, net] = seen.split('\n')
    assert.deepEqual([host, hosts], ['joined', '10.1.2.3\tdb'])
    assert.notEqual(net, readlinkSync('/proc/self/ns/net'))
    for (const flags of [
      ['--hostname', 'x'],
      ['--dns', '1.1.1.1'],
      ['--add-host', 'x:1.1.1.1'],
    ]) {
      const { status, stderr } = await debian.run(['--network', `container:${name}`, ...flags], ['true'])
      assert.equal(status, 125)
      assert.match(stderr, /conflicting options/)
    }
  })

  it('share its memory where it was made to be shared', async () => {
    assert.equal(await debian.inside('cat /dev/shm/file', '--ipc', `container:${name}`), 'from the first')
  })

  it('share its memory, of the size it was given, for as long as one of them runs', async () => {
    const signal = debian.directory()
    const size = 'stat -f -c "%s %b" /dev/shm | { read size count; echo $((size * count)); }'
    const first = debian.start(
      ['--name', 'first', '--ipc', 'shareable', '--shm-size', '1m'],
      ['sh', '-c', `echo kept > /dev/shm/file; ${size}; sleep 1000; true`],
    )
    while (first.output() === '') await sleep(10)
    const wait = 'until [ -e /signal/go ]; do sleep 0.02; done'
    const second = debian.start(
      ['--name', 'second', '--ipc', 'container:first', '-v', `${signal}:/signal`],
      ['sh', '-c', `${size}; ${wait}; cat /dev/shm/file; echo more > /dev/shm/file && cat /dev/shm/file`],
    )
    while (second.output() === '') await sleep(10)
    assert.deepEqual([first.output(), second.output()], ['1048576\n', '1048576\n'])
    const shm = new RegExp(`${debian.store().root}/containers/([0-9a-f]{64})/shm .*[ ,]size=1024k`)
    const [, id] = shm.exec(readFileSync('/proc/self/mountinfo', 'utf8')) ?? assert.fail('no shared memory')
    const container = join(debian.store().root, 'containers', id!)
    assert.equal(statSync(container).mode & 0o77, 0, 'closed to others')
    await debian.minictr('rm', '-f', 'first')
    await first.outcome
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(container))
    writeFileSync(join(signal, 'go'), '')
    const { stdout, stderr, status } = await second.outcome
    assert.deepEqual([status, stderr, stdout], [0, '', '1048576\nkept\nmore\n'])
  })

  it('are there only of one that runs', async () => {
    const { status, stderr } = await debian.run(['--pid', 'container:nosuch'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /^minictr: No such container: nosuch\n/)
    await debian.startKept(['--name', 'ended'], ['true']).outcome
    const ended = await debian.run(['--network', 'container:ended'], ['true'])
    assert.equal(ended.status, 125)
    assert.match(ended.stderr, /cannot join namespaces of container ended: it is not running/)
    await debian.minictr('rm', 'ended')
  })
})

describe('--userns-remap', () => {
  const remap = ['--userns-remap', 'auto']

  /** The user of the host that is root inside. */
  async function hostRoot(): Promise<number> {
    const [inside, outside, size] = (await debian.inside('cat /proc/self/uid_map', ...remap))
      .trim()
      .split(/\s+/)
    assert.equal(inside, '0')
    assert.ok(Number(outside) > 0 && Number(size) >= 65536)
    return Number(outside)
  }

  it('makes root inside an ordinary user of the host', async () => {
    const root = await hostRoot()
    const running = debian.start(remap, ['sh', '-c', 'id -u; sleep 1000; true'])
    while (running.output() === '') await sleep(10)
    assert.equal(running.output(), '0\n')
    const [id] = idsIn(debian.store().runRoot)
    const { pid } = JSON.parse(readFileSync(join(debian.store().runRoot, id!, 'state.json'), 'utf8'))
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    assert.match(status, new RegExp(`^Uid:\\t${root}\\t${root}\\t${root}\\t${root}$`, 'm'))
    process.kill(pid, 'SIGKILL')
    assert.equal((await running.outcome).status, 137)
  })

  it('shows the image’s files with their own owners, and setuid programs work', async () => {
    assert.equal(
      await debian.inside('stat -c %u:%g:%a /bin/su /etc/shadow /var/mail', ...remap),
      '0:0:4755\n0:42:640\n0:8:2775',
    )
    assert.equal(
      await debian
        .inside(
          'su -s /bin/sh mail -c "id -u; cat /etc/shadow" 2>/dev/null; su -s /bin/sh daemon -c "passwd -S daemon"',
          ...remap,
        )
        .then(text => text.split('\n')[0]),
      '8',
    )
    const setuid =
      'cp /usr/bin/id /tmp/id; chown mail /tmp/id; chmod u+s /tmp/id; su -s /bin/sh daemon -c "/tmp/id -u"'
    assert.equal(await debian.inside(setuid, ...remap), '8')
  })

  it('writes what the container writes as the mapped users', async () => {
    const root = await hostRoot()
    const run = debian.startKept(
      [...remap, '--name', 'mapped'],
      [
        'sh',
        '-c',
        'touch /new; touch /mails; chown mail:mail /mails; rm /etc/debian_version; chmod 600 /etc/issue',
      ],
    )
    assert.equal((await run.outcome).status, 0)
    const [id] = namesIn(join(debian.store().root, 'containers'))
    const upper = join(debian.store().root, 'containers', id!, 'upper')
    assert.equal(statSync(join(upper, 'new')).uid, root)
    assert.equal(statSync(join(upper, 'mails')).uid, root + 8)
    assert.equal(statSync(join(upper, 'etc/issue')).uid, root)
    assert.ok(statSync(join(upper, 'etc/debian_version')).isCharacterDevice(), 'a whiteout')
    assert.equal((await debian.minictr('rm', 'mapped')).status, 0)
  })

  it('gives files of the host that are nobody’s inside no rights', async () => {
    const root = await hostRoot()
    const directory = debian.directory()
    chmodSync(directory, 0o755)
    writeFileSync(join(directory, 'secret'), 'of the host', { mode: 0o600 })
    mkdirSync(join(directory, 'own'))
    execFileSync('chown', [`${root}:${root}`, join(directory, 'own')])
    const script =
      'stat -c %u:%g /d/secret /d/own; cat /d/secret 2>/dev/null; touch /d/x 2>/dev/null || echo no; touch /d/own/x && echo yes'
    assert.equal(await debian.inside(script, ...remap, '-v', `${directory}:/d`), '65534:65534\n0:0\nno\nyes')
    assert.equal(statSync(join(directory, 'own/x')).uid, root)
  })

  it('has devices, a terminal, pipes and all the mounts', async () => {
    const script =
      'echo out > /dev/stdout; head -c 1 /dev/zero | wc -c; : > /dev/null; ls /dev/pts /dev/mqueue; mount | grep -c cgroup; hostname x; cat /proc/sys/net/ipv4/ping_group_range'
    const { status, stdout } = await debian.run([...remap], ['sh', '-c', script])
    assert.equal(status, 0)
    assert.match(stdout, /^out\n1\n\/dev\/mqueue:\n\n\/dev\/pts:\nptmx\n/)
    assert.equal(
      await debian
        .inside('echo typed > /dev/stdout; tty', '-t', ...remap)
        .then(text => text.replaceAll('\r', '')),
      'typed\n/dev/pts/0',
    )
    assert.equal(await debian.inside('echo x > /dev/stdout; id -u', '-u', 'mail', ...remap), 'x\n8')
  })

  it('takes users of /etc/subuid and refuses what cannot be with mapped users', async () => {
    const refusals: [flags: string[], words: RegExp][] = [
      [['--userns-remap', 'nobody-has-this-name'], /\/etc\/subuid has no range for "nobody-has-this-name"/],
      [[...remap, '--privileged'], /privileged mode is incompatible with user namespaces/],
      [
        [...remap, '--network', 'host'],
        /cannot share the host's network namespace when user namespaces are enabled/,
      ],
      [[...remap, '--pid', 'host'], /cannot share the host PID namespace when user namespaces are enabled/],
    ]
    for (const [flags, words] of refusals) {
      const { status, stderr } = await debian.run(flags, ['true'])
      assert.equal(status, 125)
      assert.match(stderr, words)
    }
    assert.match(
      await debian.inside('cat /proc/self/uid_map', ...remap, '--userns', 'host'),
      /^\s*0\s+0\s+4294967295$/,
    )
  })
})
