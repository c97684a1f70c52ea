// The mounts a user and an image ask for, in the OCI configuration.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { configure, directory, fakeHost, makeLayers, userFiles } from './request.ts'

const layers = makeLayers(
  { ...userFiles, '/srv/data/old': 'old', '/srv/data/both': 'below', '/empty/': '' },
  { '/srv/data/both': 'above', '/link/': '' },
)
after(() => layers.remove())

type Change = Parameters<typeof configure>[1]
const run = (line: string | string[], change?: Change) => configure(line, { layers: layers.stack, ...change })
const mountsOf = (line: string, change?: Change) => run(line, change).spec.mounts
const at = (destination: string, line: string, change?: Change) =>
  mountsOf(line, change).find(mount => mount.destination === destination)

describe('a bind mount', () => {
  const options: [line: string, options: string[]][] = [
    ['-v /tmp:/x', ['rbind', 'rprivate']],
    ['-v /tmp:/x:ro', ['rbind', 'rro', 'rprivate']],
    ['-v /tmp:/x:rslave', ['rbind', 'rslave']],
    ['--mount type=bind,src=/tmp,dst=/x,bind-nonrecursive,ro', ['bind', 'ro', 'rprivate']],
    ['--mount type=bind,src=/tmp,dst=/x,bind-propagation=shared', ['rbind', 'shared']],
  ]
  for (const [line, expected] of options) {
    it(line, () => {
      const host = fakeHost({ '/proc/self/mountinfo': '20 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n' })
      assert.deepEqual(at('/x', line, { host }), {
        destination: '/x',
        type: 'bind',
        source: '/tmp',
        options: expected,
      })
    })
  }

  it('of -v makes a missing source, of --mount does not', () => {
    assert.deepEqual(run('-v /tmp/a/b:/x -v /tmp/a/c:/y').directories, [
      { path: '/tmp/a', mode: 0o755 },
      { path: '/tmp/a/b', mode: 0o755 },
      { path: '/tmp/a/c', mode: 0o755 },
    ])
    assert.throws(() => run('--mount type=bind,src=/tmp/a,dst=/x'), {
      message: 'invalid mount config for type "bind": bind source path does not exist: /tmp/a',
      exitStatus: 125,
    })
  })

  it('stays tied to the host only where its source is', () => {
    const mountinfo = [
      '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda rw',
      '21 20 0:30 / /tmp rw - tmpfs tmpfs rw',
      '22 20 0:31 / /slaved\\040here rw master:1 - tmpfs tmpfs rw',
    ]
    const host = fakeHost({ '/proc/self/mountinfo': mountinfo.join('\n'), '/slaved here': undefined })
    const mode = (line: string[]) => run(line, { host }).spec.mounts.at(-1)
    assert.throws(() => mode(['-v', '/tmp:/x:rslave']), {
      message: 'path /tmp is mounted on /tmp but it is not a shared or slave mount (propagation rslave)',
      exitStatus: 125,
    })
    assert.ok(mode(['-v', '/etc:/x:rshared']))
    assert.ok(mode(['-v', '/slaved here:/x:rslave']))
    assert.throws(() => mode(['-v', '/slaved here:/x:shared']), /it is not a shared mount/)
    assert.ok(mode(['-v', '/tmp:/x:rprivate']))
  })

  it('takes the place of a standard mount', () => {
    assert.equal(at('/dev/shm', '-v /tmp:/dev/shm')?.type, 'bind')
    assert.equal(at('/etc/hosts', '-v /etc/hosts:/etc/hosts')?.source, '/etc/hosts')
    assert.equal(mountsOf('-v /tmp:/sys').filter(({ destination }) => destination === '/sys').length, 1)
  })

  it('lies nowhere in /proc, where the kernel tells programs about themselves; single files that only tell may be covered', () => {
    assert.throws(() => mountsOf('-v /tmp:/proc'), /\/tmp cannot be mounted at \/proc: it is inside \/proc/)
    assert.throws(() => mountsOf('-v /tmp:/proc/self'), /inside \/proc/)
    assert.equal(at('/proc/uptime', '-v /etc/hostname:/proc/uptime')?.type, 'bind')
    assert.equal(at('/proc/acpi', '--tmpfs /proc/acpi')?.type, 'tmpfs')
  })

  it('of /dev leaves nothing of the standard /dev', () => {
    const destinations = mountsOf('-v /tmp:/dev').map(({ destination }) => destination)
    assert.deepEqual(
      destinations.filter(destination => destination.startsWith('/dev')),
      ['/dev'],
    )
  })

  it('comes after those it lies in', () => {
    const destinations = mountsOf('-v /tmp:/a/b/c -v /tmp:/a -v /tmp:/a/b').map(mount => mount.destination)
    assert.deepEqual(
      destinations.filter(destination => destination.startsWith('/a')),
      ['/a', '/a/b', '/a/b/c'],
    )
  })
})

