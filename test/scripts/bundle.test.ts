// What the build makes beforehand is what the sources would make: the filter program, and V8's code.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { executable } from '../fixtures/command-line.ts'

const dist = join(import.meta.dirname, '../../dist')
const roots = mkdtempSync(join(tmpdir(), 'minictr-bundle-'))
after(() => rmSync(roots, { recursive: true }))

function call(command: string[], ...args: string[]): string {
  const [program, ...words] = [...command, '--root', roots, '--run-root', join(roots, 'run'), ...args]
  const { status, stdout, stderr } = spawnSync(program!, words, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

const fromSources = [process.execPath, join(import.meta.dirname, '../../src/main.ts')]
const bundled = [executable]

/** The program that the step load-seccomp-filter gives to the kernel. */
function filterOf(command: string[], ...flags: string[]): unknown {
  const { steps } = JSON.parse(
    call(command, 'explain', 'run', '--json', '--network', 'none', ...flags, 'made-here'),
  )
  const { ops } = steps.find(({ id }: { id: string }) => id === 'load-seccomp-filter')
  return ops
}

describe('the bundle', () => {
  before(() => {
    call(fromSources, 'image', 'from-host', 'made-here', 'true')
  })

  it('holds the filter program that the compiler makes', () => {
    assert.match(readFileSync(join(dist, 'base.cjs'), 'utf8'), /"?configuration"?: ?['"`]\{"defaultAction/)
    assert.deepEqual(filterOf(bundled), filterOf(fromSources))
  })

  it('loads nothing of Node for a run that takes long to load', () => {
    const tell = `process.on('exit', () => require('node:fs').writeSync(2, process.moduleLoadList.join('\\n')))`
    const hook = `data:text/javascript,${encodeURIComponent(`import { createRequire } from 'node:module'
      const require = createRequire('/')
      ${tell}`)}`
    call(bundled, 'network', 'create', 'web')
    for (const words of [
      'run --rm --network none',
      'explain run --network none',
      'explain run --network web',
    ]) {
      const args = [
        '--root',
        roots,
        '--run-root',
        join(roots, 'run'),
        ...words.split(' '),
        'made-here',
        'true',
      ]
      const node = [process.execPath, '--import', hook, '--', join(dist, 'minictr.cjs'), ...args]
      const { stderr } = spawnSync(join(dist, 'minictr-helper'), ['beside', ...node], { encoding: 'utf8' })
      assert.match(stderr, /^NativeModule fs$/m)
      assert.doesNotMatch(stderr, /^NativeModule (child_process|crypto|http|os|worker_threads)$/m, words)
    }
  })

  it('explains what acts on a container as the sources do', () => {
    call(fromSources, 'create', '--name', 'acted', '--network', 'none', 'made-here', 'true')
    for (const words of [
      ['start', 'acted'],
      ['rename', 'acted', 'other'],
      ['rm', '--force', 'acted'],
    ]) {
      assert.equal(call(bundled, 'explain', ...words), call(fromSources, 'explain', ...words))
    }
    call(fromSources, 'rm', 'acted')
  })

  it('compiles other filters as the sources do', () => {
    const flags = ['--cap-add', 'SYS_PTRACE', '--cap-drop', 'CHOWN']
    assert.deepEqual(filterOf(bundled, ...flags), filterOf(fromSources, ...flags))
    assert.notDeepEqual(filterOf(bundled, '--cap-add', 'SYS_ADMIN'), filterOf(bundled))
  })

  it('has code that V8 takes back, with the flags of runs and without', () => {
    const launcher = readFileSync(join(dist, 'minictr'), 'utf8')
    const runFlags = /^run_flags='(.*)'$/m.exec(launcher)![1]!.split(' ')
    const filesOf = {
      run: ['base', 'run', 'network'],
      exec: ['base', 'exec'],
      stop: ['base', 'end', 'network'],
      rm: ['base', 'end', 'network'],
    }
    const acting = Object.entries(filesOf).flatMap(([kind, files]) => files.map(file => ({ kind, file })))
    const looking = ['ps', 'logs', 'look'].map(kind => ({ kind, file: 'rest' }))
    const kept = [
      ...[...acting, ...looking, { kind: 'pull', file: 'pull' }].map(each => ({ ...each, flags: [] })),
      ...acting.map(each => ({ ...each, flags: runFlags })),
    ]
    for (const { kind, file, flags } of kept) {
      const program = `
        const { readFileSync } = require('node:fs')
        const filename = process.argv[1]
        const cachedData = readFileSync(process.argv[2])
        const { Script } = require('node:vm')
        console.log(new Script(readFileSync(filename, 'latin1'), { filename, cachedData }).cachedDataRejected)`
      const name = join(dist, `${file}.cjs`)
      const cache = `${name}.${kind}${flags.length > 0 ? '.flags' : ''}.cache`
      const args = [...flags, '--eval', program, name, cache]
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(stdout, 'false\n', `${cache} with ${flags.join(' ') || 'no flags'}`)
    }
  })
})
