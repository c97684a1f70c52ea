// The mounts a user and an image ask for, in the OCI configuration.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { MountPoint } from '../../../src/containers/mount-points.ts'
import { configure, fakeHost, makeLayers, userFiles } from './request.ts'

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

const volumes = '/var/lib/minictr/volumes'

describe('a volume', () => {
  it('with a name is a directory of that name, made and filled by the plan', () => {
    const { spec, volumes: planned } = run('-v data:/srv/data:ro')
    assert.deepEqual(
      spec.mounts.find(mount => mount.destination === '/srv/data'),
      {
        destination: '/srv/data',
        type: 'bind',
        source: `${volumes}/data/_data`,
        options: ['rbind', 'ro'],
      },
    )
    assert.equal(planned.length, 1)
    const { record, ...rest } = planned[0]!
    assert.deepEqual(rest, {
      directory: `${volumes}/data`,
      destination: '/srv/data',
      isAnonymous: false,
      isToBeFilled: true,
    })
    assert.deepEqual(JSON.parse(record!), {
      name: 'data',
      driver: 'local',
      options: {},
      labels: {},
      createdAt: '2026-01-02T03:04:05.678Z',
      isAnonymous: false,
    })
  })

  it('that the image declares gets a name of 64 digits, and gives way to a mount of the user’s', () => {
    const config = { Cmd: ['sh'], Volumes: { '/srv/data': {} } }
    assert.match(at('/srv/data', '', { config })!.source!, /\/volumes\/[0-9a-f]{64}\/_data$/)
    assert.equal(run('', { config }).volumes[0]!.isAnonymous, true)
    assert.equal(at('/srv/data', '--tmpfs /srv/data', { config })?.type, 'tmpfs')
    assert.equal(at('/srv/data', '-v /tmp:/srv/data', { config })?.source, '/tmp')
    assert.deepEqual(run('-v /tmp:/srv/data', { config }).volumes, [])
  })

  it('is filled only where the image has a directory, and only where that is wanted', () => {
    const isFilled = (line: string) => run(line).volumes[0]!.isToBeFilled
    assert.equal(isFilled('-v /srv/data'), true)
    assert.equal(isFilled('-v data:/empty'), true)
    assert.equal(isFilled('-v /new'), false)
    assert.throws(
      () => run('-v /etc/passwd'),
      /cannot mount volume over existing file, file exists \/etc\/passwd/,
    )
    assert.equal(isFilled('-v data:/srv/data:nocopy'), false)
    assert.equal(isFilled('--mount dst=/srv/data,volume-nocopy'), false)
  })

  it('twice in one run is made once', () => {
    const { volumes: planned } = run('-v data:/a -v data:/b')
    assert.deepEqual(
      planned.map(({ record }) => record !== undefined),
      [true, false],
    )
  })

  it('has the labels and options of --mount; one in memory, or bound, is mounted in the container alone', () => {
    const memory =
      '--mount type=volume,src=mem,dst=/srv/data,volume-label=a=b,volume-opt=type=tmpfs,volume-opt=device=tmpfs'
    const made = run([...memory.split(' ').slice(0, 1), `${memory.slice(8)},"volume-opt=o=size=1m,noexec"`])
    assert.deepEqual(
      made.spec.mounts.find(mount => mount.destination === '/srv/data'),
      {
        destination: '/srv/data',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['size=1m', 'noexec'],
      },
    )
    assert.equal(made.volumes[0]!.isToBeFilled, false)
    assert.deepEqual(JSON.parse(made.volumes[0]!.record!).labels, { a: 'b' })
    const bound = 'src=bound,dst=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/srv'
    assert.deepEqual(at('/x', `--mount ${bound}`), {
      destination: '/x',
      type: 'none',
      source: '/srv',
      options: ['bind'],
    })
    assert.throws(() => run('--mount src=own,dst=/x,volume-opt=type=tmpfs'), {
      message: 'create own: missing required option: "device"',
    })
    assert.throws(() => run('--mount src=own,dst=/x,volume-opt=colour=red'), /invalid option: "colour"/)
  })

  it('is refused where it would hide the root', () => {
    const config = { Cmd: ['sh'], Volumes: { '/x/..': {} } }
    assert.throws(() => run('', { config }), /declares a volume at \//)
  })

  it('is told of in the record, as are bind mounts', () => {
    const { record } = run('-v data:/srv/data -v /tmp:/t:ro')
    assert.deepEqual(record.mounts, [
      {
        type: 'volume',
        name: 'data',
        source: `${volumes}/data/_data`,
        destination: '/srv/data',
        isReadOnly: false,
        isAnonymous: false,
        copiesContent: true,
      },
      { type: 'bind', source: '/tmp', destination: '/t', isReadOnly: true, isRecursive: true },
    ])
  })
})

describe('--volumes-from', () => {
  const mountsOf = (): MountPoint[] => [
    { type: 'volume', name: 'data', source: 'elsewhere', destination: '/srv/data', isReadOnly: false },
    { type: 'bind', source: '/tmp', destination: '/t', isReadOnly: true },
    { type: 'tmpfs', source: '', destination: '/memory', isReadOnly: false },
  ]
  const from = (line: string) =>
    configure(line, { layers: layers.stack, mountsOf }).spec.mounts.filter(({ destination }) =>
      ['/srv/data', '/t', '/memory'].includes(destination),
    )

  it('takes over volumes and bind mounts, never more than their owner may', () => {
    assert.deepEqual(
      from('--volumes-from other').map(({ destination, options }) => [destination, options]),
      [
        ['/t', ['rbind', 'rro', 'rprivate']],
        ['/srv/data', ['rbind']],
      ],
    )
    assert.deepEqual(from('--volumes-from other:ro').at(-1)!.options, ['rbind', 'ro'])
  })

  it('counts after what the user mounts, and before the image', () => {
    assert.equal(from('--volumes-from other -v /tmp:/srv/data').at(-1)!.source, '/tmp')
    const config = { Cmd: ['sh'], Volumes: { '/srv/data': {} } }
    const { volumes: planned } = configure('--volumes-from other', { config, layers: layers.stack, mountsOf })
    assert.equal(planned[0]!.directory, `${volumes}/data`)
    assert.equal(planned[0]!.isToBeFilled, false)
  })
})
