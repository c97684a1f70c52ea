// Directories and files of the host, and of memory, inside a container: bind mounts, tmpfs, volumes, a read-only root.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { useDebian } from './debian.ts'
import { onOwnHost } from './own-mounts.ts'
import { pullVariant } from './variant.ts'

const debian = useDebian()

/** A directory of the host with a file and a directory in it. */
function sharedDirectory(): string {
  const directory = debian.directory()
  writeFileSync(join(directory, 'file'), 'of the host\n')
  mkdirSync(join(directory, 'below'))
  return directory
}

/** The mount at a place as /proc/self/mountinfo tells it: options of the mount, type and options of the file system. */
const mountAt = (place: string) =>
  `awk '$5 == "${place}" { line = $6 " " $(NF-2) " " $NF } END { print line }' /proc/self/mountinfo`

async function assertRefused(words: RegExp, ...flags: string[]): Promise<void> {
  const { status, stderr } = await debian.run(flags, ['true'])
  assert.equal(status, 125, stderr)
  assert.match(stderr, words)
}

describe('a bind mount of -v', () => {
  it('shows a directory and a file of the host, which the container may change', async () => {
    const source = sharedDirectory()
    const flags = ['-v', `${source}:/a/b`, '-v', `${source}/file:/c/d`]
    assert.equal(
      await debian.inside('cat /a/b/file /c/d; echo new > /a/b/made; echo x > /c/d', ...flags),
      'of the host\nof the host',
    )
    assert.equal(readFileSync(join(source, 'made'), 'utf8'), 'new\n')
    assert.equal(readFileSync(join(source, 'file'), 'utf8'), 'x\n')
    assert.equal(statSync(join(source, 'made')).uid, 0)
  })

  it('with ro can only be read, with all that is mounted in it', async () => {
    const source = sharedDirectory()
    const script = `mount -t tmpfs none ${source}/below
      exec "$@" sh -c 'cat /x/file; touch /x/new /x/below/new /y; echo z > /y' `
    const { stdout, stderr } = await onOwnHost(
      debian,
      script,
      '-v',
      `${source}:/x:ro`,
      '-v',
      `${source}/file:/y:ro`,
    )
    assert.equal(stdout, 'of the host\n')
    assert.equal(stderr.match(/Read-only file system/g)?.length, 4, stderr)
  })

  it('makes a source that is missing, of --mount it must be there', async () => {
    const missing = join(debian.directory(), 'made/deep')
    assert.equal(await debian.inside('ls -A /x; stat -c "%u:%g %a" /x', '-v', `${missing}:/x`), '0:0 755')
    assert.ok(existsSync(missing))
    await assertRefused(
      /bind source path does not exist: .*\/nope/,
      '--mount',
      `type=bind,src=${missing}/nope,dst=/x`,
    )
    assert.ok(!existsSync(join(missing, 'nope')))
  })

  it('is put where symbolic links of the image lead, inside the image', async () => {
    const source = sharedDirectory()
    const flags = ['-v', `${source}:/bin/shared`, '-v', `${source}/file:/var/run/one`]
    assert.equal(
      await debian.inside('cat /usr/bin/shared/file /run/one', ...flags),
      'of the host\nof the host',
    )
    assert.ok(!existsSync('/run/one'))
  })

  it('is mounted in the order of depth, whatever the order of the flags', async () => {
    const [outer, inner] = [sharedDirectory(), sharedDirectory()]
    writeFileSync(join(inner, 'file'), 'inner\n')
    const flags = ['-v', `${inner}:/x/below`, '--tmpfs', '/x/below/deep', '-v', `${outer}:/x`]
    assert.equal(
      await debian.inside(`cat /x/file /x/below/file; ${mountAt('/x/below/deep')}`, ...flags),
      'of the host\ninner\nrw,nosuid,nodev,noexec,relatime tmpfs rw',
    )
  })

  it('is refused twice at one place, at the root, and under a name', async () => {
    await assertRefused(/Duplicate mount point: \/x/, '-v', '/tmp:/x', '--tmpfs', '/x/')
    await assertRefused(/destination can't be '\/'/, '-v', '/tmp:/')
    await assertRefused(/includes invalid characters for a local volume name/, '-v', 'da ta:/x')
    await assertRefused(/mount path must be absolute/, '-v', '/tmp:x')
    await assertRefused(/invalid mode: rw,ro/, '-v', '/tmp:/x:rw,ro')
  })
})

describe('--mount', () => {
  it('has its own forms of bind, volume and tmpfs', async () => {
    const source = sharedDirectory()
    const flags = [
      `type=bind,source=${source},target=/a,readonly`,
      `type=bind,src=${source},"dst=/b",ro=false`,
      'type=tmpfs,destination=/c,tmpfs-size=65536,tmpfs-mode=1770',
      'type=volume,dst=/etc/skel',
      'dst=/usr/share/base-files,volume-nocopy,readonly',
    ].flatMap(text => ['--mount', text])
    const script = `${mountAt('/a')} | cut -d, -f1; ${mountAt('/b')} | cut -d, -f1; ${mountAt('/c')}
      stat -c %a /c; ls -A /etc/skel | head -n 1; ls -A /usr/share/base-files; touch /etc/skel/new && echo written`
    assert.equal(
      await debian.inside(script, ...flags),
      'ro\nrw\nrw,nosuid,nodev,noexec,relatime tmpfs rw,size=64k,mode=1770\n1770\n.bash_logout\nwritten',
    )
  })

  it('refuses what makes no sense by name', async () => {
    await assertRefused(/field Source must not be empty/, '--mount', 'type=bind,dst=/x')
    await assertRefused(/target is required/, '--mount', 'type=tmpfs')
    await assertRefused(
      /cannot mix 'tmpfs-\*' options with mount type 'bind'/,
      '--mount',
      'type=bind,src=/tmp,dst=/x,tmpfs-size=1',
    )
    await assertRefused(/unexpected key 'colour'/, '--mount', 'type=tmpfs,dst=/x,colour=red')
    await assertRefused(/invalid option: "a"/, '--mount', 'type=volume,dst=/x,volume-opt=a=b')
  })
})

describe('a mount of the host with flags', () => {
  it('keeps them inside, read-only or not, mapped users or not', async () => {
    const source = debian.directory()
    const script = `mount -t tmpfs -o nosuid,noexec,nodev none ${source}; exec "$@" sh -c '${mountAt('/x').replaceAll("'", `'\\''`)}'`
    for (const [mode, access] of [
      ['', 'rw'],
      [':ro', 'ro'],
    ]) {
      for (const mapping of [[], ['--userns-remap', 'auto']]) {
        const { stdout, stderr } = await onOwnHost(debian, script, '-v', `${source}:/x${mode}`, ...mapping)
        assert.match(stdout, new RegExp(`^${access},nosuid,nodev,noexec,relatime `), stderr)
      }
    }
  })
})

describe('propagation', () => {
  /** The host mounts something below the source while the container runs: what the container sees of it then. */
  async function seenInside(mode: string): Promise<string> {
    const source = sharedDirectory()
    const script = `mount -t tmpfs none ${source}; mount --make-shared ${source}; mkdir ${source}/below
      "$@" sh -c 'touch /x/ready; until [ -e /x/done ]; do sleep 0.02; done; ls /x/below' &
      until [ -e ${source}/ready ] || ! kill -0 $!; do sleep 0.02; done
      mount -t tmpfs none ${source}/below; touch ${source}/below/seen ${source}/done; wait $!`
    const { status, stdout, stderr } = await onOwnHost(debian, script, '-v', `${source}:/x:${mode}`)
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }

  /** The container mounts something below the target: what the host sees of it then. */
  async function seenOutside(mode: string): Promise<string> {
    const source = sharedDirectory()
    const script = `mount -t tmpfs none ${source}; mount --make-shared ${source}; mkdir ${source}/below
      "$@" sh -c 'mount -t tmpfs none /x/below && touch /x/below/seen'; ls ${source}/below`
    const flags = ['--privileged', '-v', `${source}:/x:${mode}`]
    const { status, stdout, stderr } = await onOwnHost(debian, script, ...flags)
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }

  it('is none by default', async () => {
    assert.equal(await seenInside('rw'), '')
    assert.equal(await seenOutside('rw'), '')
  })

  it('of rslave goes into the container only', async () => {
    assert.equal(await seenInside('rslave'), 'seen')
    assert.equal(await seenOutside('rslave'), '')
  })

  it('of rshared goes both ways', async () => {
    assert.equal(await seenInside('rshared'), 'seen')
    assert.equal(await seenOutside('rshared'), 'seen')
  })
})

describe('propagation that cannot be', () => {
  it('is refused: of a source without peers, and into a user namespace', async () => {
    const source = debian.directory()
    const script = `mount -t tmpfs none ${source}; exec "$@" true`
    for (const [mode, words] of [
      ['rslave', /is mounted on .* but it is not a shared or slave mount/],
      ['shared', /is mounted on .* but it is not a shared mount/],
    ] as const) {
      const { status, stderr } = await onOwnHost(debian, script, '-v', `${source}:/x:${mode}`)
      assert.equal(status, 125)
      assert.match(stderr, words)
    }
    const mapped = ['--userns-remap', 'auto', '-v', `${source}:/x:rslave`]
    await assertRefused(/cannot stay tied to the host when user namespaces are enabled/, ...mapped)
  })
})

describe('memory as files', () => {
  it('takes the options of --tmpfs', async () => {
    const flags = ['--tmpfs', '/a', '--tmpfs', '/b:size=1m,mode=700,uid=3,exec', '--shm-size', '1m']
    const script = `${mountAt('/a')}; ${mountAt('/b')}; stat -c "%a %u" /a /b; ${mountAt('/dev/shm')}
      head -c 2m /dev/zero > /b/full; cp /bin/true /b/true && /b/true`
    const { stdout, stderr } = await debian.run(flags, ['sh', '-c', script])
    const common = 'rw,nosuid,nodev'
    assert.equal(
      stdout,
      `${common},noexec,relatime tmpfs rw\n${common},relatime tmpfs rw,size=1024k,mode=700,uid=3\n1777 0\n700 3\n` +
        `${common},noexec,relatime tmpfs rw,size=1024k\n`,
    )
    assert.match(stderr, /No space left on device/)
    await assertRefused(/invalid tmpfs option "colour"/, '--tmpfs', '/x:colour')
  })

  it('can be written under --read-only, as can volumes', async () => {
    const source = sharedDirectory()
    const flags = ['--read-only', '--tmpfs', '/tmp', '-v', `${source}:/x`, '-v', '/etc/skel']
    const script = 'touch /tmp/a /x/a /etc/skel/a /dev/shm/a && echo written; touch /a /etc/hosts /x/file'
    const { stdout, stderr } = await debian.run(flags, ['sh', '-c', script])
    assert.equal(stdout, 'written\n')
    assert.equal(stderr.match(/Read-only file system/g)?.length, 2, stderr)
  })
})

describe('the volumes of an image', () => {
  it("begin with the image's content, are the container's own and go with it", async () => {
    const name = await pullVariant(debian, {
      Volumes: { '/var/spool/mail': {}, '/etc/skel': {}, '/new/one': {} },
    })
    const script = `ls -A /etc/skel | wc -l; rm /etc/skel/.profile; stat -c "%a %g" /var/mail /new/one
      for at in /etc/skel /var/mail /new/one; do touch $at/x; grep -c " $at " /proc/self/mountinfo; done`
    for (const _ of [1, 2]) {
      const { stdout, stderr } = await debian.minictr('run', '--rm', '--read-only', name, 'sh', '-c', script)
      assert.equal(stdout, '3\n2775 8\n755 0\n1\n1\n1\n', stderr)
    }
  })
})
