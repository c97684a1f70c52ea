// The root file system: read-only layers below, one writable directory on top, shown as one tree (overlayfs).

import type { Op, Slot } from '../op.ts'
import { inverses } from '../ops.ts'
import type { OverlaySource, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, hostStep } from './container-step.ts'

/** mount(2) takes one page of options. */
const optionBytesLimit = 4095

/** Without an overlay the root is a ready directory, mounted onto itself, since pivot_root(2) wants a mount point. */
export function bindRootStep(spec: Spec): Step {
  return containerStep(
    'bind-root',
    'The root is a ready directory. pivot_root wants a mount point, so the directory is mounted onto itself.',
    [{ op: 'mount', source: spec.root.path, target: spec.root.path, flags: ['MS_BIND', 'MS_REC'] }],
  )
}

/**
 * Mounts the overlay at the root path. `userns` names the user namespace by which the layers' owners are to be shifted.
 */
export function overlaySteps(
  spec: Spec,
  overlay: OverlaySource,
  runDirectory: string,
  userns?: Slot,
): Step[] {
  const numbered = numberedLayers(overlay, runDirectory)
  if (userns !== undefined) {
    return [...idmapSteps(overlay, numbered, userns), overlayStep(spec, numbered)]
  }
  if (Buffer.byteLength(overlayOptions(overlay)) <= optionBytesLimit) return [overlayStep(spec, overlay)]
  return [shortNamesStep(overlay, numbered), overlayStep(spec, numbered)]
}

/** The layers by their numbers in a directory of the run: short names, told relative to it. */
type NumberedLayers = OverlaySource & { runDirectory: string; directory: string }

function numberedLayers(overlay: OverlaySource, runDirectory: string): NumberedLayers {
  return {
    ...overlay,
    lower: overlay.lower.map((_, index) => String(index)),
    runDirectory,
    directory: `${runDirectory}/layers`,
  }
}

function overlayStep(spec: Spec, overlay: OverlaySource | NumberedLayers): Step {
  const mount: Op = {
    op: 'mount',
    source: 'overlay',
    target: spec.root.path,
    type: 'overlay',
    flags: [],
    data: overlayOptions(overlay),
  }
  const chdir: Op[] = 'directory' in overlay ? [{ op: 'chdir', path: overlay.directory }] : []
  return containerStep(
    'mount-overlay',
    `One tree out of many: a file is looked for in the writable upper directory, then from the topmost layer down. Writes go to upper, so an image’s layers are shared by all its containers and never change. Inside the mount namespace, so that no crash can leave it mounted.${overlay.isVolatile ? whyVolatile : ''}`,
    [...(overlay.isVolatile ? forgetVolatile(overlay) : []), ...chdir, mount],
  )
}

const whyVolatile =
  ' The container goes at its end, and after a crash of the machine as well: nothing that it writes need ever be on the disk. Volatile, the overlay flushes nothing, neither when a program asks for it nor at its unmounting, where it would write out all that the host’s file system has waiting.'

/** A container that is restarted has been mounted so before: overlayfs leaves a mark, and refuses to mount what a crash may have torn. */
function forgetVolatile({ work }: OverlaySource): Op[] {
  return [{ op: 'remove_tree', path: `${work}/work/incompat`, tolerate: ['ENOENT'] }]
}

/**
 * The options of an overlay as mount(8) would take them. overlayfs wants the topmost layer first, and splits its options
 * at commas and colons (kernel documentation, overlayfs, "Multiple lower layers").
 */
function overlayOptions({ lower, upper, work, isVolatile }: OverlaySource): string {
  const layers = lower.toReversed().map(escapeOption).join(':')
  const options = `lowerdir=${layers},upperdir=${escapeOption(upper)},workdir=${escapeOption(work)}`
  return isVolatile ? `${options},volatile` : options
}

function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&')
}

function shortNamesStep(overlay: OverlaySource, numbered: NumberedLayers): Step {
  return layerPlacesStep(
    'shorten-layer-names',
    'The options of one mount must fit into a page of memory, and this image has too many layers for their full names. Each gets a link with a short name.',
    numbered,
    overlay.lower.map((target, index): Op => {
      return { op: 'symlink', path: `${numbered.directory}/${index}`, target }
    }),
  )
}

/** A host step that makes something for each layer in a directory of the run. */
function layerPlacesStep(
  id: string,
  why: string,
  { runDirectory, directory }: NumberedLayers,
  places: Op[],
): Step {
  const ops: Op[] = [{ op: 'mkdir', path: directory, mode: 0o711 }, ...places]
  return hostStep(id, why, [{ op: 'mkdir', path: runDirectory, mode: 0o711, parents: true }, ...ops], 'run', [
    ...inverses(ops),
    // The journal lies there too, and goes last.
    { op: 'rmdir', path: runDirectory, tolerate: ['ENOENT', 'ENOTEMPTY'] },
  ])
}

/**
 * The same layers seen with shifted owners: an idmapped mount translates what lies on the disk as root into the user
 * the container's root is on the host, with nothing copied and nothing changed on disk. The writable layer is the
 * container's alone, so its files simply belong to the shifted users.
 */
function idmapSteps(overlay: OverlaySource, numbered: NumberedLayers, userns: Slot): Step[] {
  const target = (index: number) => `${numbered.directory}/${index}`
  return [
    layerPlacesStep(
      'create-mapped-directories',
      'Places to mount the layers with shifted owners; empty on the host, filled only inside the container’s mount namespace.',
      numbered,
      overlay.lower.map((_, index): Op => ({ op: 'mkdir', path: target(index), mode: 0o711 })),
    ),
    containerStep(
      'map-layer-owners',
      'On disk the image’s files belong to the host’s user 0. An idmapped mount shows them as belonging to the user that is root in the container: no file is copied or changed.',
      overlay.lower.map(
        (source, index): Op => ({ op: 'idmap_mount', source, target: target(index), userns }),
      ),
    ),
  ]
}
