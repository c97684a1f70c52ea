// The peers, each with storage of its own: a docker daemon started by hand, podman with runc.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from './measure.ts'

/** Where podman's network plugins note what they do, wherever its own directories are. */
const PLUGINS_NOTES = '/var/lib/cni'

/** A container engine with an empty store. */
export type Engine = {
  /** The engine's command line with these arguments. */
  command(...args: string[]): Command
  stop(): Promise<void>
}

/** `runtime` is a path for what dies with the machine. */
export type Peer = {
  name: string
  version: string
  /** `entrance` starts it in another network namespace, where it may have bridges and rules; without, it has no networks. */
  start(directory: string, runtime: string, entrance?: string[]): Promise<Engine>
}

/** The peers that are installed. */
export function installedPeers(): Peer[] {
  const peers: Peer[] = []
  const docker = find('docker')
  const dockerd = find('dockerd')
  if (docker && dockerd) {
    peers.push({
      name: 'docker',
      version: versionOf(dockerd),
      start: (directory, runtime, entrance) => startDocker({ docker, dockerd }, directory, runtime, entrance),
    })
  }
  const podman = find('podman')
  if (podman && find('runc')) {
    peers.push({
      name: 'podman',
      version: versionOf(podman),
      start: async (directory, runtime) => makePodman(podman, directory, runtime),
    })
  }
  return peers
}

/** The system's own first: what is measured is the distribution's package. */
function find(program: string): string | undefined {
  return ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin']
    .map(directory => join(directory, program))
    .find(file => existsSync(file))
}

function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text.trim()
}

async function startDocker(
  { docker, dockerd }: { docker: string; dockerd: string },
  directory: string,
  runtime: string,
  entrance: string[] = [],
): Promise<Engine> {
  mkdirSync(directory, { recursive: true })
  const socket = join(directory, 'socket')
  const flags = ['--data-root', join(directory, 'data'), '--exec-root', runtime]
  flags.push('--pidfile', join(directory, 'pid'), '--host', `unix://${socket}`)
  flags.push('--config-file', join(directory, 'daemon.json'))
  if (entrance.length === 0) flags.push('--iptables=false', '--bridge=none')
  writeFileSync(join(directory, 'daemon.json'), '{}')
  const [program, ...args] = [...entrance, dockerd, ...flags]
  const daemon = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  daemon.stdout.on('data', text => {
    log += text
  })
  daemon.stderr.on('data', text => {
    log += text
  })
  const ended = once(daemon, 'exit')
  for (let attempt = 0; !log.includes('API listen on'); attempt++) {
    if (attempt === 600 || daemon.exitCode !== null) {
      daemon.kill()
      throw new Error(`dockerd does not start:\n${log}`)
    }
    await sleep(50)
  }
  return {
    command: (...args) => ({ argv: [docker, ...args], environment: { DOCKER_HOST: `unix://${socket}` } }),
    stop: async () => {
      removeContainers([docker, '--host', `unix://${socket}`])
      daemon.kill()
      await ended
      unmountUnder(directory)
      unmountUnder(runtime)
    },
  }
}

function makePodman(podman: string, directory: string, runtime: string): Engine {
  mkdirSync(directory, { recursive: true })
  const configuration = join(directory, 'containers.conf')
  // The defaults raise limits, which takes a capability that machines like a CI's may not have.
  const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]'
  writeFileSync(
    configuration,
    `[containers]\n${limits}\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n[network]\nnetwork_config_dir = "${join(directory, 'networks')}"\n`,
  )
  const flags = ['--root', join(directory, 'data'), '--runroot', join(runtime, 'run')]
  flags.push('--tmpdir', join(runtime, 'tmp'), '--storage-driver', 'overlay', '--runtime', 'runc')
  flags.push('--cgroup-manager', 'cgroupfs')
  const hadNotes = existsSync(PLUGINS_NOTES)
  return {
    command: (...args) => ({
      argv: [podman, ...flags, ...args],
      environment: { CONTAINERS_CONF: configuration },
    }),
    stop: async () => {
      removeContainers([podman, ...flags], { CONTAINERS_CONF: configuration })
      if (!hadNotes) rmSync(PLUGINS_NOTES, { recursive: true, force: true })
      unmountUnder(directory)
      unmountUnder(runtime)
    },
  }
}

/** A benchmark that failed may have left some running. */
function removeContainers([engine, ...flags]: string[], environment: NodeJS.ProcessEnv = {}): void {
  const env = { ...process.env, ...environment }
  const ids = execFileSync(engine!, [...flags, 'ps', '-aq'], { env, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
  if (ids.length > 0) execFileSync(engine!, [...flags, 'rm', '-f', ...ids], { env, stdio: 'ignore' })
}

/** Engines leave mounts of their storage behind when they stop. */
function unmountUnder(directory: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point.startsWith(`${directory}/`))
  for (const point of points.reverse()) execFileSync('umount', ['--lazy', point])
}
