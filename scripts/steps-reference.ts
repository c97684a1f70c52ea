// Writes the reference of all steps, docs/steps.md, on standard output: from plans for a made-up host, so that it is the
// same wherever it is made.
//
//   node scripts/steps-reference.ts > docs/steps.md

import { parseExec } from '../src/cli/exec-flags.ts'
import { parseRun } from '../src/cli/run-flags.ts'
import { type ContainerConfig, makeConfig } from '../src/containers/config.ts'
import { sessionSpec } from '../src/containers/exec-session.ts'
import type { HostFiles } from '../src/containers/host-files.ts'
import type { NetworkSurroundings } from '../src/containers/networks.ts'
import { type DecidedNetworks, planNetworks } from '../src/containers/plan-networks.ts'
import { chooseVolumes, type VolumeRequest } from '../src/containers/volumes.ts'
import { LayerStack } from '../src/images/layer-stack.ts'
import { type Example, referenceText } from '../src/learn/reference.ts'
import type { Network } from '../src/networks/network.ts'
import { type NewNetwork, newNetwork } from '../src/networks/new-network.ts'
import { defaultPools } from '../src/networks/pool.ts'
import { NetworkStore } from '../src/networks/store.ts'
import { connectPlan, disconnectPlan } from '../src/runtime/connect-plan.ts'
import type { PlanContext } from '../src/runtime/context.ts'
import { execPlan } from '../src/runtime/exec-plan.ts'
import { freezerOf } from '../src/runtime/freezer.ts'
import type { HostFacts } from '../src/runtime/host.ts'
import { pausePlan, unpausePlan } from '../src/runtime/pause-plan.ts'
import { plan, startPlan } from '../src/runtime/plan.ts'
import { renamePlan } from '../src/runtime/rename-plan.ts'
import type { Spec } from '../src/runtime/spec.ts'
import type { Step } from '../src/runtime/step.ts'
import type { PortsChange } from '../src/runtime/steps/ports.ts'
import { undoesOf } from '../src/runtime/steps/undo.ts'
import { volumeRemoval } from '../src/runtime/steps/volumes.ts'
import { removePlan, signalPlan, stopPlan } from '../src/runtime/stop-plan.ts'
import { updatePlan } from '../src/runtime/update-plan.ts'
import type { Volume } from '../src/volumes/volume.ts'

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
  'run --rm --network none -v web:/usr/share debian:trixie bash',
  'run --rm --network none --userns-remap minictr -v shared:/shared debian:trixie bash',
  'run --rm --network none --ipc shareable debian:trixie bash',
  'run --rm --network none many-layers bash',
  'run --rm debian:trixie bash',
  'run --rm --network web -p 8080:80 debian:trixie bash',
  'run --rm --network lan debian:trixie bash',
]

const sharedVolume: Volume = {
  name: 'shared',
  driver: 'local',
  options: {},
  labels: {},
  createdAt: '2026-01-01T00:00:00Z',
  isAnonymous: false,
}

/** One is there; /usr/share of the machine this page is made on stands for the image's. */
const volumes: Omit<VolumeRequest, 'options'> = {
  imageVolumes: [],
  image: new LayerStack([{ path: '/' }]),
  store: {
    read: name => (name === 'shared' ? sharedVolume : undefined),
    isEmpty: () => true,
    directoryOf: name => `/var/lib/minictr/volumes/${name}`,
    dataOf: name => `/var/lib/minictr/volumes/${name}/_data`,
  },
  mountsOf: () => [],
  newName: () => 'ab'.repeat(32),
  createdAt: '2026-01-01T00:00:00Z',
}

const plainNetwork: NewNetwork = {
  name: 'web',
  driver: 'bridge',
  hasIpv4: true,
  hasIpv6: false,
  subnets: [],
  isInternal: false,
  isAttachable: false,
  options: {},
  labels: {},
}

