// What lies between minictr and a registry: certificates of private authorities, insecure registries, mirrors, proxies.
// Names that only the proxy can reach stand for hosts that are not this machine.

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Certificates, makeCertificates } from '../fixtures/certificate.ts'
import { minictr } from '../fixtures/command-line.ts'
import { startFaultProxy } from '../fixtures/fault-proxy.ts'
import { type HttpProxy, startHttpProxy } from '../fixtures/http-proxy.ts'
import { pushImage, writeLayout, writeTar } from '../fixtures/image.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'

const directory = mkdtempSync(join(tmpdir(), 'minictr-configuration-'))
const HUB = 'registry-1.docker.io'
let certificates: Certificates
let secure: Registry
let plain: Registry
let proxy: HttpProxy
let roots = 0

before(async () => {
  certificates = await makeCertificates(directory, ['registry.test', HUB])
  secure = await startRegistry({ tls: certificates })
  plain = await startRegistry()
  proxy = await startHttpProxy({
    'registry.test:443': secure.host,
    [`${HUB}:443`]: secure.host,
    'plain.test:443': plain.host,
    'plain.test:80': plain.host,
  })
  const tar = await writeTar(join(directory, 'layer.tar'), { 'etc/name': 'layer\n' })
  const layout = join(directory, 'layout')
  await writeLayout(layout, { image: [{ layers: [{ tar }] }] })
  await pushImage(layout, secure.host, 'library/demo')
  await pushImage(layout, secure.host, 'library/rare')
  await pushImage(layout, plain.host, 'library/demo')
})

after(async () => {
  await Promise.all([secure.stop(), plain.stop(), proxy.stop()])
  rmSync(directory, { recursive: true, force: true })
})

type Setting = { config?: object; authorities?: string[]; proxied?: boolean; env?: Record<string, string> }

/** Pulls with a configuration of its own; `authorities` are the hosts for which our authority is to be trusted. */
async function pull(name: string, { config = {}, authorities = [], proxied = false, env = {} }: Setting) {
  const root = join(directory, `root-${++roots}`)
  const file = join(root, 'etc/config.json')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(config))
  for (const host of authorities) {
    mkdirSync(join(root, 'etc/certs.d', host), { recursive: true })
    copyFileSync(certificates.authority, join(root, 'etc/certs.d', host, 'ca.crt'))
  }
  const through = proxied ? { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url } : {}
  const args = ['--root', root, '--run-root', join(root, 'run'), '--config', file, 'pull', name]
  const clean = { https_proxy: '', http_proxy: '', NO_PROXY: '', no_proxy: '' }
  return { root, ...(await minictr(args, { env: { ...clean, ...through, DOCKER_CONFIG: root, ...env } })) }
}

describe('over HTTPS', () => {
  test('a registry of a private authority is refused, with the place for its certificate', async () => {
    const { status, stderr } = await pull('registry.test/library/demo', { proxied: true })
    assert.equal(status, 1)
    assert.match(stderr, /Registry registry\.test does not answer at https:\/\/registry\.test: .*certificate/)
    assert.match(stderr, /certs\.d\/registry\.test\/ca\.crt/)
  })

  test('and is pulled from with its certificate in certs.d, through the proxy by CONNECT', async () => {
    const { status, stderr } = await pull('registry.test/library/demo', {
      proxied: true,
      authorities: ['registry.test'],
    })
    assert.equal(status, 0, stderr)
    assert.ok(proxy.seen.includes('CONNECT registry.test:443'))
  })

  test('or with the registry named insecure', async () => {
    const config = { 'insecure-registries': ['registry.test'] }
    const { status, stderr } = await pull('registry.test/library/demo', { proxied: true, config })
    assert.equal(status, 0, stderr)
  })

  test('on loopback no certificate is asked for', async () => {
    const { status, stderr } = await pull(`${secure.host}/library/demo`, {})
    assert.equal(status, 0, stderr)
  })
})

