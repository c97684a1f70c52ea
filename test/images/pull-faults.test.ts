// What networks and registries do wrong, and what a pull makes of it: it goes on, or it says why it cannot.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { minictr, type Running, startMinictr } from '../fixtures/command-line.ts'
import { type Fault, type FaultProxy, type SeenRequest, startFaultProxy } from '../fixtures/fault-proxy.ts'
import { pushImage, writeLayout, writeTar } from '../fixtures/image.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'

const execute = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'minictr-faults-'))
const LAYER_BYTES = 3_000_000
let registry: Registry
let layer: { digest: string; size: number }
let configDigest: string
let roots = 0

before(async () => {
  registry = await startRegistry()
  const tar = await writeTar(join(directory, 'layer.tar'), {
    'etc/name': 'layer\n',
    'data/random': LAYER_BYTES,
  })
  const layout = join(directory, 'layout')
  const { image } = await writeLayout(layout, { image: [{ layers: [{ tar }] }] })
  const manifest = readFileSync(join(layout, 'blobs/sha256', image!.digest.slice(7)), 'utf8')
  layer = JSON.parse(manifest).layers[0]
  configDigest = JSON.parse(manifest).config.digest
  await pushImage(layout, registry.host, 'test/image')
})

after(async () => {
  await registry.stop()
  rmSync(directory, { recursive: true, force: true })
})

const isLayer = ({ url }: SeenRequest) => url.endsWith(`/blobs/${layer.digest}`)
const partialOf = (root: string) => join(root, 'images/partial', layer.digest.replace(':', '-'))

/** Pulls through a proxy that goes wrong as `fault` says; `nth` counts the requests for the layer from 1. */
async function pullThrough(
  fault: (request: SeenRequest, nth: number) => Fault | undefined,
  use: (proxy: FaultProxy, root: string, name: string) => Promise<void>,
): Promise<void> {
  const root = join(directory, `root-${++roots}`)
  const proxy = await startFaultProxy(registry.host, (request, earlier) =>
    fault(request, isLayer(request) ? earlier.filter(isLayer).length + 1 : 0),
  )
  try {
    await use(proxy, root, `${proxy.host}/test/image`)
  } finally {
    await proxy.stop()
  }
}

const argsIn = (root: string, ...args: string[]) => ['--root', root, '--run-root', join(root, 'run'), ...args]

async function assertPulled(root: string, name: string) {
  const outcome = await minictr(argsIn(root, 'pull', name))
  assert.equal(outcome.status, 0, outcome.stderr)
  assertWhole(root)
  return outcome
}

function assertWhole(root: string): void {
  const [key] = readdirSync(join(root, 'layers')).filter(name => /^[0-9a-f]{64}$/.test(name))
  assert.equal(statSync(join(root, 'layers', key!, 'fs/data/random')).size, LAYER_BYTES)
  assert.equal(statSync(join(root, 'images/blobs/sha256', layer.digest.slice(7))).size, layer.size)
  assert.deepEqual(readdirSync(join(root, 'images/partial')), [])
}

/** A store without the image: no name, no unpacked layer, nothing half done that is believed. */
function assertNoImage(root: string): void {
  const index = join(root, 'images/index.json')
  if (existsSync(index)) assert.deepEqual(JSON.parse(readFileSync(index, 'utf8')).manifests, [])
  const layers = join(root, 'layers')
  assert.deepEqual(existsSync(layers) ? readdirSync(layers) : [], [])
}

/** A moment's wait for something a running minictr is to do; throws with what it said if it has ended instead. */
async function whileRuns({ child, outcome }: Running): Promise<void> {
  if (child.exitCode !== null) throw new Error(`minictr ended early: ${(await outcome).stderr}`)
  await sleep(10)
}