/** A network of somebody's own, and one on the wire of the host's. */
const networks = [
  { ...plainNetwork, subnets: [{ subnet: '172.18.0.0/16', auxiliaryAddresses: {} }] },
  {
    ...plainNetwork,
    name: 'lan',
    driver: 'macvlan',
    subnets: [{ subnet: '192.0.2.0/24', auxiliaryAddresses: {} }],
    options: { parent: 'eth0' },
  },
].map((wish, index) => {
  const around = { networks: [], routes: [], pools: defaultPools }
  return newNetwork(wish, around, `${index + 1}`.repeat(64), '2026-01-01T00:00:00Z')
})

/** Nobody is in them yet. */
class ExampleNetworks extends NetworkStore {
  override read(id: string): Network | undefined {
    return this.list().find(network => network.id === id)
  }

  override list(): Network[] {
    return networks
  }

  override byName(name: string): Network | undefined {
    return this.list().find(network => network.name === name)
  }

  override claimedAddresses(): [] {
    return []
  }
}

/** A host that forwards nothing so far. */
const surroundings: NetworkSurroundings = {
  store: new ExampleNetworks({ root: '/var/lib/minictr', runRoot: '/run/minictr' }),
  settings: () => ({ pools: defaultPools, defaultNetwork: { hasIpv6: false, subnets: [], options: {} } }),
  host: {
    hasIpv6: () => true,
    hasLink: () => false,
    exists: () => false,
    readText: path => (path === '/proc/sys/net/ipv4/ip_forward' ? '0' : ''),
    namesIn: () => [],
    routes: () => [],
    ports: () => [],
    ephemeral: () => ({ first: 32_768, last: 60_999 }),
    newId: () => 'e0'.repeat(32),
    now: () => '2026-01-01T00:00:00Z',
  },
  findContainer: text => {
    throw new Error(`no container ${text}`)
  },
  hostsFileOf: () => `${directory}/hosts`,
}

const layers = '/var/lib/minictr/layers'

/** Two are enough to see how they are stacked; one image has more than a mount takes by their full names. */
function layerPaths(image: string): string[] {
  if (image !== 'many-layers') return [`${layers}/base`, `${layers}/top`]
  return Array.from({ length: 60 }, (_, index) => `${layers}/${String(index).padStart(64, '0')}`)
}

/** The OCI configuration of a run, as `minictr` would make it on that host. */
function configurationOf(
  run: string,
): ContainerConfig & Pick<PlanContext, 'stdin' | 'volumes'> & { networks?: DecidedNetworks } {
  const options = parseRun(run.split(' ').slice(1))
  if (options === 'help') throw new Error(`${run} asks for help`)
  const chosen = chooseVolumes({ ...volumes, options })
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
    mounts: chosen.mounts,
    directory,
    log: { driver: 'json-file', maxFiles: 1 },
    facts,
    findRunning: () => ({ id, pid: 4242, spec: configurationOf(runs[0]!).spec }),
    host,
  })
  const { record, spec } = made
  const joining = { id, record, hostname: spec.hostname ?? '' }
  return {
    ...made,
    volumes: chosen.volumes,
    stdin: record.stdin,
    ...(record.networks.length > 0 && { networks: planNetworks(joining, surroundings) }),
  }
}

function example(run: string): Example {
  const { spec, context } = subject(run)
  return { command: run, plan: plan(spec, context) }
}

/** The container of the first run, started again. */
function restartExample(): Example {
  const { spec, context } = subject(runs[0]!)
  const restartFile = `/run/minictr/${id}.restarting.json`
  return {
    command: 'start calm_hopper # by its restart policy',
    plan: startPlan(spec, { ...context, restartFile }),
  }
}

