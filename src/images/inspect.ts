// An image as `docker image inspect` describes it.

import type { CatalogImage } from './catalog.ts'
import type { LayerStore } from './layers.ts'
import { NilList, NilMap, omittedConfig, withOmitted } from './nil.ts'

/** Docker's description: a plain object per image; free maps (labels, ports) are Maps, for templates. */
export type ImageDescription = Record<string, unknown>

/** Describes an image. Source: Docker Engine API, "Inspect an image". */
export function describeImage(image: CatalogImage, layers: LayerStore): ImageDescription {
  const { config } = image
  const last = config.history?.at(-1)
  const description = {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Parent: '',
    Comment: last?.comment ?? '',
    Created: config.created ?? '',
    DockerVersion: '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] && { OsVersion: config['os.version'] }),
    Size: layers.sizeOf(image),
    GraphDriver: { Name: 'overlay', Data: new Map(graphData(image, layers)) },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Descriptor: { mediaType: image.manifest.mediaType ?? '', digest: image.digest },
    Config: describeConfig(config.config ?? {}),
  }
  return withOmitted(description, { ID: image.id, Variant: '', OsVersion: '' })
}

function describeConfig(config: NonNullable<CatalogImage['config']['config']>): Record<string, unknown> {
  const description = {
    User: config.User ?? '',
    ...(config.ExposedPorts && { ExposedPorts: toMap(config.ExposedPorts) }),
    Env: config.Env ?? [],
    Cmd: config.Cmd ?? new NilList(),
    ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
    Volumes: config.Volumes ? toMap(config.Volumes) : new NilMap(),
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? new NilList(),
    OnBuild: config.OnBuild ?? new NilList(),
    Labels: config.Labels ? toMap(config.Labels) : new NilMap(),
    ...(config.StopSignal && { StopSignal: config.StopSignal }),
    ...(config.Shell && { Shell: config.Shell }),
  }
  return withOmitted(description, omittedConfig())
}

/** The directories overlay stacks, topmost first as in its mount option; nothing where a layer is not unpacked. */
function graphData(image: CatalogImage, layers: LayerStore): [string, string][] {
  const found = image.diffIds.map((diffId, index) => layers.layer(diffId, image.diffIds.slice(0, index)))
  if (found.length === 0 || found.some(layer => layer === undefined)) return []
  const paths = found.map(layer => layer!.path).reverse()
  const lower = paths.slice(1).join(':')
  return [...(lower ? [['LowerDir', lower] as [string, string]] : []), ['UpperDir', paths[0]!]]
}

function toMap(record: Record<string, unknown>): Map<string, unknown> {
  return new Map(Object.entries(record))
}
