// A host of its own for minictr: a network namespace where all ports are free and no firewall is, and a mount namespace where
// /sys shows that network and /run is empty. What is made in it is seen by nobody else, and nothing of it outlives the test.

import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Machine } from '../networks/laboratory.ts'
import { namesIn } from './debian.ts'

/** sysfs shows the network of the process that mounts it, the cgroups below it are everybody's; /run is where ip netns writes. */
const OWN_MOUNTS = `set -e
mount -t sysfs sysfs "$1"
mount --rbind /sys/fs/cgroup "$1/fs/cgroup"
umount --recursive --lazy /sys
mount --move "$1" /sys
mount -t tmpfs tmpfs /run
shift
exec "$@"`

export class Host extends Machine {
  static override async start(): Promise<Host> {
    const directory = mkdtempSync(join(tmpdir(), 'minictr-sys-'))
    try {
      const into = ['unshare', '--net', '--mount', 'sh', '-c', OWN_MOUNTS, 'sh', directory]
      const host = new Host(await Machine.spawnPeer(into), ['--net', '--mount'])
      host.ip('link set lo up')
      host.sysctl({ 'ipv4/ip_forward': 0 }) // as most hosts have it
      return host
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  /**
   * What its network consists of: links with their addresses, routes, settings and the rules of the packet filter. Link-local
   * addresses of IPv6 are left out: they come a moment after their links.
   */
  network(): string[] {
    const lines = (program: string, ...args: string[]) => this.try(program, args).stdout.split('\n')
    // The key is made when a program listens for the first time.
    const settings = ['--exclude=tcp_fastopen_key', '/proc/sys/net/ipv4', '/proc/sys/net/ipv6']
    return [
      ...lines('ip', '-oneline', 'address'),
      ...lines('ip', 'route', 'show', 'table', 'all'),
      ...lines('ip', '-6', 'route', 'show', 'table', 'all'),
      ...lines('grep', '--recursive', '--no-messages', '.', ...settings),
      ...lines('nft', '--stateless', 'list', 'ruleset'),
    ].filter(line => !line.includes(' fe80::'))
  }

  /** What of `network` is not as it was: lines that went, and lines that came. */
  networkChanges(before: string[]): string[] {
    const now = this.network()
    const went = before.filter(line => !now.includes(line)).map(line => `- ${line}`)
    return [...went, ...now.filter(line => !before.includes(line)).map(line => `+ ${line}`)]
  }

  /** Its processes but for the one that holds it, with those that they started, as `PID COMMAND`. */
  processes(): string[] {
    return this.#pids().map(pid => `${pid} ${commandOf(pid)}`)
  }

  /** Ends every process of it, and with them all that they made. */
  override async stop(): Promise<void> {
    for (let pids = this.#pids(); pids.length > 0; pids = this.#pids()) {
      for (const pid of pids) kill(pid)
      await sleep(20)
    }
    await super.stop()
  }

  #pids(): number[] {
    const own = networkOf(this.pid)
    const all = namesIn('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
    const found = new Set(all.filter(pid => pid !== this.pid && networkOf(pid) === own && isAlive(pid)))
    for (const pid of all.sort((a, b) => a - b)) if (found.has(parentOf(pid)) && isAlive(pid)) found.add(pid)
    return [...found]
  }
}

function networkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined // it ended meanwhile
  }
}

function statusOf(pid: number, field: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? ''
  } catch {
    return ''
  }
}

const parentOf = (pid: number) => Number(statusOf(pid, 'PPid'))
const isAlive = (pid: number) => !['', 'Z', 'X'].includes(statusOf(pid, 'State'))

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