describe('over plain HTTP', () => {
  test('a registry that is not on this machine is refused', async () => {
    const { status, stderr } = await pull('plain.test/library/demo', { proxied: true })
    assert.equal(status, 1)
    assert.match(stderr, /does not answer at https:\/\/plain\.test/)
    assert.match(stderr, /insecure-registries/)
    assert.equal(
      proxy.seen.some(each => each.includes('http://plain.test')),
      false,
    )
  })

  test('unless it is named insecure; then HTTPS is tried first', async () => {
    const before = proxy.seen.length
    const { status, stderr } = await pull('plain.test/library/demo', {
      proxied: true,
      config: { 'insecure-registries': ['plain.test'] },
    })
    assert.equal(status, 0, stderr)
    const seen = proxy.seen.slice(before)
    assert.equal(seen[0], 'CONNECT plain.test:443')
    assert.ok(seen.includes('GET http://plain.test/v2/library/demo/manifests/latest'), seen.join('\n'))
  })

  test('loopback never takes the proxy', async () => {
    const before = proxy.seen.length
    const { status, stderr } = await pull(`${plain.host}/library/demo`, { proxied: true })
    assert.equal(status, 0, stderr)
    assert.equal(proxy.seen.length, before)
  })

  test('NO_PROXY keeps a host from the proxy', async () => {
    const before = proxy.seen.length
    const { status, stderr } = await pull('registry.test/library/demo', {
      proxied: true,
      env: { NO_PROXY: '.test' },
    })
    assert.equal(status, 1)
    assert.match(stderr, /ENOTFOUND|EAI_AGAIN/)
    assert.equal(proxy.seen.length, before)
  })
})

describe('a mirror of docker.io', () => {
  test('is asked first, and the image keeps its name', async () => {
    const mirror = await startFaultProxy(plain.host, () => undefined)
    try {
      const config = { 'registry-mirrors': [`http://${mirror.host}`] }
      const before = proxy.seen.length
      const { status, stdout, stderr, root } = await pull('demo', { proxied: true, config })
      assert.equal(status, 0, stderr)
      assert.match(
        stdout,
        /Status: Downloaded newer image for demo:latest\ndocker\.io\/library\/demo:latest\n$/,
      )
      assert.ok(mirror.count('blobs') > 0)
      assert.equal(proxy.seen.length, before, 'docker.io itself was not asked')
      const index = JSON.parse(readFileSync(join(root, 'images/index.json'), 'utf8'))
      const { annotations } = index.manifests[0]
      assert.equal(annotations['org.opencontainers.image.ref.name'], 'docker.io/library/demo:latest')
    } finally {
      await mirror.stop()
    }
  })

  test('that is dead or lacks the image is passed over', async () => {
    const config = { 'registry-mirrors': ['http://127.0.0.1:1', `http://${plain.host}`] }
    const { status, stderr } = await pull('rare', { proxied: true, config, authorities: [HUB] })
    assert.equal(status, 0, stderr)
    assert.ok(proxy.seen.includes(`CONNECT ${HUB}:443`))
  })

  test('that knows the manifest but has lost its layers is passed over for these', async () => {
    const mirror = await startFaultProxy(plain.host, ({ url }) =>
      url.includes('/blobs/') ? { kind: 'status', status: 404 } : undefined,
    )
    try {
      const config = { 'registry-mirrors': [`http://${mirror.host}`] }
      const { status, stderr } = await pull('demo', { proxied: true, config, authorities: [HUB] })
      assert.equal(status, 0, stderr)
    } finally {
      await mirror.stop()
    }
  })

  test('is not asked for images of other registries', async () => {
    const mirror = await startFaultProxy(plain.host, () => undefined)
    try {
      const config = { 'registry-mirrors': [`http://${mirror.host}`] }
      const { status, stderr } = await pull(`${plain.host}/library/demo`, { config })
      assert.equal(status, 0, stderr)
      assert.equal(mirror.seen.length, 0)
    } finally {
      await mirror.stop()
    }
  })
})
