// What an image says of the program it is made for, what flags say against it, and the names a container shares with
// its host.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { namesIn, useDebian } from './debian.ts'
import { pullVariant } from './variant.ts'

const debian = useDebian()
const settings = {
  Env: ['PATH=/usr/bin:/of/the/image', 'LEVEL=image', 'SPACE=a b'],
  Entrypoint: ['/usr/bin/env', '-'],
  Cmd: ['FROM=cmd', '/usr/bin/env'],
  User: 'mail:games',
  WorkingDir: '/made/by/minictr',
  Labels: { kept: 'image', changed: 'image' },
  StopSignal: 'SIGUSR1',
}
let pulled: Promise<string> | undefined
const variant = () => {
  pulled ??= pullVariant(debian, settings)
  return pulled
}

/** What `minictr run --rm FLAGS variant COMMAND` prints. */
async function ofVariant(flags: string[], command: string[] = []): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(
    ...['run', '--rm', '--network', 'none', ...flags],
    await variant(),
    ...command,
  )
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout.trimEnd()
}

async function assertRefused(words: RegExp, ...flags: string[]): Promise<void> {
  const { status, stdout, stderr } = await debian.run(flags, ['true'])
  assert.deepEqual({ status, stdout }, { status: 125, stdout: '' }, stderr)
  assert.match(stderr, words)
}

describe('an image', () => {
  it('sets variables, which flags change or take away', async () => {
    const lines = (await ofVariant(['--entrypoint', 'env', '-e', 'LEVEL=flag', '-e', 'SPACE'])).split('\n')
    assert.deepEqual(lines.filter(line => !line.startsWith('HOSTNAME=')).sort(), [
      'HOME=/var/mail',
      'LEVEL=flag',
      'PATH=/usr/bin:/of/the/image',
    ])
  })

  it('names the program: its entry point, with its command or the one given', async () => {
    assert.equal(await ofVariant([]), 'FROM=cmd')
    assert.equal(await ofVariant([], ['FROM=me', 'env']), 'FROM=me')
    assert.equal(await ofVariant(['--entrypoint', '/bin/echo'], ['a', 'b c']), 'a b c')
    assert.equal(await ofVariant(['--entrypoint', ''], ['echo', 'no entry point']), 'no entry point')
  })

  it('names the user, with groups from its files, and the directory, made where it is missing', async () => {
    const script = 'echo $(id -u):$(id -g):$(id -G) $HOME $PWD $(stat -c "%U %a" .)'
    assert.equal(
      await ofVariant(['--entrypoint', 'sh'], ['-c', script]),
      '8:60:60 /var/mail /made/by/minictr root 755',
    )
    const flags = ['-u', 'daemon', '-w', '/no/such//place/', '--entrypoint', 'sh']
    assert.equal(await ofVariant(flags, ['-c', script]), '1:1:1 /usr/sbin /no/such/place root 755')
  })

  it('has labels and a stop signal, written down with those of the flags', async () => {
    const { root } = debian.store()
    const flags = ['--label', 'changed=flag', '-l', 'bare', '--annotation', 'org.example.note=as = given']
    const command = ['run', '--name', 'noted', ...flags, '--entrypoint', 'true', await variant()]
    assert.equal((await debian.minictr(...command)).status, 0)
    const [id] = namesIn(join(root, 'containers'))
    const [{ annotations }, { labels, stopSignal }] = ['config.json', 'container.json'].map(name =>
      JSON.parse(readFileSync(join(root, 'containers', id!, name), 'utf8')),
    )
    assert.equal(annotations['org.example.note'], 'as = given')
    assert.deepEqual(labels, { kept: 'image', changed: 'flag', bare: '' })
    assert.equal(stopSignal, 'SIGUSR1')
    assert.equal((await debian.minictr('rm', 'noted')).status, 0)
    await assertRefused(/names that begin with minictr\. are its own/, '--annotation', 'minictr.name=x')
  })
})

