// From image to container and back: what is pulled for a run, what of images a container needs, many runs at once.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Registry, startRegistry } from '../fixtures/registry.ts'
import { namesIn, useDebian } from './debian.ts'
import { pushVariant } from './variant.ts'

const debian = useDebian()

/** Does something with a registry that is there as long. */
async function withRegistry(work: (registry: Registry) => Promise<void>): Promise<void> {
  const registry = await startRegistry()
  try {
    await work(registry)
  } finally {
    await registry.stop()
  }
}

const timesAsked = (registry: Registry) => registry.log().match(/\/v2\/variant\/manifests/g)?.length ?? 0

describe('the image of a run', () => {
  it('is pulled where it is missing, always, or never', async () => {
    await withRegistry(async registry => {
      const name = await pushVariant(debian, registry.host, { Cmd: ['echo', 'first'] })
      const run = (...flags: string[]) => debian.minictr('run', '--rm', ...flags, name)
      const never = await run('--pull', 'never')
      assert.equal(never.status, 125)
      assert.match(never.stderr, /^minictr: No such image: /)
      const missing = await run()
      assert.equal(missing.stdout, 'first\n')
      assert.match(missing.stderr, /^Unable to find image '.*\/variant:latest' locally\n/)
      assert.match(missing.stderr, /\nDigest: sha256:[0-9a-f]{64}\n$/)

      await pushVariant(debian, registry.host, { Cmd: ['echo', 'second'] })
      const asked = timesAsked(registry)
      assert.deepEqual(await run('--pull=missing'), { status: 0, stdout: 'first\n', stderr: '' })
      assert.deepEqual(await run('--pull', 'never'), { status: 0, stdout: 'first\n', stderr: '' })
      assert.equal(timesAsked(registry), asked)
      assert.deepEqual(await run('--pull', 'always', '--quiet'), {
        status: 0,
        stdout: 'second\n',
        stderr: '',
      })
      assert.ok(timesAsked(registry) > asked)
    })
  })

  it('is found by its id, the beginning of it, and its digest', async () => {
    const { image } = debian.store()
    const repository = image.replace(/:trixie$/, '')
    const { stdout } = await debian.minictr('images', '--no-trunc', '--digests', repository)
    const [digest, id] = stdout.match(/sha256:[0-9a-f]{64}/g)!
    for (const name of [id!, id!.slice(7), id!.slice(7, 19), `${repository}@${digest}`]) {
      const outcome = await debian.minictr('run', '--rm', '--pull', 'never', name, 'echo', 'found')
      assert.deepEqual(outcome, { status: 0, stdout: 'found\n', stderr: '' }, name)
    }
    const wrong = `${repository}@sha256:${'0'.repeat(64)}`
    assert.equal((await debian.minictr('run', '--rm', '--pull', 'never', wrong, 'true')).status, 125)
  })
})

describe('an image in use', () => {
  it('is not removed while a container, running or not, is made of it', async () => {
    const { image, root } = debian.store()
    const running = debian.start([], ['sh', '-c', 'echo ready; sleep 1000'])
    while (running.output() === '') await sleep(10)
    const refused = await debian.minictr('rmi', image)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /unable to remove repository reference .* container [0-9a-f]{12} is using/)
    const [id] = namesIn(join(root, 'containers'))
    assert.equal((await debian.minictr('rm', '-f', id!)).status, 0)
    assert.equal((await running.outcome).status, 137)

    assert.equal((await debian.minictr('run', '--name', 'ended', image, 'true')).status, 0)
    const { stdout } = await debian.minictr('images', '-q', '--no-trunc', image)
    const byId = await debian.minictr('rmi', stdout.trim())
    assert.equal(byId.status, 1)
    assert.match(byId.stderr, /image is being used by stopped container/)
    assert.equal((await debian.minictr('rm', 'ended')).status, 0)
    assert.equal((await debian.run([], ['true'])).status, 0, 'the image is whole')
  })
})

describe('many runs at once', () => {
  it('do not disturb each other, and leave nothing', async () => {
    const script = (number: number) => `echo ${number} > /mine; hostname; cat /mine`
    const runs = Array.from({ length: 12 }, (_, number) =>
      debian.run(['-m', '64m', '--name', `run-${number}`], ['sh', '-c', script(number)]),
    )
    const hostnames = new Set<string>()
    for (const [number, { status, stdout, stderr }] of (await Promise.all(runs)).entries()) {
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      const [name, mine] = stdout.split('\n')
      assert.equal(mine, String(number))
      hostnames.add(name!)
    }
    assert.equal(hostnames.size, 12)
    const { root, runRoot } = debian.store()
    const left = [join(root, 'containers'), join(root, 'names'), runRoot].flatMap(namesIn)
    assert.deepEqual(left, [])
    assert.equal((await debian.minictr('ps', '-aq')).stdout, '')
  })
})