describe('a tmpfs', () => {
  const options: [line: string, options: string[]][] = [
    ['--tmpfs /t', ['noexec', 'nosuid', 'nodev']],
    ['--tmpfs /t:exec,size=1m', ['nosuid', 'nodev', 'exec', 'size=1m']],
    ['--tmpfs /t:suid,dev,exec', ['suid', 'dev', 'exec']],
    ['--mount type=tmpfs,dst=/t,tmpfs-mode=700,ro', ['noexec', 'nosuid', 'nodev', 'mode=700', 'ro']],
  ]
  for (const [line, expected] of options) {
    it(line, () => {
      assert.deepEqual(at('/t', line), {
        destination: '/t',
        type: 'tmpfs',
        source: 'tmpfs',
        options: expected,
      })
    })
  }
})

describe('a volume without a name', () => {
  it('that the image declares shows what the image has there, without copying it', () => {
    const { spec, directories } = run('', { config: { Cmd: ['sh'], Volumes: { '/srv/data': {} } } })
    const place = `${directory}/volumes/srv-data`
    assert.deepEqual(
      spec.mounts.find(({ destination }) => destination === '/srv/data'),
      {
        destination: '/srv/data',
        type: 'overlay',
        source: 'overlay',
        options: [
          `lowerdir=${layers.paths[1]}/srv/data:${layers.paths[0]}/srv/data`,
          `upperdir=${place}/data`,
          `workdir=${place}/work`,
        ],
      },
    )
    assert.deepEqual(
      directories.map(({ path }) => path),
      [`${directory}/volumes`, place, `${place}/data`, `${place}/work`],
    )
  })

  it('has the owner and mode of the image’s directory', () => {
    const { directories } = run('-v /empty')
    assert.deepEqual(directories[2], {
      path: `${directory}/volumes/empty/data`,
      mode: 0o755,
      uid: process.getuid!(),
      gid: process.getgid!(),
    })
  })

  it('is an empty directory where the image has none', () => {
    assert.deepEqual(at('/new', '-v /new'), {
      destination: '/new',
      type: 'bind',
      source: `${directory}/volumes/new/data`,
      options: ['rbind'],
    })
  })

  it('shares its directory with no other, whatever they are called', () => {
    const config = { Cmd: ['sh'], Volumes: { '/a/b': {}, '/a-b': {} } }
    const sources = ['/a/b', '/a-b'].map(target => at(target, '', { config })?.source)
    assert.notEqual(sources[0], sources[1])
  })

  it('is refused where it would hide the root', () => {
    const config = { Cmd: ['sh'], Volumes: { '/x/..': {} } }
    assert.throws(() => run('', { config }), /declares a volume at \//)
  })

  it('begins empty with volume-nocopy', () => {
    assert.equal(at('/srv/data', '--mount dst=/srv/data,volume-nocopy')?.type, 'bind')
  })

  it('gives way to a mount of the user’s', () => {
    const config = { Cmd: ['sh'], Volumes: { '/srv/data': {} } }
    assert.equal(at('/srv/data', '--tmpfs /srv/data', { config })?.type, 'tmpfs')
    assert.equal(at('/srv/data', '-v /tmp:/srv/data', { config })?.source, '/tmp')
  })

  it('belongs to the mapped users', () => {
    const host = fakeHost({ '/etc/subuid': 'ann:100000:65536\n', '/etc/subgid': 'ann:200000:65536\n' })
    const { spec, directories } = run('-v /new --userns-remap ann', { host })
    assert.equal(spec.mounts.find(({ destination }) => destination === '/new')?.type, 'bind')
    assert.deepEqual(directories[2], {
      path: `${directory}/volumes/new/data`,
      mode: 0o755,
      uid: 100_000,
      gid: 200_000,
    })
  })
})
