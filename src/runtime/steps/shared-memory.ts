// Memory that several containers share as files: the /dev/shm of a container that others may join.

import type { PlanContext } from '../context.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'

/** Mounts it on the host, where the container's own mount of it, and those of who joins, are taken from. */
export function sharedMemoryStep({ sharedMemory }: PlanContext): Step[] {
  if (!sharedMemory) return []
  const { path, sizeBytes } = sharedMemory
  return [
    hostStep(
      'mount-shared-memory',
      'POSIX shared memory is files in /dev/shm, and a mount of one container cannot be mounted in another. So the memory is mounted here, and bound into each of them. It is unmounted here when this container ends; one that joined keeps it, because a file system lives as long as any mount of it.',
      [
        { op: 'mkdir', path, mode: 0o711 },
        {
          op: 'mount',
          source: 'shm',
          target: path,
          type: 'tmpfs',
          flags: ['MS_NOSUID', 'MS_NODEV', 'MS_NOEXEC'],
          data: `mode=1777,size=${sizeBytes}`,
        },
      ],
      'run',
    ),
  ]
}
