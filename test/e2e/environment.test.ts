// What a program finds around it: variables, directory, user and groups, names of hosts, and what is written down of it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { namesIn, useDebian } from './debian.ts'
import { pullVariant } from './variant.ts'

const debian = useDebian()
let variant: string
before(async () => {
  variant = await pullVariant(debian, {
    Env: ['PATH=/usr/bin:/of/the/image', 'LEVEL=image', 'SPACE=a b'],
    Entrypoint: ['/usr/bin/env', '-'],
    Cmd: ['FROM=cmd', '/usr/bin/env'],
    User: 'mail:games',
    WorkingDir: '/made/by/minictr',
    Labels: { kept: 'image', changed: 'image' },
    StopSignal: 'SIGUSR1',
  })
})

/** What `minictr run --rm FLAGS variant COMMAND` prints. */
async function ofVariant(flags: string[], command: string[] = []): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr('run', '--rm', ...flags, variant, ...command)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout.trimEnd()
}

async function assertRefused(words: RegExp, ...flags: string[]): Promise<void> {
  const { status, stdout, stderr } = await debian.run(flags, ['true'])
  assert.deepEqual({ status, stdout }, { status: 125, stdout: '' }, stderr)
  assert.match(stderr, words)
}

describe('the environment', () => {
  it('holds PATH, HOSTNAME and HOME, and nothing of the host’s', async () => {
    const { stdout } = await debian.run([], ['env'], { env: { SECRET: 'of the host' } })
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    assert.match(stdout, new RegExp(`^${path}\nHOSTNAME=[0-9a-f]{12}\nHOME=/root\n$`))
    assert.match((await debian.run(['-t'], ['env'])).stdout, /^TERM=xterm\r?$/m)
  })

  it('takes variables of the flags, of the host by name, and of files', async () => {
    const file = join(debian.directory(), 'variables')
    writeFileSync(file, '# told\n\n  BLANK= two words \nGIVEN=file\nFROM_HOST\nNOWHERE\nQUOTED="as it is"\n')
    const flags = [
      '-e',
      'GIVEN=a=b',
      '--env-file',
      file,
      '--env',
      'ALSO',
      '-e',
      'UNSET',
      '-e',
      'EMPTY=',
      '-e',
      'HOME=/h',
    ]
    const { stdout } = await debian.run(flags, ['env'], { env: { FROM_HOST: 'inherited', ALSO: 'x' } })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .filter(line => !/^(PATH|HOSTNAME)=/.test(line))
    assert.deepEqual(lines.sort(), [
      'ALSO=x',
      'BLANK= two words ',
      'EMPTY=',
      'FROM_HOST=inherited',
      'GIVEN=a=b',
      'HOME=/h',
      'QUOTED="as it is"',
    ])
    await assertRefused(/open .*nosuch: no such file or directory/, '--env-file', `${file}nosuch`)
    writeFileSync(file, 'A=1\nTWO WORDS=2\n')
    await assertRefused(
      /line 2: poorly formatted environment: variable 'TWO WORDS' contains whitespaces/,
      '--env-file',
      file,
    )
  })

  it('is the image’s where the flags say nothing; a name alone takes a variable away', async () => {
    const flags = ['--entrypoint', 'env', '-e', 'LEVEL=flag', '-e', 'SPACE']
    const lines = (await ofVariant(flags)).split('\n')
    assert.ok(lines.includes('PATH=/usr/bin:/of/the/image'))
    assert.ok(lines.includes('LEVEL=flag'))
    assert.ok(!lines.some(line => line.startsWith('SPACE')))
    assert.ok(lines.includes('HOME=/var/mail'))
  })
})

describe('the program', () => {
  it('is the image’s entrypoint with its command or the one given', async () => {
    assert.equal(await ofVariant([]), 'FROM=cmd')
    assert.equal(await ofVariant([], ['FROM=me', 'env']), 'FROM=me')
    assert.equal(await ofVariant(['--entrypoint', '/bin/echo'], ['a', 'b c']), 'a b c')
    assert.equal(await ofVariant(['--entrypoint', ''], ['echo', 'no entrypoint']), 'no entrypoint')
  })

  it('starts in the directory of the image or of --workdir, made where it is missing', async () => {
    assert.equal(await ofVariant(['--entrypoint', 'pwd']), '/made/by/minictr')
    assert.equal(
      await debian.inside('pwd; stat -c "%U %a" .', '-w', '/no/such//place/', '-u', 'daemon'),
      '/no/such/place\nroot 755',
    )
  })
})

