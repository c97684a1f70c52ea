// One plan, two ways: what `run` makes and what the script of the same plan makes are the same container from inside.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { minictr, type Outcome } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { Machine } from '../networks/laboratory.ts'
import { probe, sectionsOf, withoutInherited } from './inside.ts'

let store: DebianStore
let shared: string
/** The host of these tests: a network namespace in which bridges may stay. */
let host: Machine
/** Of the containers that scripts made. */
const ids: string[] = []

before(async () => {
  ;[store, host] = await Promise.all([debianStore(), Machine.start()])
  await minictr([...store.globals, 'network', 'create', '--ipv6', 'web'])
  await minictr([...store.globals, 'network', 'create', 'more'])
  shared = join(store.root, 'shared')
  mkdirSync(shared)
  writeFileSync(join(shared, 'file'), 'from the host\n')
  mkdirSync(join(shared, 'below'))
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,size=1m', 'below', join(shared, 'below')])
})
after(async () => {
  await Promise.all(
    ['web', 'more'].map(name =>
      minictr([...store.globals, 'network', 'rm', name], { within: host.entrance }),
    ),
  )
  await host?.stop()
  if (shared) spawnSync('umount', [join(shared, 'below')])
  store?.remove()
})

/** The container as `run` makes it. */
function run(flags: string[], command: string[]): Promise<Outcome> {
  const args = ['run', '--rm', ...flags, store.image, ...command]
  return minictr([...store.globals, ...args], { within: host.entrance })
}

async function script(flags: string[], command: string[]): Promise<string> {
  const args = ['script', 'run', '--rm', ...flags, store.image, ...command]
  const { status, stdout, stderr } = await minictr([...store.globals, ...args], { within: host.entrance })
  assert.equal(status, 0, stderr)
  ids.push(/^ID=(.*)$/m.exec(stdout)![1]!)
  return stdout
}

/** The container as a shell makes it from the script. */
async function runScript(flags: string[], command: string[], input = ''): Promise<Outcome> {
  const file = join(store.root, 'box.sh')
  writeFileSync(file, await script(flags, command))
  return spawnWithin('bash', ['-c', withoutInherited, 'bash', 'sh', file], input)
}

/** Runs a command on the host of these tests. */
function spawnWithin(command: string, args: string[], input = '') {
  const [program, ...words] = [...host.entrance, command, ...args]
  return spawnSync(program!, words, { encoding: 'utf8', input })
}

function assertNothingLeft(): void {
  assert.deepEqual(readdirSync(join(store.root, 'containers')), [])
  assert.doesNotMatch(host.run('ip', ['-o', 'link']), /mctr/)
  assert.doesNotMatch(host.run('nft', ['list', 'ruleset']), /elements = \{ tcp/)
  for (const name of ['addresses', 'endpoints', 'hosts', 'names'])
    assert.deepEqual(
      filesBelow(join(store.runRoot, 'networks')).filter(path => path.includes(`/${name}/`)),
      [],
    )
  assert.deepEqual(readdirSync(join(store.root, 'names')), [])
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    for (const id of ids) assert.ok(!existsSync(`/sys/fs/cgroup/${hierarchy}/minictr/${id}`), hierarchy)
  }
}

