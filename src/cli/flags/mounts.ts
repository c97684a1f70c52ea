// Flags about files: what of this host, and what of memory, appears in the container.

import type { RunFlagGroup } from './draft.ts'
import { parseMount } from './mount.ts'
import { parseBytes } from './numbers.ts'
import { parseTmpfs } from './tmpfs.ts'
import { parseVolume } from './volume.ts'

export const mountFlags: RunFlagGroup = {
  title: 'Files',
  flags: [
    {
      name: 'volume',
      short: 'v',
      takes: 'list',
      about: 'Bind mount a volume ([SOURCE:]TARGET[:ro,rshared,…])',
      set: ({ options }, text) => {
        options.mounts.push(parseVolume(text, process.cwd()))
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
      name: 'tmpfs',
      takes: 'list',
      about: 'Mount a tmpfs directory',
      set: ({ options }, text) => {
        options.mounts.push(parseTmpfs(text))
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