describe('the user', () => {
  const whoami = 'echo $(id -u):$(id -g):$(id -G) $HOME'
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
    for (const [flags, expected] of users)
      assert.equal(await debian.inside(whoami, ...flags), expected, flags.join(' '))
    assert.equal(await ofVariant(['--entrypoint', 'sh'], ['-c', whoami]), '8:60:60 /var/mail')
  })
})

describe('names of hosts', () => {
  it('are the beginning of the id, or what --hostname and --domainname say', async () => {
    const script = 'hostname; cat /etc/hostname /proc/sys/kernel/domainname; echo $HOSTNAME'
    const [name, ...rest] = (await debian.inside(script)).split('\n')
    assert.match(name!, /^[0-9a-f]{12}$/)
    assert.deepEqual(rest, [name, '(none)', name])
    const flags = ['-h', 'box', '--domainname', 'example.org']
    assert.equal(await debian.inside(script, ...flags), 'box\nbox\nexample.org\nbox')
    assert.equal(
      await debian.inside('hostname; echo $HOSTNAME', '--uts', 'host'),
      `${hostname()}\n${hostname()}`,
    )
    await assertRefused(/conflicting options: hostname and the UTS mode/, '--uts', 'host', '-h', 'box')
  })

  it('stand in /etc/hosts and /etc/resolv.conf', async () => {
    const flags = ['--add-host', 'one:192.0.2.1', '--add-host', 'six=[2001:db8::1]', '--dns', '192.0.2.53']
    const more = ['--dns-search', 'example.org', '--dns-search', 'example.net', '--dns-option', 'ndots:3']
    const script =
      'tail -n 2 /etc/hosts; cat /etc/resolv.conf; getent hosts one; getent ahostsv6 six | head -n 1; echo 192.0.2.2 mine >> /etc/hosts'
    assert.equal(
      (await debian.inside(script, ...flags, ...more)).replaceAll(/[\t ]+/g, ' '),
      '192.0.2.1 one\n2001:db8::1 six\nsearch example.org example.net\nnameserver 192.0.2.53\noptions ndots:3\n' +
        '192.0.2.1 one\n2001:db8::1 STREAM six',
    )
    await assertRefused(/invalid IP address in add-host: "nowhere"/, '--add-host', 'a:nowhere')
    await assertRefused(/IP address is not correctly formatted: dns/, '--dns', 'dns')
  })

  it('are the host’s own with its network', async () => {
    const own = `${hostname()}\n${readFileSync('/etc/hosts', 'utf8')}${readFileSync('/etc/resolv.conf', 'utf8')}`
    const inside = await debian.inside('hostname; cat /etc/hosts /etc/resolv.conf', '--network', 'host')
    assert.equal(inside, own.replace(/\n$/, ''))
  })
})

describe('what is written down of a container', () => {
  it('is its labels, the image’s among them, and its annotations', async () => {
    const { root } = debian.store()
    const flags = [
      '--label',
      'changed=flag',
      '-l',
      'bare',
      '--annotation',
      'org.example.note=as = given',
      '--name',
      'noted',
    ]
    const outcome = await debian.minictr('run', ...flags, '--entrypoint', 'true', variant)
    assert.equal(outcome.status, 0, outcome.stderr)
    const [id] = namesIn(join(root, 'containers'))
    const { annotations } = JSON.parse(readFileSync(join(root, 'containers', id!, 'config.json'), 'utf8'))
    assert.equal(annotations['org.example.note'], 'as = given')
    assert.deepEqual(JSON.parse(annotations['minictr.labels']), { kept: 'image', changed: 'flag', bare: '' })
    assert.equal(annotations['minictr.stop-signal'], 'SIGUSR1')
    assert.equal((await debian.minictr('rm', 'noted')).status, 0)
    assert.ok(!existsSync(join(root, 'containers', id!)))
    await assertRefused(/names that begin with minictr\. are its own/, '--annotation', 'minictr.name=x')
  })
})

describe('a flag of Docker’s that is not here', () => {
  const refused = [
    '--detach',
    '--restart=always',
    '--publish=80:80',
    '--volumes-from=x',
    '--gpus=all',
    '--log-driver=none',
  ]
  it('is refused by its name, and nothing runs', async () => {
    for (const flag of refused) {
      await assertRefused(new RegExp(`^minictr: ${flag.replace(/=.*/, '')}`), flag)
    }
  })
})
