// The rules of the house that no compiler knows: which room may import which, what stays pure, how files are named.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'

const source = resolve(import.meta.dirname, '../../src')

/** Rooms from the front door inwards: a room may import those of later storeys, and itself. */
const storeys = [
  ['main.ts'],
  ['cli'],
  ['learn'],
  ['containers'],
  ['images', 'networks', 'volumes'],
  ['runtime'],
  ['system'],
]
/** Of runtime/, images/ sees the op vocabulary alone: it unpacks layers with the same executor. */
const imagesMayImport = ['runtime/op.ts', 'runtime/ops.ts']
/** The packages that ship in the bundle, and the one room that may import each. */
const packageRooms: Record<string, string> = { commander: 'cli', tar: 'images' }

type Import = { from: string; to: string }

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .sort()

/** Every import of a file, static, dynamic or of types only, as written. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  const statements = text.matchAll(
    /^\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )
  return [...statements].map(match => ({ from: file, to: (match[1] ?? match[2] ?? match[3])! }))
}

/** The path under src/ that a relative import names, or undefined for a package or a module of Node's. */
function target({ from, to }: Import): string | undefined {
  if (!to.startsWith('.')) return undefined
  return relative(source, resolve(source, dirname(from), to))
}

const roomOf = (file: string): string => file.split('/')[0]!
const storeyOf = (file: string): number => storeys.findIndex(rooms => rooms.includes(roomOf(file)))
const show = ({ from, to }: Import): string => `${from} imports ${to}`
const imports = files.flatMap(importsOf)

describe('the rooms of src/', () => {
  it('are the ones docs/architecture.md names', () => {
    assert.deepEqual(
      files.filter(file => storeyOf(file) === -1),
      [],
    )
  })

  it('import one way: cli -> learn -> containers -> images, networks, volumes -> runtime -> system', () => {
    const upwards = imports.filter(each => {
      const to = target(each)
      if (to === undefined || to.startsWith('..') || roomOf(to) === roomOf(each.from)) return false
      return storeyOf(to) <= storeyOf(each.from)
    })
    assert.deepEqual(upwards.map(show), [])
  })

  it(`keep images/ apart from runtime/, but for ${imagesMayImport.join(' and ')}`, () => {
    const found = imports.filter(each => {
      const to = target(each)
      return (
        roomOf(each.from) === 'images' &&
        to !== undefined &&
        roomOf(to) === 'runtime' &&
        !imagesMayImport.includes(to)
      )
    })
    assert.deepEqual(found.map(show), [])
  })

  it('never reach outside src/, but for package.json', () => {
    const outside = imports.filter(
      each => target(each)?.startsWith('..') && !each.to.endsWith('/package.json'),
    )
    assert.deepEqual(outside.map(show), [])
  })

  it('import packages only where they belong: commander in cli/, tar in images/', () => {
    const strangers = imports.filter(each => {
      if (each.to.startsWith('.') || each.to.startsWith('node:')) return false
      return packageRooms[each.to.split('/')[0]!] !== roomOf(each.from)
    })
    assert.deepEqual(strangers.map(show), [])
  })
})

describe('the pure part (a plan is decided before anything happens)', () => {
  const isPure = (file: string) =>
    /^runtime\/(plan|ops?|step|spec)\.ts$/.test(file) || /^runtime\/(ops|steps)\//.test(file)

  it('imports nothing of Node and nothing of system/', () => {
    const impure = imports.filter(each => {
      if (!isPure(each.from)) return false
      const to = target(each)
      return to === undefined || (roomOf(to) === 'system' && to !== 'system/error.ts')
    })
    assert.deepEqual(impure.map(show), [])
  })

  it('asks for no clock, no randomness and no environment', () => {
    const asking = files.filter(isPure).filter(file => {
      const code = readFileSync(join(source, file), 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
      return /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bperformance\.|\bcrypto\.|(?<![/.])\bprocess\.\w/.test(
        code,
      )
    })
    assert.deepEqual(asking, [])
  })
})

describe('networks/ decides with numbers and texts', () => {
  /** The records on disk, and what this host is like. */
  const doors = ['networks/store.ts', 'networks/host-network.ts']
  const isPure = (file: string) => roomOf(file) === 'networks' && !doors.includes(file)
  const words = ['system/error.ts', 'system/filters.ts']

  it(`and reads and writes in ${doors.join(' and ')} alone`, () => {
    const reaching = imports.filter(each => {
      if (!isPure(each.from)) return false
      const to = target(each)
      return to === undefined || (roomOf(to) !== 'networks' && !words.includes(to)) || doors.includes(to)
    })
    assert.deepEqual(reaching.map(show), [])
  })
})

describe('every file of src/', () => {
  it('has a name of lower-case words joined by hyphens, a noun and no catch-all', () => {
    const odd = files.filter(
      file =>
        !file.split('/').every(part => /^[a-z0-9]+(-[a-z0-9]+)*(\.ts)?$/.test(part)) ||
        /(^|[/-])(utils?|helpers?|managers?|impl)(\.ts$|\/)|(^|\/)(common|misc|shared|base)(\.ts$|\/)/.test(
          file,
        ),
    )
    assert.deepEqual(odd, [])
  })

  it('says in its first lines which idea it is about', () => {
    const silent = files.filter(file => !/^(#!.*\n)?\/[/*]/.test(readFileSync(join(source, file), 'utf8')))
    assert.deepEqual(silent, [])
  })

  it('leaves the process to main.ts to end', () => {
    const ending = files.filter(
      file => file !== 'main.ts' && /\bprocess\.exit\(/.test(readFileSync(join(source, file), 'utf8')),
    )
    assert.deepEqual(ending, [])
  })
})
