// The root file system: read-only layers below, one writable directory on top, shown as one tree (overlayfs).

import type { Op, Slot } from '../op.ts'
import type { OverlaySource, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, hostStep } from './container-step.ts'

/** mount(2) takes one page of options. */
const optionBytesLimit = 4095

/**
 * Mounts the overlay at the root path; without one the root path itself is bind-mounted, since pivot_root(2) wants a
 * mount point. `shifted` holds the directories as mounted with the owners of the user namespace.
 */
export function rootfsStep(spec: Spec, overlay: OverlaySource | undefined): Step {
  if (!overlay) {
    return containerStep(
      'bind-root',
      'The root is a ready directory. pivot_root wants a mount point, so the directory is mounted onto itself.',
      [{ op: 'mount', source: spec.root.path, target: spec.root.path, flags: ['MS_BIND', 'MS_REC'] }],
    )
  }
  return containerStep(
    'mount-overlay',
    'One tree out of many: a file is looked for in the writable upper directory, then from the topmost layer down. Writes go to upper, so an image’s layers are shared by all its containers and never change. Inside the mount namespace, so that no crash can leave it mounted.',
    overlayOps(spec.root.path, overlay),
  )
}

function overlayOps(target: string, overlay: OverlaySource): Op[] {
  const lower = overlay.lower.toReversed()
  const directory = commonDirectory(lower)
  const absolute = overlayOptions(lower, overlay)
  if (Buffer.byteLength(absolute) <= optionBytesLimit || directory === undefined) {
    return [{ op: 'mount', source: 'overlay', target, type: 'overlay', flags: [], data: absolute }]
  }
  const names = lower.map(path => path.slice(directory.length + 1))
  return [
    { op: 'chdir', path: directory },
    {
      op: 'mount',
      source: 'overlay',
      target,
      type: 'overlay',
      flags: [],
      data: overlayOptions(names, overlay),
    },
  ]
}

function overlayOptions(lower: string[], { upper, work }: OverlaySource): string {
  return `lowerdir=${lower.map(escapeOption).join(':')},upperdir=${escapeOption(upper)},workdir=${escapeOption(work)}`
}

/** overlayfs splits its options at commas and colons. */
function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&')
}

function commonDirectory(paths: string[]): string | undefined {
  const [first] = paths
  if (first === undefined) return undefined
  const directory = first.slice(0, first.lastIndexOf('/'))
  return paths.every(path => path.startsWith(`${directory}/`)) ? directory : undefined
}

/**
 * The same layers seen with shifted owners: an idmapped mount translates what lies on the disk as root into the user
 * the container's root is on the host, with nothing copied and nothing changed on disk. The writable layer is the
 * container's alone, so its files simply belong to the shifted users.
 */
export function shiftedOverlay(overlay: OverlaySource, runDirectory: string): OverlaySource {
  return { ...overlay, lower: overlay.lower.map((_, index) => `${runDirectory}/layers/${index}`) }
}

/** Steps that mount each layer with shifted owners. */
export function idmapSteps(overlay: OverlaySource, runDirectory: string, userns: Slot): Step[] {
  const shifted = shiftedOverlay(overlay, runDirectory)
  return [
    hostStep(
      'create-mapped-directories',
      'Places to mount the layers with shifted owners; empty on the host, filled only inside the container’s mount namespace.',
      [
        { op: 'mkdir', path: `${runDirectory}/layers`, mode: 0o711 },
        ...shifted.lower.map((path): Op => ({ op: 'mkdir', path, mode: 0o711 })),
      ],
      'run',
    ),
    containerStep(
      'map-layer-owners',
      'On disk the image’s files belong to the host’s user 0. An idmapped mount shows them as belonging to the user that is root in the container: no file is copied or changed.',
      overlay.lower.map((source, index): Op => {
        return { op: 'idmap_mount', source, target: shifted.lower[index]!, userns }
      }),
    ),
  ]
}
