// Debian under another configuration: the same layer, already in the store, with the settings an image can have, and a
// layer of a test's own above it.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { minictr } from '../fixtures/command-line.ts'
import type { DebianStore } from '../fixtures/debian-store.ts'
import { debianImage, pushImage, writeBlob, writeIndexFile } from '../fixtures/image.ts'
import { startRegistry } from '../fixtures/registry.ts'
import type { Debian } from './debian.ts'

/** What an image may have besides: another platform, and the tar of one more layer. */
export type Additions = { architecture?: string; layer?: Buffer }

/**
 * Pulls an image of Debian's layer with `config` (OCI image spec, config.md) into the store of these tests, through a
 * registry that is gone then. Returns its name.
 */
export async function pullVariant(
  debian: Pick<Debian, 'directory' | 'minictr'>,
  config: object,
  additions: Additions = {},
): Promise<string> {
  const registry = await startRegistry()
  try {
    const name = await pushVariant(debian, registry.host, config, additions)
    const { status, stderr } = await debian.minictr('pull', '--quiet', name)
    assert.equal(status, 0, stderr)
    return name
  } finally {
    await registry.stop()
  }
}

/** The same into another store. */
export async function pullVariantInto({ root, globals }: DebianStore, config: object): Promise<string> {
  const debian = {
    directory: () => mkdtempSync(join(root, '../shared-')),
    minictr: (...args: string[]) => minictr([...globals, ...args]),
  }
  return await pullVariant(debian, config)
}

/** Pushes such an image. Returns its name. */
export async function pushVariant(
  debian: Pick<Debian, 'directory'>,
  host: string,
  config: object,
  { layer, ...platform }: Additions = {},
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
  const original = read(manifest.config.digest)
  if (layer) {
    const added = writeBlob(layout, 'application/vnd.oci.image.layer.v1.tar', layer)
    manifest.layers.push(added)
    original.rootfs.diff_ids.push(added.digest)
    delete original.history
  }
  const described = writeBlob(layout, manifest.config.mediaType, { ...original, ...platform, config })
  const made = writeBlob(layout, manifest.mediaType, { ...manifest, config: described })
  writeIndexFile(layout, { variant: made })
  const name = `${host}/variant:latest`
  await pushImage(layout, host, 'variant:latest')
  return name
}