/** The files below a directory, by their whole paths. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

const flagSets: { title: string; flags: () => string[] }[] = [
  { title: 'the defaults', flags: () => [] },
  { title: 'no network', flags: () => ['--network', 'none'] },
  {
    title: 'a network of somebody’s own, with a name and a port',
    flags: () => ['--network', 'web', '--network-alias', 'www', '-p', '8080:80', '-h', 'box'],
  },
  {
    title: 'two networks',
    flags: () => ['--network', 'name=web,mac-address=02:00:00:00:00:09', '--network', 'name=more'],
  },
  {
    title: 'a user with groups and fewer capabilities',
    flags: () => ['--user', 'www-data:games', '--cap-drop', 'ALL', '--cap-add', 'CHOWN'],
  },
  { title: 'another root by number', flags: () => ['-u', '0:33', '--group-add', 'audio'] },
  {
    title: 'limits',
    flags: () => [
      '-m',
      '64m',
      '--cpus',
      '0.5',
      '--cpu-shares',
      '512',
      '--pids-limit',
      '64',
      '--cpuset-cpus',
      '0',
    ],
  },
  {
    title: 'a read-only root with a tmpfs',
    flags: () => ['--read-only', '--tmpfs', '/tmp:size=1m,mode=1770', '--shm-size', '1m'],
  },
  {
    title: 'files and directories of the host',
    flags: () => [
      '-v',
      `${shared}:/made/here`,
      '-v',
      `${shared}/file:/etc/given:ro`,
      '-v',
      `${shared}:/mnt:ro`,
    ],
  },
  { title: 'the network of the host', flags: () => ['--network', 'host'] },
  {
    title: 'the namespaces of the host',
    flags: () => ['--pid', 'host', '--ipc', 'host', '--uts', 'host', '--network', 'host'],
  },
  { title: 'privileges', flags: () => ['--privileged'] },
  {
    title: 'a place, a name and an environment',
    flags: () => [
      '-w',
      '/srv/made',
      '--hostname',
      'box',
      '--domainname',
      'example',
      '-e',
      "GREETING=it's a\nnew day",
      '-e',
      'EMPTY=',
    ],
  },
  {
    title: 'limits of the process, settings of the kernel, no new privileges',
    flags: () => [
      ...['--ulimit', 'nofile=100:200', '--ulimit', 'core=0', '--sysctl', 'net.ipv4.ip_forward=1'],
      ...['--oom-score-adj', '300', '--security-opt', 'no-new-privileges'],
    ],
  },
  { title: 'its own view of cgroups', flags: () => ['--cgroupns', 'private'] },
]

describe('a container made by a script, from inside, is the one made by run', () => {
  for (const { title, flags } of flagSets) {
    it(`with ${title}`, async () => {
      const made = await run(flags(), ['sh', '-c', probe])
      const scripted = await runScript(flags(), ['sh', '-c', probe])
      assert.equal(made.status, 0, made.stderr)
      assert.equal(scripted.status, 0, scripted.stderr)
      const expected = sectionsOf(made.stdout)
      const actual = sectionsOf(scripted.stdout)
      assert.ok(Object.keys(expected).length >= 18, made.stdout)
      assertSeccomp(expected, actual, scripted.stderr)
      for (const [name, text] of Object.entries(expected)) assert.equal(actual[name], text, name)
      assertNothingLeft()
    })
  }
})

/** Loading a filter is the one thing for which an old setpriv has no option; the script must say so then. */
function assertSeccomp(
  expected: Record<string, string>,
  actual: Record<string, string>,
  warnings: string,
): void {
  const isFiltered = expected.seccomp === 'Seccomp:\t2\n'
  const canLoad = spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout.includes('--seccomp-filter')
  assert.equal(/No seccomp filter/.test(warnings), isFiltered && !canLoad)
  if (!canLoad) delete expected.seccomp
  assert.equal(actual.seccomp, canLoad ? expected.seccomp : 'Seccomp:\t0\n')
}

