// Odd but lawful layers: what real tars hold, down to the last attribute. Needs root.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { TestLayers, xattrsOf } from '../fixtures/layers.ts'
import { archive, longName, paxHeader, type TestEntry } from '../fixtures/tar.ts'

const directory = (path: string, more: Partial<TestEntry> = {}): TestEntry => ({
  path,
  type: 'Directory',
  ...more,
})
const file = (path: string, content = '', more: Partial<TestEntry> = {}): TestEntry => ({
  path,
  content,
  ...more,
})
const link = (path: string, target: string): TestEntry => ({ path, type: 'SymbolicLink', link: target })
const hardLink = (path: string, target: string): TestEntry => ({ path, type: 'Link', link: target })

describe('unpacking', () => {
  let layers: TestLayers
  beforeEach(() => {
    layers = new TestLayers()
  })
  afterEach(() => {
    assert.deepEqual(layers.leftovers(), [])
    layers.remove()
  })

  const text = (root: string, path: string) => readFileSync(join(root, path), 'utf8')
  const mode = (path: string) => lstatSync(path).mode & 0o7777

  it('takes every spelling of a path for the same place', async () => {
    const root = await layers.add(
      archive(
        directory('./'),
        file('./a', '1'),
        file('/b', '2'),
        file('c//d', '3'),
        file('c/./e', '4'),
        file('x/../f', '5'),
      ),
    )
    assert.deepEqual(readdirSync(root).sort(), ['a', 'b', 'c', 'f'])
    assert.deepEqual([text(root, 'c/d'), text(root, 'c/e'), text(root, 'f')], ['3', '4', '5'])
  })

  it('makes parents that the tar lacks, 0755 and of root', async () => {
    const root = await layers.add(archive(file('a/b/c', 'x', { uid: 7 })))
    assert.equal(mode(join(root, 'a/b')), 0o755)
    assert.equal(lstatSync(join(root, 'a')).uid, 0)
  })

  it('gives directories their entries’ attributes although they come before, after or again', async () => {
    const root = await layers.add(
      archive(
        directory('before/', { mode: 0o700, mtime: 1000 }),
        file('before/x'),
        file('after/x'),
        directory('after', { mode: 0o1777, mtime: 2000, uid: 5, gid: 6 }),
        directory('again', { mode: 0o700, mtime: 3000 }),
        file('again/x'),
        directory('again', { mode: 0o500, mtime: 4000 }),
        directory('.', { mode: 0o711, mtime: 5000 }),
      ),
    )
    const about = (path: string) => {
      const stats = lstatSync(join(root, path))
      return [stats.mode & 0o7777, stats.mtimeMs / 1000, stats.uid, stats.gid]
    }
    assert.deepEqual(about('before'), [0o700, 1000, 0, 0])
    assert.deepEqual(about('after'), [0o1777, 2000, 5, 6])
    assert.deepEqual(about('again'), [0o500, 4000, 0, 0])
    assert.deepEqual(about('.'), [0o711, 5000, 0, 0])
  })

  it('lets the last of several entries of one path win', async () => {
    const root = await layers.add(
      archive(
        file('file', 'old'),
        file('file', 'new'),
        directory('a'),
        file('a/inside', 'gone'),
        file('a', 'a file now'),
        file('b', 'gone'),
        directory('b'),
        file('b/inside', 'here'),
        file('target', 'untouched'),
        link('c', 'target'),
        file('c', 'a file of its own'),
        link('d', 'target'),
        directory('d'),
        file('first', 'shared'),
        hardLink('second', 'first'),
        file('first', 'by itself'),
      ),
    )
    assert.equal(text(root, 'file'), 'new')
    assert.equal(text(root, 'a'), 'a file now')
    assert.equal(text(root, 'b/inside'), 'here')
    assert.equal(text(root, 'target'), 'untouched')
    assert.equal(text(root, 'c'), 'a file of its own')
    assert.ok(lstatSync(join(root, 'd')).isDirectory())
    assert.deepEqual([text(root, 'first'), text(root, 'second')], ['by itself', 'shared'])
  })

  it('follows links to directories inside the layer, and makes what they point at', async () => {
    const root = await layers.add(
      archive(
        directory('usr/lib'),
        link('lib', 'usr/lib'),
        file('lib/one', '1'),
        link('abs', '/usr/lib'),
        file('abs/two', '2'),
        link('usr/up', '../../../../usr/lib'),
        file('usr/up/three', '3'),
        link('dangling', 'made/later'),
        file('dangling/four', '4'),
        link('chain', 'abs'),
        file('chain/five', '5'),
      ),
    )
    assert.deepEqual(readdirSync(join(root, 'usr/lib')).sort(), ['five', 'one', 'three', 'two'])
    assert.equal(text(root, 'made/later/four'), '4')
  })

  it('keeps targets of symbolic links as they are', async () => {
    const targets = ['/etc/passwd', '../../..', 'a//b/./c', 'é', '.']
    const root = await layers.add(archive(...targets.map((target, index) => link(`l${index}`, target))))
    assert.deepEqual(
      targets.map((_, index) => readlinkSync(join(root, `l${index}`))),
      targets,
    )
  })

  it('makes hard links: to files, links and devices, through linked directories', async () => {
    const root = await layers.add(
      archive(
        file('dir/file', 'x', { mode: 0o4755 }),
        hardLink('file2', './dir/file'),
        link('alias', 'dir'),
        hardLink('file3', '/alias/file'),
        link('symlink', 'nowhere'),
        hardLink('symlink2', 'symlink'),
        { path: 'null', type: 'CharacterDevice', device: [1, 3], mode: 0o666 },
        hardLink('null2', 'null'),
      ),
    )
    const inode = (path: string) => lstatSync(join(root, path)).ino
    assert.equal(lstatSync(join(root, 'file2')).nlink, 3)
    assert.equal(inode('file3'), inode('dir/file'))
    assert.equal(inode('symlink2'), inode('symlink'))
    assert.equal(inode('null2'), inode('null'))
    assert.equal(mode(join(root, 'file3')), 0o4755)
  })

  it('keeps modes with setuid, setgid and sticky bits, whatever the owner and the umask', async () => {
    const before = process.umask(0o077)
    try {
      const root = await layers.add(
        archive(
          file('setuid', 'x', { mode: 0o4755, uid: 3, gid: 4 }),
          file('setgid', 'x', { mode: 0o2711 }),
          file('none', 'x', { mode: 0 }),
          directory('shared', { mode: 0o2775, gid: 50 }),
          file('shared/child', 'x', { mode: 0o666 }),
          directory('shared/deep'),
        ),
      )
      assert.equal(mode(join(root, 'setuid')), 0o4755)
      assert.equal(mode(join(root, 'setgid')), 0o2711)
      assert.equal(mode(join(root, 'none')), 0)
      assert.equal(mode(join(root, 'shared')), 0o2775)
      assert.equal(mode(join(root, 'shared/child')), 0o666)
      // A setgid directory would hand its group on to what is made in it.
      assert.equal(lstatSync(join(root, 'shared/child')).gid, 0)
      assert.equal(mode(join(root, 'shared/deep')), 0o755)
    } finally {
      process.umask(before)
    }
  })

  it('keeps large owners and times: nanoseconds, before 1970, beyond 2038', async () => {
    const root = await layers.add(
      archive(
        file('nano', 'x', { pax: { mtime: '1700000000.123456789' } }),
        directory('dir', { pax: { mtime: '1700000001.000000001' } }),
        { ...link('link', 'x'), pax: { mtime: '1700000002.5' } },
        file('early', 'x', { pax: { mtime: '-1.25' } }),
        file('late', 'x', { pax: { mtime: '5000000000' } }),
        file('owner', 'x', { pax: { uid: '4294967294', gid: '3000000000' } }),
        file('base256', 'x', { uid: 2_000_000_000, gid: 2_100_000 }),
      ),
    )
    const time = (path: string) => lstatSync(join(root, path), { bigint: true }).mtimeNs
    assert.equal(time('nano'), 1_700_000_000_123_456_789n)
    assert.equal(time('dir'), 1_700_000_001_000_000_001n)
    assert.equal(time('link'), 1_700_000_002_500_000_000n)
    assert.equal(time('early'), -1_250_000_000n)
    assert.equal(time('late'), 5_000_000_000_000_000_000n)
    const { uid, gid } = lstatSync(join(root, 'owner'))
    assert.deepEqual([uid, gid], [4_294_967_294, 3_000_000_000])
    assert.equal(lstatSync(join(root, 'base256')).uid, 2_000_000_000)
  })

  it('sets extended attributes, file capabilities among them, and none of overlay’s own', async () => {
    // struct vfs_cap_data, revision 2, cap_net_bind_service in permitted and effective.
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    const root = await layers.add(
      archive(
        file('ping', 'x', {
          uid: 9,
          pax: {
            'SCHILY.xattr.security.capability': capability,
            'SCHILY.xattr.user.note': 'line\nbreak',
            'SCHILY.xattr.trusted.overlay.redirect': '/etc',
            'SCHILY.xattr.user.overlay.opaque': 'y',
          },
        }),
        directory('dir', {
          pax: { 'SCHILY.xattr.user.on-directory': 'yes', 'SCHILY.xattr.trusted.overlay.opaque': 'y' },
        }),
      ),
    )
    assert.deepEqual(xattrsOf(join(root, 'ping')), {
      'security.capability': capability.toString('latin1'),
      'user.note': 'line\nbreak',
    })
    assert.deepEqual(xattrsOf(join(root, 'dir')), { 'user.on-directory': 'yes' })
  })

  it('reads names of any bytes and lengths', async () => {
    const long = `${'d'.repeat(200)}/${'f'.repeat(250)}`
    const latin1 = Buffer.from([0x66, 0xe9, 0x72])
    const root = await layers.add(
      archive(
        file('ignored', 'pax', { pax: { path: long } }),
        longName('L', `${'g'.repeat(150)}/gnu`),
        file('ignored', 'gnu'),
        longName('K', 't'.repeat(300)),
        link('long-target', 'ignored'),
        { path: latin1, content: 'latin1' },
        {
          path: Buffer.concat([latin1, Buffer.from('-link')]),
          type: 'Link',
          edit: block => latin1.copy(block, 157),
        },
        { path: Buffer.concat([latin1, Buffer.from('.d/')]), type: 'Directory', pax: { mtime: '5.5' } },
        { path: Buffer.concat([latin1, Buffer.from('-fifo')]), type: 'FIFO' },
        file('naïve ☃', 'utf-8'),
        file('new\nline', 'x'),
        file('x', 'prefix', { edit: block => block.write('in/a/prefix', 345) }),
      ),
    )
    assert.equal(text(root, long), 'pax')
    assert.equal(text(root, `${'g'.repeat(150)}/gnu`), 'gnu')
    assert.equal(readlinkSync(join(root, 'long-target')), 't'.repeat(300))
    assert.equal(text(root, 'naïve ☃'), 'utf-8')
    assert.equal(text(root, 'in/a/prefix/x'), 'prefix')
    const at = (name: Buffer | string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)])
    assert.equal(readFileSync(at(latin1), 'utf8'), 'latin1')
    assert.equal(lstatSync(at(latin1)).nlink, 2)
    assert.equal(lstatSync(at(Buffer.concat([latin1, Buffer.from('.d')]))).mtimeMs, 5500)
    assert.ok(lstatSync(at(Buffer.concat([latin1, Buffer.from('-fifo')]))).isFIFO())
  })

  it('is not led astray by a long name whose first 100 bytes end in a slash', async () => {
    const cut = `${'d'.repeat(99)}/`
    const root = await layers.add(
      archive(
        longName('L', `${cut}gnu`),
        file(cut, 'one'),
        file(cut, 'two', { pax: { path: `${cut}pax` } }),
        file('after', 'x'),
      ),
    )
    assert.deepEqual(
      [text(root, `${cut}gnu`), text(root, `${cut}pax`), text(root, 'after')],
      ['one', 'two', 'x'],
    )
  })

  it('makes devices and fifos, also from GNU headers', async () => {
    const root = await layers.add(
      archive(
        { path: 'char', type: 'CharacterDevice', device: [5, 1], mode: 0o620, uid: 1, gid: 5, mtime: 77 },
        { path: 'block', type: 'BlockDevice', device: [259, 70_000], mode: 0o660 },
        {
          path: 'gnu',
          type: 'CharacterDevice',
          device: [1, 9],
          edit: block => block.write('ustar  \0', 257, 'latin1'),
        },
        { path: 'fifo', type: 'FIFO', mode: 0o600 },
      ),
    )
    const number = (path: string) => {
      const { rdev } = lstatSync(join(root, path), { bigint: true })
      return [Number((rdev >> 8n) & 0xfffn), Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n))]
    }
    assert.deepEqual(number('char'), [5, 1])
    assert.deepEqual(number('block'), [259, 70_000])
    assert.deepEqual(number('gnu'), [1, 9])
    const char = lstatSync(join(root, 'char'))
    assert.deepEqual([char.mode & 0o7777, char.uid, char.gid, char.mtimeMs], [0o620, 1, 5, 77_000])
    assert.ok(lstatSync(join(root, 'block')).isBlockDevice())
    assert.ok(lstatSync(join(root, 'fifo')).isFIFO())
  })

  it('takes old files whose name ends in a slash for directories, and type 7 for files', async () => {
    const root = await layers.add(
      archive(
        { path: 'old/', edit: block => block.fill(0, 156, 157) },
        { path: 'contiguous', content: 'x', edit: block => block.write('7', 156) },
      ),
    )
    assert.ok(lstatSync(join(root, 'old')).isDirectory())
    assert.equal(text(root, 'contiguous'), 'x')
  })

  it('ignores global pax headers, as Docker does, and an archive that lacks its end', async () => {
    const global = paxHeader({ mtime: '1', uid: '99' })
    global.write('g', 156)
    const sum = global.subarray(0, 512)
    sum.fill(0x20, 148, 156)
    sum.write(
      `${sum
        .reduce((total, byte) => total + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    )
    const whole = archive(global, file('a', 'x'))
    const root = await layers.add(whole.subarray(0, whole.length - 1024))
    assert.equal(lstatSync(join(root, 'a')).uid, 0)
  })

  for (const pieceBytes of [1, 7, 511, 513, 10_000]) {
    it(`does not care where the stream is cut (pieces of ${pieceBytes} bytes)`, async () => {
      const tar = archive(
        directory('d'),
        file('d/one', 'x'.repeat(1000)),
        longName('L', 'n'.repeat(120)),
        file('ignored', 'y'.repeat(513)),
        file('empty'),
        file('pax', 'z', { pax: { mtime: '1.5' } }),
      )
      const root = await layers.add(tar, pieceBytes)
      assert.equal(text(root, 'd/one'), 'x'.repeat(1000))
      assert.equal(text(root, 'n'.repeat(120)), 'y'.repeat(513))
      assert.equal(lstatSync(join(root, 'pax')).mtimeMs, 1500)
    })
  }

  it('reads gzip (also of several members), zstd (also of several frames) and plain tars', async () => {
    const skippable = Buffer.from('512a4d1805000000' + '0102030405', 'hex')
    for (const [index, pack] of [
      (tar: Buffer) => gzipSync(tar),
      (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
      (tar: Buffer) => zstdCompressSync(tar),
      (tar: Buffer) =>
        Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]),
      (tar: Buffer) =>
        Buffer.concat([skippable, ...[...tar].map(byte => zstdCompressSync(Buffer.from([byte]))), skippable]),
      (tar: Buffer) => tar,
    ].entries()) {
      const tar = archive(file('which', String(index)))
      const root = await layers.add(tar, 100, pack(tar))
      assert.equal(text(root, 'which'), String(index))
    }
  })

  describe('of sparse files that GNU tar wrote', () => {
    const formats = [
      ['--format=gnu'],
      ['--format=posix', '--sparse-version=0.0'],
      ['--format=posix', '--sparse-version=0.1'],
      ['--format=posix', '--sparse-version=1.0'],
    ]
    for (const format of formats) {
      it(`keeps content, size and holes (${format.join(' ')})`, async () => {
        const source = join(layers.directory, 'source')
        mkdirSync(source)
        for (let i = 0; i < 40; i++) {
          execFileSync('dd', [
            'if=/dev/urandom',
            `of=${source}/many`,
            'bs=4096',
            'count=1',
            `seek=${i * 5}`,
            'conv=notrunc',
            'status=none',
          ])
        }
        writeFileSync(join(source, 'tail'), 'data at the beginning')
        truncateSync(join(source, 'tail'), 9_000_000)
        writeFileSync(join(source, 'hole'), '')
        truncateSync(join(source, 'hole'), 5_000_000)
        const tar = execFileSync(
          'tar',
          ['--sparse', ...format, '-cf', '-', '-C', source, 'many', 'tail', 'hole'],
          { maxBuffer: 1e8 },
        )
        const root = await layers.add(tar, 3000)
        for (const name of ['many', 'tail', 'hole']) {
          assert.ok(readFileSync(join(source, name)).equals(readFileSync(join(root, name))), name)
          assert.ok(
            statSync(join(root, name)).blocks * 512 < statSync(join(root, name)).size,
            `${name} has holes`,
          )
        }
        rmSync(source, { recursive: true })
      })
    }
  })

  describe('over other layers', () => {
    it('turns whiteouts into overlay’s form, which hides what is below', async () => {
      await layers.add(
        archive(
          file('gone', 'x'),
          file('kept', 'x'),
          directory('dir'),
          file('dir/a'),
          file('dir/b'),
          directory('tree'),
          file('tree/x'),
        ),
      )
      const root = await layers.add(
        archive(
          file('.wh.gone'),
          directory('dir'),
          file('dir/.wh.a'),
          directory('tree'),
          file('tree/.wh..wh..opq'),
          file('tree/new'),
          file('.wh..wh.plnk'),
        ),
      )
      const whiteout = lstatSync(join(root, 'gone'))
      assert.ok(whiteout.isCharacterDevice())
      assert.equal(whiteout.rdev, 0)
      assert.deepEqual(xattrsOf(join(root, 'tree')), { 'trusted.overlay.opaque': 'y' })
      assert.deepEqual(readdirSync(root).sort(), ['dir', 'gone', 'tree'])
      assert.equal(
        layers.inOverlay('find . -mindepth 1 | sort'),
        './dir\n./dir/b\n./kept\n./tree\n./tree/new\n',
      )
    })

    it('lets a name of the layer itself stay, whichever side of its whiteout it is on', async () => {
      await layers.add(
        archive(directory('a'), file('a/old'), directory('b'), file('b/old'), file('c', 'old')),
      )
      await layers.add(
        archive(
          file('.wh.a'),
          directory('a'),
          file('a/new'),
          directory('b'),
          file('b/new'),
          file('.wh.b'),
          file('.wh.c'),
          file('c', 'new'),
        ),
      )
      assert.equal(
        layers.inOverlay('find . -mindepth 1 | sort; cat c'),
        './a\n./a/new\n./b\n./b/new\n./c\nnew',
      )
    })

    it('hides everything below where the root is opaque', async () => {
      await layers.add(archive(file('old'), directory('dir'), file('dir/x')))
      await layers.add(archive(file('.wh..wh..opq'), directory('dir'), file('dir/y')))
      assert.equal(layers.inOverlay('find . -mindepth 1 | sort'), './dir\n./dir/y\n')
    })

    it('copies a file up that a hard link of the layer names, with all its attributes', async () => {
      const below = await layers.add(
        archive(
          directory('bin', { mode: 0o711, uid: 3, mtime: 99 }),
          file('bin/tool', 'content', {
            mode: 0o4711,
            uid: 8,
            gid: 9,
            pax: { mtime: '123.456', 'SCHILY.xattr.user.a': 'b' },
          }),
          link('sbin', 'bin'),
        ),
      )
      const root = await layers.add(archive(hardLink('alias', 'sbin/tool')))
      const copy = lstatSync(join(root, 'bin/tool'), { bigint: true })
      assert.equal(copy.ino, lstatSync(join(root, 'alias'), { bigint: true }).ino)
      assert.deepEqual(
        [Number(copy.mode) & 0o7777, Number(copy.uid), Number(copy.gid), copy.mtimeNs],
        [0o4711, 8, 9, 123_456_000_000n],
      )
      assert.equal(text(root, 'alias'), 'content')
      assert.deepEqual(xattrsOf(join(root, 'alias')), { 'user.a': 'b' })
      assert.notEqual(copy.ino, lstatSync(join(below, 'bin/tool'), { bigint: true }).ino)
      const parent = lstatSync(join(root, 'bin'))
      assert.deepEqual([parent.mode & 0o7777, parent.uid, parent.mtimeMs], [0o711, 3, 99_000])
    })

    it('shares a layer only among stacks in which it means the same', async () => {
      const lowers = [archive(file('x', 'one')), archive(file('x', 'two'))]
      const upper = archive(hardLink('y', 'x'))
      const plain = archive(file('plain'))
      const found: string[] = []
      const shared: string[] = []
      for (const lower of lowers) {
        layers.diffIds.length = 0
        await layers.add(lower)
        shared.push(await layers.add(plain))
        found.push(text(await layers.add(upper), 'y'))
      }
      assert.deepEqual(found, ['one', 'two'])
      assert.equal(shared[0], shared[1])
    })

    it('gives parents that the tar lacks the attributes they have below', async () => {
      await layers.add(archive(directory('tmp', { mode: 0o1777, mtime: 50 }), link('lib', 'tmp')))
      const root = await layers.add(archive(file('tmp/x'), file('lib/y')))
      assert.equal(mode(join(root, 'tmp')), 0o1777)
      assert.equal(lstatSync(join(root, 'tmp')).mtimeMs, 50_000)
      // As in Docker: a directory of the tar hides a link below.
      assert.ok(lstatSync(join(root, 'lib')).isDirectory())
    })
  })
})