describe('the environment', () => {
  it('holds PATH, HOSTNAME and HOME, what was given, and nothing of the host’s', async () => {
    const flags = ['-e', 'GIVEN=a=b', '--env', 'FROM_HOST', '-e', 'UNSET', '-e', 'EMPTY=']
    const { stdout } = await debian.run(flags, ['env'], { env: { FROM_HOST: 'inherited', SECRET: 'x' } })
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    assert.match(
      stdout,
      new RegExp(`^${path}\nHOSTNAME=[0-9a-f]{12}\nGIVEN=a=b\nFROM_HOST=inherited\nEMPTY=\nHOME=/root\n$`),
    )
  })

  it('has TERM with a terminal', async () => {
    assert.match((await debian.run(['-t'], ['env'])).stdout, /^TERM=xterm\r?$/m)
  })

  it('refuses a file that is no list of variables, naming the line', async () => {
    const file = join(debian.directory(), 'variables')
    writeFileSync(file, 'A=1\nTWO WORDS=2\n')
    await assertRefused(/line 2: .*variable 'TWO WORDS' contains whitespaces/, '--env-file', file)
  })
})

describe('the user', () => {
  const users: [flags: string[], expected: string][] = [
    [[], '0:0:0 /root'],
    [['-u', 'daemon'], '1:1:1 /usr/sbin'],
    [['-u', 'daemon:mail'], '1:8:8 /usr/sbin'],
    [['-u', '1'], '1:1:1 /usr/sbin'],
    [['-u', '1234'], '1234:0:0 /'],
    [['-u', '1234:5678'], '1234:5678:5678 /'],
    [['-u', ':games'], '0:60:60 /root'],
    [['-u', '33:33', '--group-add', 'staff', '--group-add', '77'], '33:33:33 50 77 /var/www'],
  ]
  it('is looked up in the files of the image, by name or number', async () => {
    for (const [flags, expected] of users) {
      assert.equal(await debian.inside('echo $(id -u):$(id -g):$(id -G) $HOME', ...flags), expected)
    }
  })
})

describe('names', () => {
  it('are the beginning of the id, or what --hostname and --domainname say', async () => {
    const script = 'hostname; cat /etc/hostname /proc/sys/kernel/domainname; echo $HOSTNAME'
    const [name, ...rest] = (await debian.inside(script)).split('\n')
    assert.match(name!, /^[0-9a-f]{12}$/)
    assert.deepEqual(rest, [name, '(none)', name])
    const flags = ['-h', 'box', '--domainname', 'example.org']
    assert.equal(await debian.inside(script, ...flags), 'box\nbox\nexample.org\nbox')
  })

  it('of other machines come from --add-host and --dns', async () => {
    const flags = ['--add-host', 'one:192.0.2.1', '--dns', '192.0.2.53', '--dns-option', 'ndots:3']
    const search = ['--dns-search', 'example.org', '--dns-search', 'example.net']
    assert.equal(
      await debian.inside('tail -n 1 /etc/hosts; cat /etc/resolv.conf', ...flags, ...search),
      '192.0.2.1\tone\nsearch example.org example.net\nnameserver 192.0.2.53\noptions ndots:3',
    )
  })

  it('of a container are its own, whatever file it writes', async () => {
    const script = 'echo 192.0.2.2 mine >> /etc/hosts; getent hosts mine six'
    const seen = await debian.inside(script, '--add-host', 'six=2001:db8::1')
    assert.equal(seen.replaceAll(/ +/g, ' '), '192.0.2.2 mine\n2001:db8::1 six')
    assert.doesNotMatch(readFileSync('/etc/hosts', 'utf8'), /192\.0\.2\.2/)
    await assertRefused(/invalid IP address in add-host: "nowhere"/, '--add-host', 'a:nowhere')
    await assertRefused(/IP address is not correctly formatted: dns/, '--dns', 'dns')
  })

  it('are the host’s own with its network or its UTS namespace', async () => {
    const own = `${hostname()}\n${readFileSync('/etc/hosts', 'utf8')}${readFileSync('/etc/resolv.conf', 'utf8')}`
    const inside = await debian.inside('hostname; cat /etc/hosts /etc/resolv.conf', '--network', 'host')
    assert.equal(inside, own.replace(/\n$/, ''))
    const named = await debian.inside('hostname; echo $HOSTNAME', '--uts', 'host')
    assert.equal(named, `${hostname()}\n${hostname()}`)
    await assertRefused(/conflicting options: hostname and the UTS mode/, '--uts', 'host', '-h', 'box')
  })
})