describe('the script of a container', () => {
  it('ends with the status of the program', async () => {
    for (const [command, status] of [
      [['sh', '-c', 'exit 7'], 7],
      [['no-such-program'], 127],
      [['/etc/passwd'], 126],
      [['sh', '-c', 'kill -9 $$; sleep 1'], 137],
    ] as const) {
      const scripted = await runScript(['--network', 'none', '--init'], [...command])
      if (status !== 137) assert.equal(scripted.status, status, scripted.stderr)
      assertNothingLeft()
    }
  })

  it('passes standard input on where the run would', async () => {
    const withInput = await runScript(['-i', '--network', 'none'], ['cat'], 'through all of it\n')
    assert.equal(withInput.stdout, 'through all of it\n')
    const without = await runScript(['--network', 'none'], ['cat'], 'not wanted\n')
    assert.equal(without.stdout, '')
  })

  it('uses the terminal it was started from', async () => {
    const file = join(store.root, 'box.sh')
    writeFileSync(
      file,
      await script(['-it', '--network', 'none'], ['sh', '-c', 'test -t 0 && echo a terminal']),
    )
    const { status, stdout } = spawnSync('script', ['-qec', `sh ${file}`, '/dev/null'], {
      encoding: 'utf8',
      input: '',
    })
    assert.equal(status, 0, stdout)
    assert.match(stdout, /a terminal/)
    assertNothingLeft()
  })

  it('takes nothing away that another container has', async () => {
    const name = join(store.root, 'names', 'taken')
    const text = await script(['--network', 'none', '--name', 'taken'], ['true'])
    writeFileSync(name, 'somebody else')
    const { status, stderr } = spawnSync('sh', { input: text, encoding: 'utf8' })
    assert.notEqual(status, 0)
    assert.match(stderr, /taken: File exists|cannot create/)
    assert.equal(readFileSync(name, 'utf8'), 'somebody else')
    spawnSync('rm', [name])
    assertNothingLeft()
  })

  it('undoes what it did when a command in the middle fails', async () => {
    const text = await script(['--network', 'none'], ['true'])
    const broken = text.replace(/^mount -t proc .*$/m, 'mount -t no-such-file-system none $ROOT/proc')
    assert.notEqual(broken, text)
    const { status } = spawnSync('sh', { input: broken, encoding: 'utf8' })
    assert.notEqual(status, 0)
    assertNothingLeft()
  })

  it('stops at a link of the image that leads out of the root', async () => {
    const outside = join(tmpdir(), `minictr-outside-${process.pid}`)
    const text = await script(['--network', 'none', '-v', `${shared}:/escape/inner`], ['true'])
    const hostile = text.replace(
      /^# This shell follows links/m,
      `ln -s ${outside} $ROOT/escape\n# This shell follows links`,
    )
    assert.notEqual(hostile, text)
    const { status, stderr } = spawnSync('sh', { input: hostile, encoding: 'utf8' })
    assert.equal(status, 125)
    assert.match(stderr, /the image has a link that leads \/escape\/inner out of its root/)
    assert.ok(!existsSync(outside))
    assertNothingLeft()
  })

  it('says what an old mount cannot do, and does nothing', async () => {
    const canMap = spawnSync('mount', ['--version'], { encoding: 'utf8' }).stdout.includes('idmapping')
    const { status, stderr } = await runScript(['--network', 'none', '--userns-remap', 'auto'], ['true'])
    assert.equal(status, canMap ? 0 : 125)
    if (!canMap)
      assert.match(stderr, /mount\(8\) cannot map the owners of files here: util-linux 2\.39 or later can/)
    assertNothingLeft()
  })

  it('needs nothing of minictr', async () => {
    const commands = (await script(['--network', 'none'], ['true']))
      .split('\n')
      .filter(line => !line.startsWith('#'))
    assert.deepEqual(
      commands.filter(line =>
        /\b(node|minictr)\b/.test(line.replaceAll(store.root, '').replaceAll('/minictr', '')),
      ),
      [],
    )
  })
})

/** A Debian 13 as the host: its setpriv loads the filter, its mount has the newer interface and maps owners. */
describe('the script on a Debian 13', () => {
  for (const [title, flags] of [
    ['a user and the network of the host', ['--network', 'host', '--user', '33:33']],
    ['a user namespace', ['--network', 'none', '--hostname', 'box', '--userns-remap', 'auto']],
  ] as const) {
    it(`makes the container of the run: ${title}`, async () => {
      const made = sectionsOf((await run([...flags], ['sh', '-c', probe])).stdout)
      writeFileSync(join(store.root, 'box.sh'), await script([...flags], ['sh', '-c', probe]))
      const { status, stdout, stderr } = onDebian()
      assert.equal(status, 0, stderr)
      const scripted = sectionsOf(stdout)
      assert.equal(scripted.seccomp, 'Seccomp:\t2\n')
      // setpriv does not load a filter without this bit, and the script says so.
      scripted.status = scripted.status!.replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0')
      // This Debian is too small to have ip(8), so nobody switched the loopback on.
      delete made.network
      for (const [name, text] of Object.entries(made)) assert.equal(scripted[name], text, name)
      assertNothingLeft()
    })
  }
})

/** Runs box.sh where this machine's Debian image is the host's root. */
function onDebian(): Outcome {
  const layers = join(store.root, 'layers')
  const [layer] = readdirSync(layers)
  const place = join(store.root, 'debian')
  mkdirSync(place)
  const debian = ['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', asDebianHost, 'sh']
  const args = [...debian, place, join(layers, layer!, 'fs'), store.root]
  const outcome = spawnWithin('bash', ['-c', withoutInherited, 'bash', ...args])
  rmSync(place, { recursive: true })
  return outcome
}

/** Makes Debian the root of a mount namespace, the store in its place within, and runs the script there. */
const asDebianHost = `
place=$1 layer=$2 store=$3
mount -t tmpfs -o mode=755 tmpfs "$place"
mkdir "$place/up" "$place/work" "$place/root"
mount -t overlay -o "lowerdir=$layer,upperdir=$place/up,workdir=$place/work" overlay "$place/root"
for directory in proc sys dev; do mount --rbind "/$directory" "$place/root/$directory"; done
mkdir -p "$place/root$store" "$place/root/old"
mount --bind "$store" "$place/root$store"
cd "$place/root"
pivot_root . old
umount -l /old
ln -s /bin/true /bin/ip
exec sh "$store/box.sh"
`
