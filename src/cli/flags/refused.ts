// Flags that Docker has and minictr has not: each is refused by name, so that no wish is silently dropped.

import type { RunFlagGroup } from './draft.ts'
import type { Refused } from './flag.ts'

const noBridge = 'there are no bridge networks yet; use --network host to share the network of this host'
const noHealth = 'health checks are not run yet'
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
    refused(['detach', 'd'], undefined, 'containers run in the foreground only so far'),
    refused(['detach-keys'], 'string', 'a run in the foreground cannot be detached from yet'),
    refused(['attach', 'a'], 'list', 'STDOUT and STDERR are always attached, STDIN is with -i'),
    refused(['restart'], 'string', 'nothing restarts a container yet'),
    refused(['publish', 'p'], 'list', noBridge),
    refused(['publish-all', 'P'], undefined, noBridge),
    refused(['expose'], 'list', noBridge),
    refused(['link'], 'list', noBridge),
    refused(['link-local-ip'], 'list', noBridge),
    refused(['ip'], 'string', noBridge),
    refused(['ip6'], 'string', noBridge),
    refused(['mac-address'], 'string', noBridge),
    refused(['network-alias'], 'list', noBridge),
    { ...refused(['net-alias'], 'list', noBridge), isHidden: true },
    refused(['volumes-from'], 'list', 'volumes are not shared between containers yet; -v takes a host path'),
    refused(['volume-driver'], 'string', 'there are no volume drivers; -v takes a host path'),
    refused(['storage-opt'], 'list', 'the overlay has no options per container'),
    refused(['log-driver'], 'string', 'what a container prints is not kept yet'),
    refused(['log-opt'], 'list', 'what a container prints is not kept yet'),
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
    refused(['health-cmd'], 'string', noHealth),
    refused(['health-interval'], 'duration', noHealth),
    refused(['health-retries'], 'int', noHealth),
    refused(['health-start-interval'], 'duration', noHealth),
    refused(['health-start-period'], 'duration', noHealth),
    refused(['health-timeout'], 'duration', noHealth),
    refused(['no-healthcheck'], undefined, noHealth),
    refused(['disable-content-trust'], undefined, 'signatures of images are not checked yet'),
    refused(['isolation'], 'string', windows),
    refused(['cpu-count'], 'int', windows),
    refused(['cpu-percent'], 'int', windows),
    refused(['io-maxbandwidth'], 'bytes', windows),
    refused(['io-maxiops'], 'uint', windows),
  ],
}
