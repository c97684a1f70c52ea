// How much of the disk is taken by containers, images and volumes, and how much of it nobody uses.

import { type CatalogImage, listImages } from '../images/catalog.ts'
import { type ImageShare, ImageUsage } from '../images/disk-usage.ts'
import { LayerStore } from '../images/layers.ts'
import { ImageStore } from '../images/store.ts'
import { sizeOfTree } from '../system/tree-size.ts'
import { VolumeStore } from '../volumes/store.ts'
import type { Volume } from '../volumes/volume.ts'
import { isActive } from './condition.ts'
import { type Listed, listedOf } from './listed.ts'
import { listContainers } from './lookup.ts'
import { writtenBytes } from './size.ts'
import type { Roots } from './state.ts'

export type UsedImage = { image: CatalogImage; sizeBytes: number; share: ImageShare; containers: number }
export type UsedContainer = Listed & { sizeBytes: number }
export type UsedVolume = { volume: Volume; mountpoint: string; sizeBytes: number; containers: number }

/** All there is of one kind. */
export type KindUsage = { count: number; active: number; sizeBytes: number; reclaimableBytes: number }

export type DiskUsage = {
  images: UsedImage[]
  containers: UsedContainer[]
  volumes: UsedVolume[]
  /** Of images the blobs count as well, and what several have counts once. */
  ofImages: KindUsage
  ofContainers: KindUsage
  ofVolumes: KindUsage
}

/** Looks at every file of containers and volumes. Source: moby, daemon/disk_usage.go; docker/cli, formatter/disk_usage.go. */
export function readDiskUsage(roots: Roots): DiskUsage {
  const containers = listContainers(roots).map(container => ({
    ...listedOf(container, roots),
    sizeBytes: writtenBytes(container, roots),
  }))
  const volumes = usedVolumes(roots, containers)
  return {
    ...imagesOf(roots, containers),
    containers,
    ofContainers: kindOf(containers, ({ condition }) => isActive(condition.state)),
    volumes,
    ofVolumes: kindOf(volumes, ({ containers: users }) => users > 0),
  }
}

function imagesOf(roots: Roots, listed: Listed[]): Pick<DiskUsage, 'images' | 'ofImages'> {
  const store = new ImageStore(`${roots.root}/images`)
  const layers = new LayerStore(`${roots.root}/layers`)
  const all = listImages(store)
  const usage = new ImageUsage(store, layers)
  const shares = usage.sharesOf(all)
  const images = all.map(image => ({
    image,
    sizeBytes: layers.sizeOf(image),
    share: shares.get(image.id)!,
    containers: listed.filter(({ container }) => container.record.image.id === image.id).length,
  }))
  const used = images.filter(({ containers }) => containers > 0).map(({ image }) => image)
  const sizeBytes = usage.bytesOf(all)
  return {
    images,
    ofImages: {
      count: all.length,
      active: used.length,
      sizeBytes,
      reclaimableBytes: sizeBytes - usage.bytesOf(used),
    },
  }
}

function usedVolumes({ root }: Roots, listed: Listed[]): UsedVolume[] {
  const store = new VolumeStore(root)
  return store.list().map(volume => ({
    volume,
    mountpoint: store.dataOf(volume.name),
    sizeBytes: sizeOfTree(store.dataOf(volume.name)),
    containers: listed.filter(({ container }) =>
      container.record.mounts.some(({ name }) => name === volume.name),
    ).length,
  }))
}

function kindOf<Thing extends { sizeBytes: number }>(
  things: Thing[],
  isUsed: (thing: Thing) => boolean,
): KindUsage {
  const sum = (each: Thing[]) => each.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
  const used = things.filter(isUsed)
  const sizeBytes = sum(things)
  return { count: things.length, active: used.length, sizeBytes, reclaimableBytes: sizeBytes - sum(used) }
}