describe('a pull', () => {
  test('goes on by Range where a connection broke, as often as it gets further', async () => {
    const cuts = [400_000, 700_000, 100_000, 500_000, 200_000, 300_000]
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth > 0 && nth <= cuts.length ? { kind: 'cut', afterBytes: cuts[nth - 1]! } : undefined
    await pullThrough(fault, async (proxy, root, name) => {
      const { stdout } = await assertPulled(root, name)
      assert.match(stdout, /: Retrying in 1 s\n/)
      const ranges = proxy.seen.filter(isLayer).map(({ headers }) => headers.range)
      assert.equal(ranges.length, cuts.length + 1)
      assert.equal(ranges[0], undefined)
      let start = 0
      for (const [index, range] of ranges.slice(1).entries()) {
        start += cuts[index]!
        assert.equal(range, `bytes=${start}-`)
      }
    })
  })

  test('passes over what it has when the registry knows no ranges', async () => {
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth === 1 ? { kind: 'cut', afterBytes: 1_000_000 } : { kind: 'ignore-range' }
    await pullThrough(fault, async (proxy, root, name) => {
      await assertPulled(root, name)
      assert.equal(proxy.seen.filter(isLayer).length, 2)
    })
  })

  test('waits as long as Retry-After says on 429, and tries again on 503', async () => {
    const fault = (_: SeenRequest, nth: number): Fault | undefined => {
      if (nth === 1) return { kind: 'status', status: 429, headers: { 'retry-after': '3' } }
      if (nth === 2) return { kind: 'status', status: 503 }
      return undefined
    }
    await pullThrough(fault, async (proxy, root, name) => {
      const { stdout } = await assertPulled(root, name)
      assert.match(stdout, /: Retrying in 3 s\n.*: Retrying in [12] s\n/s)
      assert.equal(proxy.seen.filter(isLayer).length, 3)
    })
  })

  test('tries manifests and configurations again too', async () => {
    const fault = ({ url }: SeenRequest): Fault | undefined => {
      if (!url.includes('/manifests/') && !url.endsWith(configDigest)) return undefined
      if (failed.has(url)) return undefined
      failed.add(url)
      return { kind: 'status', status: 502 }
    }
    const failed = new Set<string>()
    await pullThrough(fault, async (_proxy, root, name) => {
      const { stdout } = await assertPulled(root, name)
      assert.equal(failed.size, 2)
      assert.match(stdout, /answered 502 to GET .*\/manifests\/latest.*\nRetrying in 1 s\n/)
    })
  })

  test('gives up at once when asked to wait for an hour, and says so', async () => {
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth > 0
        ? {
            kind: 'status',
            status: 429,
            headers: { 'retry-after': '3600' },
            body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
          }
        : undefined
    await pullThrough(fault, async (proxy, root, name) => {
      const { status, stderr } = await minictr(argsIn(root, 'pull', name))
      assert.equal(status, 1)
      assert.match(stderr, /answered 429 to GET .*: slow down/)
      assert.equal(proxy.seen.filter(isLayer).length, 1)
      assertNoImage(root)
    })
  })

  test('refuses wrong bytes, naming registry, blob, expected and got, and keeps none of them', async () => {
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth > 0 ? { kind: 'corrupt', at: 2_000_000 } : undefined
    await pullThrough(fault, async (proxy, root, name) => {
      const { status, stderr } = await minictr(argsIn(root, 'pull', name))
      assert.equal(status, 1)
      assert.match(
        stderr,
        new RegExp(
          `Blob ${layer.digest} of ${name} from registry ${proxy.host} is damaged: expected ${layer.digest}, got sha256:[0-9a-f]{64}`,
        ),
      )
      assertNoImage(root)
      assert.equal(existsSync(partialOf(root)), false)
    })
  })

  test('refuses more bytes than promised', async () => {
    const body = Buffer.alloc(layer.size + 1).toString('latin1')
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth > 0 ? { kind: 'status', status: 200, body } : undefined
    await pullThrough(fault, async (_proxy, root, name) => {
      const { status, stderr } = await minictr(argsIn(root, 'pull', name))
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`is damaged: expected ${layer.size} bytes, got more`))
      assertNoImage(root)
    })
  })

  test('refuses a manifest and a configuration that are not what their digest says', async () => {
    for (const part of ['/manifests/', configDigest]) {
      const fault = ({ url, method }: SeenRequest): Fault | undefined =>
        method === 'GET' && url.includes(part) ? { kind: 'corrupt', at: 1 } : undefined
      await pullThrough(fault, async (_proxy, root, name) => {
        const { status, stderr } = await minictr(argsIn(root, 'pull', name))
        assert.equal(status, 1)
        assert.match(stderr, /is damaged: expected .*sha256:|is damaged: expected \d+ bytes/)
        assertNoImage(root)
      })
    }
  })

  test('on a full disk says where, leaves a valid store, and goes on when there is room', async () => {
    await pullThrough(
      () => undefined,
      async (proxy, root, name) => {
        mkdirSync(root)
        await execute('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root])
        try {
          const { status, stderr } = await minictr(argsIn(root, 'pull', name))
          assert.equal(status, 1)
          assert.match(stderr, /Cannot (write|unpack) .*: .*ENOSPC/)
          assertNoImage(root)
          assert.equal(proxy.seen.filter(isLayer).length, 1, 'no use in trying again')
          await execute('mount', ['-o', 'remount,size=20m', root])
          await assertPulled(root, name)
        } finally {
          await execute('umount', [root])
        }
      },
    )
  })

  test('says where on a disk that has no room even for what is small', async () => {
    await pullThrough(
      () => undefined,
      async (_proxy, root, name) => {
        mkdirSync(root)
        await execute('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', root])
        try {
          const { status, stderr } = await minictr(argsIn(root, 'pull', name))
          assert.equal(status, 1)
          assert.match(stderr, new RegExp(`ENOSPC: .*, write '${root}/images/partial/new-`))
          assertNoImage(root)
          assert.deepEqual(readdirSync(join(root, 'images/partial')), [])
        } finally {
          await execute('umount', [root])
        }
      },
    )
  })

  test('outlives a thread that fails before it is needed', async () => {
    const preload = join(directory, 'fail-in-threads.cjs')
    writeFileSync(preload, "if (!require('node:worker_threads').isMainThread) throw new Error('no thread')")
    const slow = createServer((_, response) => setTimeout(() => response.writeHead(404).end(), 700))
    await once(slow.listen(0, '127.0.0.1'), 'listening')
    const { port } = slow.address() as AddressInfo
    const env = { NODE_OPTIONS: `--require=${preload}` }
    const root = join(directory, `root-${++roots}`)
    const early = await minictr(argsIn(root, 'run', `127.0.0.1:${port}/test/image`), { env })
    slow.close()
    assert.equal(early.status, 125)
    assert.match(early.stderr, /^minictr: .* answered 404/m)
    const needed = await minictr(argsIn(root, 'run', `${registry.host}/test/image`), { env })
    assert.equal(needed.status, 125)
    assert.match(needed.stderr, /^minictr: .*no thread/m)
    assertNoImage(root)
  })

  test('takes the word of a manifest where the registry says only application/json', async () => {
    await pullThrough(
      () => undefined,
      async (proxy, root, name) => {
        const accept = 'application/vnd.oci.image.manifest.v1+json'
        const url = `http://${registry.host}/v2/test/image/manifests/latest`
        const body = await (await fetch(url, { headers: { accept } })).text()
        const careless = await startFaultProxy(proxy.host, ({ url }) =>
          url.includes('/manifests/')
            ? { kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body }
            : undefined,
        )
        try {
          await assertPulled(root, name.replace(proxy.host, careless.host))
          const index = JSON.parse(readFileSync(join(root, 'images/index.json'), 'utf8'))
          assert.equal(index.manifests[0].mediaType, accept)
        } finally {
          await careless.stop()
        }
      },
    )
  })

  test('starts over when what an earlier pull left turns out to be damaged', async () => {
    await pullThrough(
      () => undefined,
      async (proxy, root, name) => {
        await minictr(argsIn(root, 'pull', `${proxy.host}/test/none`))
        mkdirSync(join(root, 'images/partial'), { recursive: true })
        writeFileSync(partialOf(root), Buffer.alloc(1_000_000, 7))
        await assertPulled(root, name)
        assert.deepEqual(
          proxy.seen.filter(isLayer).map(({ headers }) => headers.range),
          ['bytes=1000000-', undefined],
        )
      },
    )
  })

  test('killed at any moment leaves a valid store, and the next one goes on', async () => {
    // 100 kB at a time and then silence: wherever the kill falls, something is half done.
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth > 0 && nth <= 5 ? { kind: 'stall', afterBytes: 300_000 } : undefined
    await pullThrough(fault, async (proxy, root, name) => {
      for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
        const known = existsSync(partialOf(root)) ? statSync(partialOf(root)).size : 0
        const running = startMinictr(argsIn(root, 'pull', name))
        while (!existsSync(partialOf(root)) || statSync(partialOf(root)).size < known + 300_000) {
          await whileRuns(running)
        }
        running.child.kill(signal)
        assert.notEqual((await running.outcome).status, 0)
        assert.equal(statSync(partialOf(root)).size, known + 300_000)
        const index = join(root, 'images/index.json')
        assert.equal(existsSync(index), false, 'the image has no name before it is whole')
      }
      await assertPulled(root, name)
      assert.equal(proxy.seen.filter(isLayer).at(-1)!.headers.range, 'bytes=1500000-')
    })
  })

  test('waits for another that downloads the same layer, and takes over when that one is killed', async () => {
    const fault = (_: SeenRequest, nth: number): Fault | undefined =>
      nth === 1 ? { kind: 'stall', afterBytes: 1_000_000 } : undefined
    await pullThrough(fault, async (proxy, root, name) => {
      const first = startMinictr(argsIn(root, 'pull', name))
      while (!existsSync(partialOf(root)) || statSync(partialOf(root)).size < 1_000_000)
        await whileRuns(first)
      const second = startMinictr(argsIn(root, 'pull', name))
      while (!second.output().includes('Waiting for another pull')) await whileRuns(second)
      assert.equal(proxy.seen.filter(isLayer).length, 1)
      first.child.kill('SIGKILL')
      const { status, stderr } = await second.outcome
      await first.outcome
      assert.equal(status, 0, stderr)
      assertWhole(root)
      assert.deepEqual(
        proxy.seen.filter(isLayer).map(({ headers }) => headers.range),
        [undefined, 'bytes=1000000-'],
      )
    })
  })
})
