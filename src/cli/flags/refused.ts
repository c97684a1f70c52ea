// Flags that Docker has and minictr has not: each is refused by name, so that no wish is silently dropped.

import type { RunFlagGroup } from './draft.ts'
import type { Refused } from './flag.ts'

const noThrottle = 'limits for single block devices are not set yet; --blkio-weight is'
const windows = 'only Windows containers have it'
const realtime = 'real-time scheduling limits are not set yet; --cpus and --cpu-shares are'

function refused(
  [name, short]: [name: string, short?: string],
  takes: string | undefined,
  refuses: string,
): Refused {
  return { name, short, takes, refuses, about: refuses }
}

export const refusedFlags: RunFlagGroup = {
  title: "Docker's, refused here",
  flags: [
    refused(['link-local-ip'], 'list', 'a container gets no other addresses than those of its networks'),
    refused(['volume-driver'], 'string', 'volumes have no other driver than local'),
    refused(['storage-opt'], 'list', 'the overlay has no options per container'),
    refused(['gpus'], 'gpu-request', 'GPUs need a vendor hook; --device takes their device files'),
    refused(['runtime'], 'string', 'minictr is itself the runtime'),
    refused(['cgroup-parent'], 'string', 'all cgroups are below /minictr'),
    refused(['use-api-socket'], undefined, 'there is no daemon, so there is no API socket'),
    refused(['kernel-memory'], 'bytes', 'Linux has no such limit any more; --memory counts the kernel too'),
    refused(['cpu-rt-period'], 'int', realtime),
    refused(['cpu-rt-runtime'], 'int', realtime),
    refused(['blkio-weight-device'], 'list', noThrottle),
    refused(['device-read-bps'], 'list', noThrottle),
    refused(['device-read-iops'], 'list', noThrottle),
    refused(['device-write-bps'], 'list', noThrottle),
    refused(['device-write-iops'], 'list', noThrottle),
    refused(['disable-content-trust'], undefined, 'signatures of images are not checked yet'),
    refused(['isolation'], 'string', windows),
    refused(['cpu-count'], 'int', windows),
    refused(['cpu-percent'], 'int', windows),
    refused(['io-maxbandwidth'], 'bytes', windows),
    refused(['io-maxiops'], 'uint', windows),
  ],
}
