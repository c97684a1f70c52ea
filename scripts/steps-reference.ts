// Writes the reference of all steps, docs/steps.md, on standard output: from plans for a made-up host, so that it is the
// same wherever it is made.
//
//   node scripts/steps-reference.ts > docs/steps.md

import { parseRun } from '../src/cli/run-flags.ts'
import { type ContainerConfig, makeConfig } from '../src/containers/config.ts'
import type { HostFiles } from '../src/containers/host-files.ts'
import { LayerStack } from '../src/images/layer-stack.ts'
import { type Example, referenceText } from '../src/learn/reference.ts'
import type { HostFacts } from '../src/runtime/host.ts'
import { plan } from '../src/runtime/plan.ts'

const id = '5c07'.repeat(16)
const directory = `/var/lib/minictr/containers/${id}`

/** A Debian of today: everything on cgroup v2. */
const facts: HostFacts = {
  architecture: 'amd64',
  kernel: { major: 6, minor: 12 },
  boundingSet: (1n << 41n) - 1n,
  cgroups: [
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      passedOn: ['cpu', 'memory', 'pids'],
    },
  ],
  swapLimit: true,
  thermalPaths: [],
  blockWeightFile: 'io.weight',
}

const texts: Record<string, string> = {
  '/etc/hosts': '127.0.0.1 localhost\n',
  '/etc/resolv.conf': 'nameserver 192.0.2.1\n',
  '/etc/subuid': 'minictr:100000:65536\n',
  '/etc/subgid': 'minictr:100000:65536\n',
}

const host: HostFiles = {
  hostname: () => 'host',
  readText: path => texts[path],
  kindOf: path => (path in texts ? 'file' : path === '/srv/data' ? 'directory' : undefined),
  statusOf: () => undefined,
  realPath: path => path,
  namesIn: () => [],
}

/** Each brings steps that the ones before do not have. */
const runs = [
  'run --rm --network none debian:trixie bash',
  'run --rm --network none -m 256m --pids-limit 64 debian:trixie bash',
  'run --rm --network none -it debian:trixie bash',
  'run --rm --network none -v /srv/data:/data:ro -w /work debian:trixie bash',
  'run --rm --network none --read-only --ulimit nofile=1024 --oom-score-adj 500 debian:trixie bash',
  'run --rm --network none --security-opt no-new-privileges debian:trixie bash',
  'run --rm --network container:other debian:trixie bash',
  'run --rm --network none --userns-remap minictr debian:trixie bash',
  'run --rm --network none many-layers bash',
]

const layers = '/var/lib/minictr/layers'

/** Two are enough to see how they are stacked; one image has more than a mount takes by their full names. */
function layerPaths(image: string): string[] {
  if (image !== 'many-layers') return [`${layers}/base`, `${layers}/top`]
  return Array.from({ length: 60 }, (_, index) => `${layers}/${String(index).padStart(64, '0')}`)
}

/** The OCI configuration of a run, as `minictr` would make it on that host. */
function configurationOf(run: string): ContainerConfig & { stdin: boolean } {
  const options = parseRun(run.split(' ').slice(1))
  if (options === 'help') throw new Error(`${run} asks for help`)
  const made = makeConfig({
    id,
    name: 'calm_hopper',
    createdAt: '2026-01-01T00:00:00Z',
    options,
    image: {
      name: 'debian:trixie',
      id: 'sha256:0',
      digest: 'sha256:0',
      config: {
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [] },
        config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
      },
    },
    layers: new LayerStack([]),
    layerPaths: layerPaths(options.image),
    directory,
    runDirectory: `/run/minictr/${id}`,
    facts,
    findRunning: () => ({ pid: 4242, spec: configurationOf(runs[0]!).spec }),
    host,
  })
  return { ...made, stdin: options.interactive }
}

function example(run: string): Example {
  const { spec, files, directories, stdin } = configurationOf(run)
  const config = { path: `${directory}/config.json`, content: '{ … }\n', mode: 0o600 }
  const context = {
    containerId: id,
    directory,
    runDirectory: `/run/minictr/${id}`,
    nameFile: '/var/lib/minictr/names/calm_hopper',
    files: [...files, config],
    directories,
    bindSources: {
      '/srv/data': 'directory' as const,
      ...Object.fromEntries(files.map(({ path }) => [path, 'file' as const])),
    },
    host: facts,
    stdin,
  }
  return { run, plan: plan(spec, context) }
}

/** The whole text of docs/steps.md. */
export function stepsReference(): string {
  return referenceText(runs.map(example))
}

if (import.meta.main) process.stdout.write(stepsReference())
