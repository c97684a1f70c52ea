import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { LayerStack } from '../../../src/images/layer-stack.ts'
import { resolveUser } from '../../../src/images/passwd.ts'

describe('in a stack of layers', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'minictr-stack-'))
  })
  after(() => rmSync(directory, { recursive: true }))

  /** Layers, bottom first, of files by path; a value that begins with `->` is a link. */
  function stackOf(name: string, ...layers: Record<string, string>[]): LayerStack {
    return new LayerStack(
      layers.map((files, index) => {
        const path = join(directory, name, String(index))
        mkdirSync(path, { recursive: true })
        for (const [file, content] of Object.entries(files)) {
          mkdirSync(dirname(join(path, file)), { recursive: true })
          if (content.startsWith('->')) symlinkSync(content.slice(2), join(path, file))
          else writeFileSync(join(path, file), content)
        }
        return { path, opaque: files.opaque?.split(',') }
      }),
    )
  }

  const where = (stack: LayerStack, path: string, follow?: boolean) =>
    stack.find(path, follow)?.hostPath.slice(directory.length + 1)

  describe('a file', () => {
    it('is that of the topmost layer', () => {
      const stack = stackOf('top', { 'etc/a': '1', 'etc/b': '1' }, { 'etc/b': '2' })
      assert.equal(where(stack, '/etc/a'), 'top/0/etc/a')
      assert.equal(where(stack, 'etc/b'), 'top/1/etc/b')
      assert.equal(where(stack, '/etc/c'), undefined)
      assert.equal(where(stack, '/etc/a/x'), undefined)
    })

    it('below an opaque directory, or under a file, is hidden', () => {
      const stack = stackOf('hidden', { 'd/a': '1', 'f/x': '1' }, { 'd/b': '2', opaque: 'd' }, { f: 'file' })
      assert.equal(where(stack, 'd/a'), undefined)
      assert.equal(where(stack, 'd/b'), 'hidden/1/d/b')
      assert.equal(where(stack, 'f/x'), undefined)
    })

    it('is found through links, which stay inside the image', () => {
      const stack = stackOf(
        'links',
        { 'usr/lib/file': 'x', 'etc/passwd': 'of the image' },
        {
          lib: '->usr/lib',
          abs: '->/usr/lib/file',
          out: '->../../../../../../etc/passwd',
          loop: '->loop',
          'up/l': '->..',
        },
      )
      assert.equal(where(stack, 'lib/file'), 'links/0/usr/lib/file')
      assert.equal(where(stack, 'abs'), 'links/0/usr/lib/file')
      assert.equal(where(stack, 'abs', false), 'links/1/abs')
      assert.equal(where(stack, 'out'), 'links/0/etc/passwd')
      assert.equal(where(stack, 'up/l/lib/file'), 'links/0/usr/lib/file')
      assert.equal(where(stack, '../../etc/passwd'), 'links/0/etc/passwd')
      assert.throws(() => stack.find('loop'), /too many symbolic links/)
    })
  })

  describe('a user', () => {
    const files = {
      'etc/passwd':
        'root:x:0:0:root:/root:/bin/sh\n# note\n\nalice:x:1000:1001:A:/home/alice:/bin/sh\n42:x:7:8::/seven:\nodd:x:nine:1::/:\n',
      'etc/group': 'root:x:0:\nbin:x:1:root,alice\nalice:x:1001:\nextra:x:2000:alice\n55:x:56:\n',
    }
    const as = (spec: string, groups?: string[]) =>
      resolveUser(stackOf(`user-${spec}-${groups ?? ''}`.replaceAll('/', ''), files), spec, groups)

    it('is root where nothing is said, with root’s groups', () => {
      assert.deepEqual(as(''), { uid: 0, gid: 0, additionalGids: [0, 1], home: '/root' })
    })
    it('by name or number has the groups of the name', () => {
      const alice = { uid: 1000, gid: 1001, additionalGids: [1001, 1, 2000], home: '/home/alice' }
      assert.deepEqual(as('alice'), alice)
      assert.deepEqual(as('1000'), alice)
    })
    it('that the image does not know may be a number, and is in no group', () => {
      assert.deepEqual(as('1234'), { uid: 1234, gid: 0, additionalGids: [0], home: '/' })
    })
    it('whose name is a number is not meant by that number', () => {
      assert.deepEqual(as('42'), { uid: 42, gid: 0, additionalGids: [0], home: '/' })
    })
    it('with a group has that group alone', () => {
      assert.deepEqual(as('alice:bin'), { uid: 1000, gid: 1, additionalGids: [1], home: '/home/alice' })
      assert.deepEqual(as('alice:9'), { uid: 1000, gid: 9, additionalGids: [9], home: '/home/alice' })
      assert.deepEqual(as(':bin').gid, 1)
      assert.deepEqual(as('0:55').gid, 55)
    })
    it('gets added groups by name and number', () => {
      assert.deepEqual(as('1234', ['extra', '77', 'bin', '77']).additionalGids, [0, 2000, 77, 1])
    })
    it('or group that is not there is an error', () => {
      assert.throws(
        () => as('bob'),
        /Unable to find user bob: no matching entries in the image's \/etc\/passwd/,
      )
      assert.throws(() => as('alice:nogroup'), /Unable to find group nogroup/)
      assert.throws(() => as('', ['nogroup']), /Unable to find group nogroup/)
      assert.throws(() => as('-1'), /not between 0 and/)
      assert.throws(() => as('2147483648'), /not between 0 and/)
    })
    it('of an image without /etc/passwd may be a number', () => {
      const empty = stackOf('empty', {})
      assert.deepEqual(resolveUser(empty, ''), { uid: 0, gid: 0, additionalGids: [0], home: '/' })
      assert.deepEqual(resolveUser(empty, '5:6').gid, 6)
      assert.throws(() => resolveUser(empty, 'root'), /Unable to find user root/)
    })
  })
})
