// The launcher finds Node where sudo's PATH has none: layouts of nvm and npm, made of links to the real Node.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'

const scripts = resolve(import.meta.dirname, '../../scripts')
const SUDO_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
const version = `v${process.versions.node}`
const directories: string[] = []

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'launcher-'))
  directories.push(directory)
  return directory
}

/** A built package whose bundle prints the Node that runs it, and its arguments. */
function makePackage(directory: string, builtWith = ''): string {
  const dist = join(directory, 'dist')
  mkdirSync(dist, { recursive: true })
  const launcher = readFileSync(join(scripts, 'launcher.sh'), 'utf8')
    .replace(/^built_in=$/m, `built_in='${dist}'`)
    .replace(/^built_with=$/m, `built_with='${builtWith}'`)
  writeFileSync(join(dist, 'minictr'), launcher)
  chmodSync(join(dist, 'minictr'), 0o755)
  copyFileSync(join(scripts, 'find-node.sh'), join(dist, 'find-node.sh'))
  writeFileSync(
    join(dist, 'minictr.cjs'),
    'console.log(JSON.stringify({ argv0: process.argv0, args: process.argv.slice(2) }))',
  )
  return join(dist, 'minictr')
}

function linkNode(file: string): string {
  mkdirSync(dirname(file), { recursive: true })
  symlinkSync(process.execPath, file)
  return file
}

/** An old Node, as far as the launcher looks: a program that says so of itself. */
function oldNode(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\necho v20.1.0\n')
  chmodSync(file, 0o755)
}

function launch(command: string, environment: Record<string, string> = {}) {
  const { stdout, stderr, status } = spawnSync(command, ['run', 'a b', ''], {
    env: { PATH: SUDO_PATH, ...environment },
    encoding: 'utf8',
  })
  return { answer: status === 0 ? JSON.parse(stdout) : undefined, stderr, status }
}

describe('dist/minictr', () => {
  let home: string
  beforeEach(() => {
    home = temporaryDirectory()
  })
  after(() => {
    for (const directory of directories) rmSync(directory, { recursive: true })
  })

  it('starts the Node it was built with, and hands on the arguments as they are', () => {
    const minictr = makePackage(join(home, 'minictr'), process.execPath)
    assert.deepEqual(launch(minictr).answer, { argv0: process.execPath, args: ['run', 'a b', ''] })
  })

  it('works through a chain of links, relative ones too', () => {
    const minictr = makePackage(join(home, 'minictr'), process.execPath)
    mkdirSync(join(home, 'bin'))
    symlinkSync('../minictr/dist/minictr', join(home, 'bin/minictr'))
    symlinkSync(join(home, 'bin/minictr'), join(home, 'other'))
    assert.equal(launch(join(home, 'other')).status, 0)
    // The checkout was moved after the build: what the build recorded is no longer so.
    writeFileSync(minictr, readFileSync(minictr, 'utf8').replace(/^built_in=.*$/m, "built_in='/nowhere'"))
    oldNode(join(home, 'old/node'))
    const found = launch(join(home, 'other'), { PATH: `${dirname(process.execPath)}:${SUDO_PATH}` })
    assert.deepEqual(found.answer, { argv0: process.execPath, args: ['run', 'a b', ''] })
  })

  it('finds Node beside the npm prefix that it was installed into (the layout of nvm and of npm install -g)', () => {
    const prefix = join(home, '.nvm/versions/node', version)
    const node = linkNode(join(prefix, 'bin/node'))
    makePackage(join(prefix, 'lib/node_modules/minictr'), '/gone/node')
    symlinkSync('../lib/node_modules/minictr/dist/minictr', join(prefix, 'bin/minictr'))
    assert.equal(launch(join(prefix, 'bin/minictr')).answer.argv0, node)
    symlinkSync(join(prefix, 'bin/minictr'), join(home, 'minictr'))
    assert.equal(launch(join(home, 'minictr')).answer.argv0, node)
  })

  it('finds Node beside the link of an npm prefix that points to a checkout elsewhere (npm install -g .)', () => {
    const prefix = join(home, 'prefix')
    const node = linkNode(join(prefix, 'bin/node'))
    makePackage(join(home, 'checkout'))
    mkdirSync(join(prefix, 'lib/node_modules'), { recursive: true })
    symlinkSync(join(home, 'checkout'), join(prefix, 'lib/node_modules/minictr'))
    symlinkSync('../lib/node_modules/minictr/dist/minictr', join(prefix, 'bin/minictr'))
    const launcher = join(home, 'checkout/dist/minictr')
    writeFileSync(launcher, readFileSync(launcher, 'utf8').replace(/^built_in=.*$/m, 'built_in='))
    assert.equal(launch(join(prefix, 'bin/minictr')).answer.argv0, node)
  })

  it("takes the newest Node of a home's nvm, and passes by the older ones", () => {
    const minictr = makePackage(join(home, 'minictr'))
    oldNode(join(home, '.nvm/versions/node/v20.1.0/bin/node'))
    const node = linkNode(join(home, '.nvm/versions/node', version, 'bin/node'))
    oldNode(join(home, '.nvm/versions/node/v9.9.9/bin/node'))
    assert.equal(launch(minictr, { HOME: home, PATH: '/nowhere:/bin' }).answer.argv0, node)
  })

  it("finds the nvm of the user who called sudo, by the system's user database", t => {
    if (process.getuid!() !== 0)
      return t.skip('needs root, to put a user database of its own before the system’s')
    const minictr = makePackage(join(home, 'minictr'))
    const node = linkNode(join(home, '.nvm/versions/node', version, 'bin/node'))
    writeFileSync(join(home, 'passwd'), `ada:x:1234:1234::${home}:/bin/sh\n`)
    const script = `mount --bind ${home}/passwd /etc/passwd && exec ${minictr} run 'a b' ''`
    const { stdout, stderr } = spawnSync('unshare', ['--mount', '/bin/sh', '-c', script], {
      env: { PATH: SUDO_PATH, SUDO_USER: 'ada', HOME: '/nowhere' },
      encoding: 'utf8',
    })
    const old = '/usr/bin/node'
    const { argv0 } = JSON.parse(stdout || `{"argv0":${JSON.stringify(stderr)}}`)
    // Where the system's own Node is new enough, it comes first.
    assert.ok(argv0 === node || argv0 === old, `ran ${argv0}`)
  })

  it('says where it looked when there is none, and exits with 125', () => {
    const minictr = makePackage(join(home, 'minictr'))
    oldNode(join(home, 'old/node'))
    const { status, stderr } = launch(minictr, { PATH: `${home}/old:${busyboxLike(home)}`, HOME: home })
    assert.equal(status, 125)
    assert.match(stderr, /needs Node\.js 24 or later/)
    assert.ok(stderr.includes(`${home}/old/node (is version 20.1.0)`), stderr)
    assert.ok(stderr.includes(`sudo env PATH="$PATH" ${minictr}`), stderr)
  })
})

/** A PATH without any Node: only what the launcher itself may use. */
function busyboxLike(home: string): string {
  const bin = join(home, 'bin')
  mkdirSync(bin)
  for (const name of ['cat', 'ls', 'sort', 'cut', 'getent', 'readlink']) {
    symlinkSync(`/usr/bin/${name}`, join(bin, name))
  }
  return bin
}
