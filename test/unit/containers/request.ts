// A run of a small image on a made-up host, as the tests of configurations need it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseRun } from '../../../src/cli/run-flags.ts'
import { type ConfigRequest, type ContainerConfig, makeConfig } from '../../../src/containers/config.ts'
import type { HostFiles } from '../../../src/containers/host-files.ts'
import { type ChosenVolumes, chooseVolumes, type VolumeRequest } from '../../../src/containers/volumes.ts'
import type { ImageConfig } from '../../../src/images/image-config.ts'
import { LayerStack } from '../../../src/images/layer-stack.ts'
import { hybridHost } from '../runtime/hosts.ts'

export const id = 'ab'.repeat(32)
export const directory = '/var/lib/minictr/containers/ID'

const users = 'root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv/web:/bin/sh\n'
const groups = 'root:x:0:\nadm:x:4:web\nweb:x:33:\naudio:x:29:\n'

const createdAt = '2026-01-02T03:04:05.678Z'

const volumeDirectory = '/var/lib/minictr/volumes'
const noVolumes: VolumeRequest['store'] = {
  read: () => undefined,
  isEmpty: () => true,
  directoryOf: name => `${volumeDirectory}/${name}`,
  dataOf: name => `${volumeDirectory}/${name}/_data`,
}
let nameCount = 0

/** Layers with these files, as `path: text`; a path that ends in a slash is a directory. Removed by `remove`. */
export function makeLayers(...layers: Record<string, string>[]) {
  const place = mkdtempSync(join(tmpdir(), 'minictr-config-'))
  const paths = layers.map((files, index) => {
    const layer = join(place, String(index))
    mkdirSync(layer)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(layer, path.endsWith('/') ? path : dirname(path)), { recursive: true })
      if (!path.endsWith('/')) writeFileSync(join(layer, path), text)
    }
    return layer
  })
  return {
    paths,
    stack: new LayerStack(paths.map(path => ({ path }))),
    remove: () => rmSync(place, { recursive: true }),
  }
}

export const userFiles = { '/etc/passwd': users, '/etc/group': groups }

const devices: Record<string, number> = { '/dev/null': 0x103, '/dev/fuse': 0xae5, '/dev/cpu/0': 0xcb00 }

/** A host that consists of these files; `contents` are texts by path, undefined for a directory. */
export function fakeHost(contents: Record<string, string | undefined> = {}): HostFiles {
  const files: Record<string, string | undefined> = {
    '/etc/hosts': '127.0.0.1 localhost thehost\n',
    '/etc/resolv.conf': 'search example.org\nnameserver 10.0.0.1\noptions rotate\n',
    '/sys/devices/system/cpu/online': '0-3\n',
    '/sys/devices/system/node/online': '0\n',
    '/etc': undefined,
    '/tmp': undefined,
    '/dev/cpu': undefined,
    ...contents,
  }
  const kindOf = (path: string) =>
    path in devices || files[path] !== undefined ? 'file' : path in files ? 'directory' : undefined
  return {
    hostname: () => 'thehost',
    readText: path => files[path],
    kindOf,
    statusOf: path => {
      const device = devices[path]
      if (device !== undefined) return { mode: 0o020660, device, uid: 0, gid: 6 }
      return kindOf(path) && { mode: 0o100644, device: 0, uid: 0, gid: 0 }
    },
    realPath: path => (path in files ? path : undefined),
    namesIn: parent =>
      [...Object.keys(files), ...Object.keys(devices)]
        .filter(path => dirname(path) === parent)
        .map(path => ({
          name: path.slice(parent.length + 1),
          kind: path in devices ? 'device' : kindOf(path) === 'directory' ? 'directory' : 'other',
        })),
  }
}

/** The configuration that a command line makes; `change` replaces parts of the request. */
export function configure(
  line: string | string[],
  {
    config,
    mountsOf,
    ...change
  }: Partial<ConfigRequest> &
    Partial<Pick<VolumeRequest, 'mountsOf'>> & { config?: ImageConfig['config'] } = {},
): ContainerConfig & ChosenVolumes {
  const words = typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line
  const options = parseRun([...words, ...(words.includes('IMAGE') ? [] : ['IMAGE'])])
  if (options === 'help') throw new Error('asked for help')
  const layers = change.layers ? undefined : makeLayers(userFiles)
  try {
    const chosen = chooseVolumes({
      options,
      imageVolumes: Object.keys(config?.Volumes ?? {}),
      image: layers?.stack ?? change.layers!,
      store: noVolumes,
      mountsOf: mountsOf ?? (() => []),
      newName: () => `${nameCount++}`.padStart(64, '0'),
      createdAt,
    })
    const made = makeConfig({
      id,
      name: 'calm_hopper',
      createdAt,
      options,
      image: {
        name: 'debian:trixie',
        id: 'sha256:11',
        digest: 'sha256:22',
        config: {
          architecture: 'amd64',
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [] },
          config: { Cmd: ['bash'], ...config },
        },
      },
      layers: layers?.stack ?? change.layers!,
      layerPaths: ['/layers/bottom', '/layers/top'],
      mounts: chosen.mounts,
      directory,
      log: { driver: 'json-file', maxFiles: 1 },
      facts: hybridHost,
      findRunning: name => {
        throw new Error(`nothing runs as ${name}`)
      },
      host: fakeHost(),
      ...change,
    })
    return { ...made, ...chosen }
  } finally {
    layers?.remove()
  }
}
