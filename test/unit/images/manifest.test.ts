import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseImageConfig } from '../../../src/images/image-config.ts'
import { isIndex, parseManifest, parseManifestOrIndex } from '../../../src/images/manifest.ts'

const digest = `sha256:${'a'.repeat(64)}`
const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 5 }
const manifest = { schemaVersion: 2, config: { ...descriptor }, layers: [descriptor] }
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))

describe('a manifest', () => {
  it('is told from an index', () => {
    assert.equal(isIndex(parseManifestOrIndex(bytes(manifest), 'It')), false)
    assert.equal(
      isIndex(parseManifestOrIndex(bytes({ schemaVersion: 2, manifests: [descriptor] }), 'It')),
      true,
    )
    assert.throws(() => parseManifest(bytes({ schemaVersion: 2, manifests: [] }), 'It'), /It is an index/)
  })

  const wrong: [what: string, value: unknown, message: RegExp][] = [
    ['no object', [], /It is not a JSON object/],
    ['schema 1', { ...manifest, schemaVersion: 1 }, /schema version 1/],
    ['both at once', { ...manifest, manifests: [] }, /a manifest and an index at once/],
    ['no layers', { ...manifest, layers: undefined }, /layers is missing, not a list/],
    ['no configuration', { ...manifest, config: undefined }, /config is missing, not a descriptor/],
    [
      'a digest that leads out',
      { ...manifest, layers: [{ ...descriptor, digest: 'sha256:../../../etc/passwd' }] },
      /sha256 takes 64/,
    ],
    [
      'an unknown algorithm',
      { ...manifest, layers: [{ ...descriptor, digest: 'md5:abc' }] },
      /"md5" is not one of/,
    ],
    ['a negative size', { ...manifest, layers: [{ ...descriptor, size: -1 }] }, /layers\[0\]: size is -1/],
    ['a size of text', { ...manifest, layers: [{ ...descriptor, size: '5' }] }, /size is "5"/],
    [
      'another media type than announced',
      { ...manifest, mediaType: 'other' },
      /calls itself "other" but was announced as/,
    ],
  ]
  for (const [what, value, message] of wrong) {
    it(`with ${what} is refused`, () => {
      assert.throws(
        () => parseManifestOrIndex(bytes(value), 'It', 'application/vnd.oci.image.manifest.v1+json'),
        message,
      )
    })
  }
  it('that is no JSON is refused', () =>
    assert.throws(() => parseManifestOrIndex(Buffer.from('{'), 'It'), /It is not JSON/))
})

describe('an image configuration', () => {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } }
  it('must name its platform and as many layers as the manifest', () => {
    assert.equal(parseImageConfig(bytes(config), 'It', 1).os, 'linux')
    assert.throws(() => parseImageConfig(bytes(config), 'It', 2), /It names 1 layers, its manifest 2/)
    assert.throws(() => parseImageConfig(bytes({ ...config, os: undefined }), 'It'), /os is missing/)
    assert.throws(() => parseImageConfig(bytes({ ...config, rootfs: {} }), 'It'), /diff_ids is missing/)
    assert.throws(
      () => parseImageConfig(bytes({ ...config, rootfs: { diff_ids: ['../x'] } }), 'It'),
      /Digest/,
    )
  })
  it('must say how it is run in the right form, and may say null', () => {
    const parse = (run: unknown) => parseImageConfig(bytes({ ...config, config: run }), 'It')
    const empty = { User: '', Env: null, Cmd: ['a'], Entrypoint: [], Volumes: { '/v': {} }, Labels: null }
    assert.deepEqual(parse(empty).config, empty)
    assert.equal(parse(null).config, undefined)
    const wrong = { Env: 'A=1', Cmd: [1], Volumes: ['/v'], Labels: 'x', WorkingDir: 7, Entrypoint: 'sh' }
    for (const [field, value] of Object.entries(wrong)) {
      assert.throws(() => parse({ [field]: value }), new RegExp(`It: config\\.${field} is `), field)
    }
    assert.throws(() => parse('sh'), /It: config is "sh", not an object/)
  })
  it('must have a health check in the right form', () => {
    const parse = (Healthcheck: unknown) =>
      parseImageConfig(bytes({ ...config, config: { Healthcheck } }), 'It')
    const check = { Test: ['CMD', 'true'], Interval: 1_000_000_000, Retries: 3 }
    assert.deepEqual(parse(check).config?.Healthcheck, check)
    assert.doesNotThrow(() => parse(null))
    assert.doesNotThrow(() => parse({ Test: null }))
    assert.throws(() => parse('true'), /It: config\.Healthcheck is "true", not an object/)
    for (const wrong of [
      { Test: 'true' },
      { Test: [1] },
      { Interval: '1s' },
      { Timeout: 0.5 },
      { Retries: [] },
    ]) {
      const [field] = Object.keys(wrong)
      assert.throws(() => parse(wrong), new RegExp(`It: config\\.Healthcheck\\.${field} is `), field)
    }
  })
})