function subject(run: string): { spec: Spec; context: PlanContext } {
  const { spec, directories, sharedMemory, volumes, stdin, networks, ...made } = configurationOf(run)
  const files = made.files(networks?.names)
  const [config, record] = ['config.json', 'container.json'].map(name => {
    return { path: `${directory}/${name}`, content: '{ … }\n', mode: 0o600 }
  })
  const context = {
    containerId: id,
    directory,
    lockFile: `${directory}/lock`,
    runDirectory: `/run/minictr/${id}`,
    nameFile: '/var/lib/minictr/names/calm_hopper',
    storeDirectory: '/var/lib/minictr/images',
    files: [...files, config!, record!],
    directories,
    volumes,
    ...(sharedMemory && { sharedMemory }),
    ...(networks && { networks: networks.planned }),
    bindSources: {
      '/srv/data': 'directory' as const,
      ...Object.fromEntries(files.map(({ path }) => [path, 'file' as const])),
    },
    host: facts,
    stdin,
  }
  return { spec, context }
}

/** The container of a run in a network, started once more. */
function startExample(command: string): Example {
  const { spec, networks, stdin, ...made } = configurationOf(runs.at(-1)!)
  const files = made.files(networks!.names).filter(({ path }) => !path.endsWith('/hostname'))
  const context = {
    containerId: id,
    directory,
    lockFile: `${directory}/lock`,
    runDirectory: `/run/minictr/${id}`,
    files: [],
    directories: [],
    networks: { ...networks!.planned, files },
    bindSources: Object.fromEntries(made.files().map(({ path }) => [path, 'file' as const])),
    host: facts,
    stdin,
  }
  return { command, plan: startPlan(spec, context) }
}

/** Another program in the container of the first run. */
function execExample(command: string): Example {
  const options = parseExec(command.split(' ').slice(1))
  if (options === 'help') throw new Error(`${command} asks for help`)
  const spec = sessionSpec(configurationOf(runs[0]!).spec, options, undefined, facts)
  const container = { pid: 4242, startTimeTicks: '120000' }
  const stdin = options.interactive ? ('once' as const) : ('none' as const)
  const context = { containerId: id, container, unifiedCgroup: `/minictr/${id}`, host: facts, stdin }
  return { command, plan: execPlan(spec, context) }
}

/** What is done to the container of a run that has been left to itself: each begins with the command's name. */
function actExamples(run: string): Example[] {
  const process = { pid: 4242, startTimeTicks: '120000' }
  const lockFile = `${directory}/lock`
  const freezer = freezerOf(`/minictr/${id}`, facts)
  const { steps } = example(run).plan
  const undoOf = (lasts: Step['lasts']) => undoesOf(steps.filter(step => step.lasts === lasts)).reverse()
  const runDirectory = `/run/minictr/${id}`
  const journal = {
    step: 'journal',
    undo: [{ op: 'remove_tree' as const, path: runDirectory, tolerate: ['ENOENT'] }],
  }
  const volumes = '/var/lib/minictr/volumes'
  const volumeName = 'ab'.repeat(32)
  const volume = { directory: `${volumes}/${volumeName}`, aside: `${volumes}/.unused-${volumeName}` }
  const removalSteps = undoOf('container').filter(({ step }) => step !== 'create-volume')
  const signalled = { containerId: id, process, freezer, isToBeThawed: false }
  const stopped = {
    ...{ ...signalled, command: 'stop', signal: 'SIGTERM', timeoutMs: 10_000, lockFile },
    ...{ cleanerFile: `${runDirectory}/cleaner`, socket: `${runDirectory}/attach.sock` },
    monitor: { ...process, pid: process.pid - 1 },
    undo: [...undoOf('run'), journal],
  }
  const limits = [
    { controller: 'memory', file: 'memory.max', value: '536870912', before: '268435456' },
    { controller: 'memory', file: 'memory.swap.max', value: 'max', before: '268435456' },
  ]
  const replaced = (path: string) => ({ path, before: '{ … }\n', after: '{ … }\n' })
  const name = (text: string) => `/var/lib/minictr/names/${text}`
  return [
    { command: 'stop calm_hopper', plan: stopPlan(stopped) },
    { command: 'kill -s HUP calm_hopper', plan: signalPlan({ ...signalled, signal: 'SIGHUP' }) },
    { command: 'pause calm_hopper', plan: pausePlan({ containerId: id, lockFile, freezer }) },
    { command: 'unpause calm_hopper', plan: unpausePlan({ containerId: id, lockFile, freezer }) },
    {
      command: 'update -m 512m --memory-swap -1 calm_hopper',
      plan: updatePlan({
        ...{ containerId: id, lockFile, cgroupsPath: `/minictr/${id}`, limits, host: facts },
        files: [replaced(`${directory}/config.json`)],
      }),
    },
    {
      command: 'rename calm_hopper web',
      plan: renamePlan({
        ...{ containerId: id, lockFile, oldNameFile: name('calm_hopper'), newNameFile: name('web') },
        record: replaced(`${directory}/container.json`),
        inNetworks: [replaced(`/run/minictr/networks/NETWORK/hosts/${id}`)],
      }),
    },
    {
      command: 'rm -v calm_hopper',
      plan: removePlan({ containerId: id, lockFile, undo: [...volumeRemoval([volume]), ...removalSteps] }),
    },
  ]
}

