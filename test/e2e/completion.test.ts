// Completion as a person meets it: Tab in a real bash, zsh and fish, with containers and images that are there.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable, type Running } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { useDebian } from './debian.ts'

const debian = useDebian()

let directory = ''
let running: Running
/** What Debian's image is called up to its last part. */
const imageStart = () => debian.store().image.slice(0, -4)

const path = () => `${join(directory, 'bin')}:${process.env.PATH}`

/** A line that is begun, with Tabs in it, and what is run when Enter follows. */
const lines: [typed: () => string, ran: () => string][] = [
  [() => 'minictr logs end\t', () => 'logs ended-box'],
  [() => 'minictr exec al\tsh', () => 'exec alive-box sh'],
  [() => 'minictr logs --fol\tend\t', () => 'logs --follow ended-box'],
  [() => `minictr run --rm ${imageStart()}\ttrue`, () => `run --rm ${debian.store().image} true`],
  [() => 'minictr run --pull=alw\tx', () => 'run --pull=always x'],
  [() => 'minictr run --network ho\tx', () => 'run --network host x'],
  [() => 'minictr image insp\tx', () => 'image inspect x'],
  [() => 'minictr cp local-f\tend\t/tmp', () => 'cp local-file ended-box:/tmp'],
]

async function typeLines(shell: Session): Promise<void> {
  for (const [typed, ran] of lines) {
    // A shell that is still completing takes what is typed next for more of the line: key by key, as a person types.
    for (const part of typed().split(/(?<=\t)/)) {
      shell.press(part)
      await sleep(part.endsWith('\t') ? 1000 : 100)
    }
    shell.press('\n')
    await shell.see(`ran: ${ran()}`)
  }
  shell.type('exit')
  await shell.end()
}

function skipWithout(shell: string, t: TestContext): boolean {
  const isThere = (process.env.PATH ?? '').split(':').some(place => existsSync(join(place, shell)))
  if (!isThere) t.skip(`${shell} is not installed (Debian's package ${shell})`)
  return !isThere
}

describe('a store with two containers', () => {
  before(async () => {
    directory = debian.directory()
    const { globals } = debian.store()
    const program = [executable, ...globals].map(word => `'${word}'`).join(' ')
    // Completion is the real one; everything else only tells what it would have been.
    const script = `case $1 in __complete | completion) exec ${program} "$@" ;; *) echo "ran: $*" ;; esac`
    mkdirSync(join(directory, 'bin'))
    writeFileSync(join(directory, 'bin/minictr'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, 'bin/minictr'), 0o755)
    writeFileSync(join(directory, 'local-file'), '')
    assert.equal((await debian.startKept(['--name', 'ended-box'], ['true']).outcome).status, 0)
    running = debian.startKept(['--name', 'alive-box'], ['sh', '-c', 'echo ready; exec sleep 1000'])
    while (!running.output().includes('ready')) await sleep(10)
  })
  after(async () => {
    assert.equal((await debian.minictr('rm', '-f', 'alive-box', 'ended-box')).status, 0)
    await running.outcome
  })

  describe('completion', () => {
    it('works in bash', async () => {
      const start = `cd ${directory}; source <(minictr completion bash); bind 'set bell-style none'; echo set up`
      const shell = atTerminal(['bash', '--norc', '--noprofile', '-i'], {
        PATH: path(),
        TERM: 'dumb',
        INPUTRC: '/dev/null',
      })
      shell.type(start)
      await shell.see(/\nset up/)
      await typeLines(shell)
    })

    it('works in zsh', async t => {
      if (skipWithout('zsh', t)) return
      const start = `cd ${directory}; autoload -U compinit; compinit -u -D; source <(minictr completion zsh); unsetopt beep; echo set up`
      const shell = atTerminal(['zsh', '-f', '-i'], { PATH: path(), TERM: 'dumb' })
      shell.type(start)
      await shell.see(/\nset up/)
      await typeLines(shell)
    })

    it('works in fish', t => {
      if (skipWithout('fish', t)) return
      const script = join(directory, 'minictr.fish')
      const env = { ...process.env, PATH: path(), HOME: directory, TERM: 'dumb' }
      writeFileSync(script, execFileSync('minictr', ['completion', 'fish'], { env }))
      const complete = (line: string) => {
        const text = execFileSync(
          'fish',
          ['-c', `source ${script}; cd ${directory}; complete -C '${line}'`],
          {
            env,
          },
        )
        return text
          .toString()
          .split('\n')
          .slice(0, -1)
          .map(each => each.split('\t')[0])
      }
      assert.deepEqual(complete('minictr logs end'), ['ended-box'])
      assert.deepEqual(complete('minictr exec '), ['alive-box'])
      assert.deepEqual(complete('minictr logs --fol'), ['--follow'])
      assert.deepEqual(complete(`minictr run ${imageStart()}`), [debian.store().image])
      assert.deepEqual(complete('minictr run --pull=alw'), ['--pull=always'])
      assert.deepEqual(complete('minictr cp local-f'), ['local-file'])
      assert.ok(complete('minictr ').includes('completion'))
    })
  })

  describe('the words that may come next', () => {
    async function next(...words: string[]): Promise<{ words: string[]; bits: string }> {
      const { status, stdout } = await debian.minictr('__complete', ...words)
      assert.equal(status, 0)
      const all = stdout.split('\n').slice(0, -1)
      return { words: all.slice(0, -1).map(line => line.split('\t')[0]!), bits: all.at(-1)! }
    }

    it('are containers that the command can act on', async () => {
      assert.deepEqual(await next('logs', ''), { words: ['alive-box', 'ended-box'], bits: ':4' })
      assert.deepEqual((await next('exec', '')).words, ['alive-box'])
      assert.deepEqual((await next('rm', 'ended-box', '')).words, ['alive-box', 'ended-box'])
      assert.deepEqual((await next('cp', '')).words, ['alive-box:', 'ended-box:'])
      const { stdout } = await debian.minictr('ps', '-aq', '--no-trunc')
      const [id] = stdout.split('\n')
      assert.deepEqual((await next('logs', id!.slice(0, 6))).words, [id!.slice(0, 12)])
      assert.deepEqual((await next('logs', 'ended-box', '')).words, [])
    })

    it('are files where a program inside, or a file, is meant', async () => {
      assert.deepEqual(await next('run', '-it', 'debian', ''), { words: [], bits: ':0' })
      assert.deepEqual(await next('run', '--env-file', ''), { words: [], bits: ':0' })
      assert.deepEqual(await next('--root', ''), { words: [], bits: ':16' })
    })

    it('are flags, all of them, and no refused ones', async () => {
      const { words } = await next('run', '--')
      assert.ok(words.includes('--memory') && words.includes('--help') && words.includes('--log-driver'))
      assert.ok(!words.includes('--gpus'))
      assert.deepEqual((await next('logs', '--', '--')).words, [])
    })

    it('are none, without an error, where nothing is known', async () => {
      for (const line of [
        ['nope', ''],
        ['--nope', ''],
        ['image', 'nope', ''],
        ['explain', 'nope', ''],
      ])
        assert.deepEqual((await next(...line)).words, [], line.join(' '))
    })
  })
})
