// Debian under another configuration: the same layer, already in the store, with the settings an image can have.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { debianImage, pushImage, writeBlob, writeIndexFile } from '../fixtures/image.ts'
import { startRegistry } from '../fixtures/registry.ts'
import type { Debian } from './debian.ts'

/**
 * Pulls an image of Debian's layer with `config` (OCI image spec, config.md) into the store of these tests, through a
 * registry that is gone then. Returns its name.
 */
export async function pullVariant(debian: Debian, config: object): Promise<string> {
  const registry = await startRegistry()
  try {
    const name = await pushVariant(debian, registry.host, config)
    const { status, stderr } = await debian.minictr('pull', '--quiet', name)
    assert.equal(status, 0, stderr)
    return name
  } finally {
    await registry.stop()
  }
}

/** Pushes such an image, for another platform where one is given. Returns its name. */
export async function pushVariant(
  debian: Debian,
  host: string,
  config: object,
  platform: { architecture?: string } = {},
): Promise<string> {
  const base = await debianImage()
  const layout = join(debian.directory(), 'layout')
  const read = (digest: string) =>
    JSON.parse(readFileSync(join(base, 'blobs', digest.replace(':', '/')), 'utf8'))
  const index = JSON.parse(readFileSync(join(base, 'index.json'), 'utf8'))
  const manifest = read(index.manifests[0].digest)
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  for (const { digest } of manifest.layers) {
    const place = digest.replace(':', '/')
    symlinkSync(join(base, 'blobs', place), join(layout, 'blobs', place))
  }
  const changed = { ...read(manifest.config.digest), ...platform, config }
  const described = writeBlob(layout, manifest.config.mediaType, changed)
  const made = writeBlob(layout, manifest.mediaType, { ...manifest, config: described })
  writeIndexFile(layout, { variant: made })
  const name = `${host}/variant:latest`
  await pushImage(layout, host, 'variant:latest')
  return name
}