/** The container of the first run in a network joins another one while it runs, and leaves it again. */
function networkExamples(run: string): Example[] {
  const process = { pid: 4242, startTimeTicks: '120000' }
  const { planned } = configurationOf(run).networks!
  const [place] = planned.places
  const link = { ...place!.link, name: 'eth1' }
  const former = { destination: '0.0.0.0/0', gateway: '172.17.0.1', link: 'eth0' }
  const record = { path: `${directory}/container.json`, aside: `${directory}/container.json.new` }
  const hosts = { path: `${directory}/hosts`, before: '127.0.0.1\tlocalhost\n', after: '…\n' }
  const change = {
    ...{ containerId: id, lockFile: `${directory}/lock`, process, files: [hosts] },
    record: { ...record, text: '{ … }\n' },
  }
  const { claims, endpoint, names } = place!
  const other = { path: `/run/minictr/networks/OTHER/endpoints/${id}.json`, content: '{ … }\n' }
  const ports: PortsChange = {
    before: { ports: planned.ports!, endpoint, holder: { pid: 4250, startTimeTicks: '120010' } },
    after: { ports: planned.ports!, endpoint: other },
    pidFile: `/run/minictr/networks/holders/${id}.pid`,
  }
  const resolver = configurationOf('run --network lan debian:trixie bash').networks!.planned.resolver!
  const further = { ...resolver, argv: [...resolver.argv, '--local=/web/'] }
  const linked = {
    links: [`/run/minictr/networks/links/DATABASE-${id}`],
    linkedHosts: [{ path: '/var/lib/minictr/containers/OTHER/hosts', content: '…\n' }],
  }
  return [
    {
      command: 'network connect web calm_hopper',
      plan: connectPlan({
        ...change,
        networks: { ...planned, ...linked, places: [{ ...place!, link }] },
        resolver: { before: resolver, after: further },
        ports,
        formerRoutes: [former],
      }),
    },
    {
      command: 'network disconnect web calm_hopper',
      plan: disconnectPlan({
        ...change,
        place: {
          link: link.name,
          claims,
          endpointFile: endpoint.path,
          nameFiles: names.map(({ path }) => path),
        },
        resolver: { before: resolver },
        ports,
        routes: [former],
      }),
    },
  ]
}

/** The whole text of docs/steps.md. */
export function stepsReference(): string {
  const detached = 'run -d --network none --ipc shareable -v /srv debian:trixie bash'
  return referenceText([
    ...runs.map(example),
    startExample('start calm_hopper'),
    restartExample(),
    execExample('exec -it calm_hopper bash'),
    ...actExamples(detached),
    ...networkExamples('run --rm --network web -p 8080:80 debian:trixie bash'),
  ])
}

if (import.meta.main) process.stdout.write(stepsReference())
