import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Directory, LayerTree, normalise } from '../../../src/images/layer-tree.ts'
import { readWhiteout } from '../../../src/images/whiteout.ts'

describe('an entry’s name', () => {
  const same: [given: string, meant: string][] = [
    ['etc/passwd', 'etc/passwd'],
    ['./etc/passwd', 'etc/passwd'],
    ['/etc/passwd', 'etc/passwd'],
    ['//etc///passwd', 'etc/passwd'],
    ['etc/./passwd', 'etc/passwd'],
    ['etc/', 'etc'],
    ['etc//', 'etc'],
    ['a/../b', 'b'],
    ['a/b/../../c', 'c'],
    ['./', ''],
    ['.', ''],
    ['/', ''],
    ['', ''],
    ['..a/...', '..a/...'],
    ['.wh.x', '.wh.x'],
  ]
  for (const [given, meant] of same) {
    it(`${JSON.stringify(given)} means ${JSON.stringify(meant)}`, () => assert.equal(normalise(given), meant))
  }

  for (const name of ['..', '../x', '/..', '/../x', 'a/../../x', './../x', 'a/..//../x']) {
    it(`${JSON.stringify(name)} leads out and is refused`, () => {
      assert.throws(() => normalise(name), /leads out of the layer/)
    })
  }

  it('with a NUL byte is refused', () => assert.throws(() => normalise('a\0b'), /NUL/))
})

describe('the tree of a layer', () => {
  function newTree() {
    const made: string[] = []
    const tree = new LayerTree(path => {
      made.push(path)
      return { kind: 'directory', madeWithMode: 0o755, isOpaque: false } satisfies Directory
    })
    const link = (path: string, target: string) => tree.set(path, { kind: 'symbolic-link', target })
    return { tree, made, link }
  }

  it('makes the parents that are missing, once', () => {
    const { tree, made } = newTree()
    assert.equal(tree.place('a/b/c'), 'a/b/c')
    assert.equal(tree.place('a/b/d'), 'a/b/d')
    assert.equal(tree.place('top'), 'top')
    assert.deepEqual(made, ['a', 'a/b'])
  })

  it('follows links of the layer, absolute ones from its root, and never above it', () => {
    const { tree, link } = newTree()
    link('abs', '/usr/lib')
    link('up', '../../../../etc')
    link('chain', 'abs')
    assert.equal(tree.place('abs/x'), 'usr/lib/x')
    assert.equal(tree.place('up/passwd'), 'etc/passwd')
    assert.equal(tree.place('chain/y'), 'usr/lib/y')
    link('usr/lib/back', '..')
    assert.equal(tree.place('abs/back/z'), 'usr/z')
  })

  it('does not follow the last part', () => {
    const { tree, link } = newTree()
    link('l', '/etc')
    assert.equal(tree.place('l'), 'l')
    assert.equal(tree.find('l'), 'l')
    assert.equal(tree.find('l/passwd'), undefined)
  })

  it('refuses circles and files on the way', () => {
    const { tree, link } = newTree()
    link('a', 'b')
    link('b', 'a')
    assert.throws(() => tree.place('a/x'), /too many symbolic links/)
    tree.set('file', { kind: 'file' })
    assert.throws(() => tree.place('file/x'), /"file" is a file/)
  })

  it('forgets what is below a removed directory, and what it knew of parents', () => {
    const { tree, made, link } = newTree()
    tree.place('a/b/c')
    tree.set('a/b/c', { kind: 'file' })
    tree.set('a/bc', { kind: 'file' })
    tree.remove('a/b')
    assert.equal(tree.find('a/b/c'), undefined)
    assert.equal(tree.find('a/bc'), 'a/bc')
    link('a/b', '/elsewhere')
    assert.equal(tree.place('a/b/c'), 'elsewhere/c')
    assert.deepEqual(made, ['a', 'a/b', 'elsewhere'])
  })
})

describe('removing from a large tree', () => {
  it('looks at what goes, and at nothing else', () => {
    const tree = new LayerTree(() => ({ kind: 'directory', madeWithMode: 0o755, isOpaque: false }))
    for (const path of ['a/b/c', 'a/b/d/e', 'a/bc', 'x/y']) tree.set(tree.place(path), { kind: 'file' })
    const inode = { entry: {} as never, paths: new Set(['a/b/l', 'x/l']) }
    for (const path of inode.paths) tree.set(tree.place(path), { kind: 'file', inode })
    const looked: string[] = []
    const get = tree.nodes.get.bind(tree.nodes)
    tree.nodes.get = path => {
      looked.push(path)
      return get(path)
    }
    tree.nodes[Symbol.iterator] = () => assert.fail('went over all files')
    tree.remove('a/b')
    assert.deepEqual([...new Set(looked)].sort(), ['a', 'a/b', 'a/b/c', 'a/b/d', 'a/b/d/e', 'a/b/l'])
    assert.deepEqual([...tree.nodes.keys()].sort(), ['', 'a', 'a/bc', 'x', 'x/l', 'x/y'])
    assert.deepEqual([...inode.paths], ['x/l'])
  })
})

describe('a whiteout', () => {
  it('names what it hides', () => {
    assert.deepEqual(readWhiteout('.wh.file'), { kind: 'remove', name: 'file' })
    assert.deepEqual(readWhiteout('.wh..hidden'), { kind: 'remove', name: '.hidden' })
    assert.deepEqual(readWhiteout('.wh..wh..opq'), { kind: 'opaque' })
    assert.deepEqual(readWhiteout('.wh..wh.plnk'), { kind: 'ignored' })
    assert.equal(readWhiteout('wh.file'), undefined)
    assert.equal(readWhiteout('.what'), undefined)
  })
  for (const name of ['.wh.', '.wh..', '.wh...']) {
    it(`of no file is refused: ${name}`, () => assert.throws(() => readWhiteout(name), /names no file/))
  }
})
