// Flags about files: what of this host, and what of memory, appears in the container.

import type { MountOption } from '../../containers/options.ts'
import type { RunFlagGroup } from './draft.ts'
import { parseMount } from './mount.ts'
import { parseBytes } from './numbers.ts'
import { parseTmpfs } from './tmpfs.ts'
import { parseVolume, parseVolumesFrom } from './volume.ts'

/** What --tmpfs has asked for, which is otherwise like a --mount with type=tmpfs. */
const ofTmpfs = new WeakSet<MountOption>()

/** The words of -v that asked for a mount. */
const saidAs = new WeakMap<MountOption, string>()

export const mountFlags: RunFlagGroup = {
  title: 'Files',
  flags: [
    {
      name: 'volume',
      short: 'v',
      takes: 'list',
      about: 'Bind mount a volume ([SOURCE:]TARGET[:ro,nocopy,…])',
      set: ({ options }, text) => {
        // As in Docker the same words twice are one wish; others for the same place are refused.
        if (options.mounts.some(each => saidAs.get(each) === text)) return
        const mount = parseVolume(text, process.cwd())
        options.mounts.push(mount)
        saidAs.set(mount, text)
      },
    },
    {
      name: 'mount',
      takes: 'mount',
      about: 'Attach a filesystem mount to the container (type=bind|volume|tmpfs,…)',
      set: ({ options }, text) => {
        options.mounts.push(parseMount(text, process.cwd()))
      },
    },
    {
      name: 'volumes-from',
      takes: 'list',
      about: 'Mount volumes from the specified container(s) (CONTAINER[:ro])',
      set: ({ options }, text) => {
        options.volumesFrom.push(parseVolumesFrom(text))
      },
    },
    {
      name: 'tmpfs',
      takes: 'list',
      about: 'Mount a tmpfs directory',
      set: ({ options }, text) => {
        const mount = parseTmpfs(text)
        // As in Docker the last one counts; any other mount at the same place is refused.
        const same = options.mounts.findIndex(each => ofTmpfs.has(each) && each.target === mount.target)
        if (same < 0) options.mounts.push(mount)
        else options.mounts[same] = mount
        ofTmpfs.add(mount)
      },
    },
    {
      name: 'read-only',
      about: "Mount the container's root filesystem as read only",
      turn: ({ options }, on) => {
        options.isRootReadOnly = on
      },
    },
    {
      name: 'shm-size',
      takes: 'bytes',
      about: 'Size of /dev/shm (default 64m)',
      set: ({ options }, text) => {
        options.shmSizeBytes = parseBytes(text)
      },
    },
  ],
}
