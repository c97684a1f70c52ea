// A look at a half-made container from the host: what of the kernel's objects its process already has for itself.

import { existsSync, readFileSync, readlinkSync } from 'node:fs'

const namespaces = ['mnt', 'pid_for_children', 'uts', 'ipc', 'net', 'cgroup', 'user']

/** What /proc says of the process now (namespaces(7), proc_pid_status(5), proc_pid_mountinfo(5)), a line each. */
export function lookAt(pid: number): string[] {
  const status = readText(`/proc/${pid}/status`)
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? 'unknown'
  const own = namespaces.filter(name => isOwn(pid, name))
  const shared = namespaces.filter(name => !own.includes(name))
  return [
    `process       ${pid} here, ${field('NSpid').split('\t').at(-1)} to itself, ${field('Name')}`,
    `namespaces    its own ${list(own)}; the host's ${list(shared)}`,
    `root          ${rootOf(pid)}`,
    `mounts        ${mountsOf(pid)}`,
    `user          ${field('Uid').split('\t')[0]}:${field('Gid').split('\t')[0]}, groups ${field('Groups').trim() || 'none'}`,
    `capabilities  effective ${field('CapEff')}, bounding ${field('CapBnd')}`,
    `seccomp       ${{ 0: 'no filter', 2: 'a filter' }[field('Seccomp')] ?? field('Seccomp')}, no new privileges: ${
      field('NoNewPrivs') === '1' ? 'yes' : 'no'
    }`,
  ]
}

/** The command that opens a shell where the process stands, or undefined where its root has none yet. */
export function shellInside(pid: number): string[] | undefined {
  if (!existsSync(`/proc/${pid}/root/bin/sh`)) return undefined
  return ['nsenter', '--target', String(pid), '--all', '--root', '--wd', '/bin/sh']
}

function isOwn(pid: number, namespace: string): boolean {
  const here = readLink(`/proc/self/ns/${namespace}`)
  return readLink(`/proc/${pid}/ns/${namespace}`) !== here
}

function rootOf(pid: number): string {
  return readLink(`/proc/${pid}/ns/mnt`) === readLink('/proc/self/ns/mnt') || sharesRoot(pid)
    ? 'the host’s'
    : 'its own'
}

/** Before pivot_root the process sees the host's files, though its mounts are its own. */
function sharesRoot(pid: number): boolean {
  const device = (text: string) =>
    / \/ ([^ ]*) .* - ([^ ]+) ([^ ]+)/.exec(text.split('\n').find(isRoot) ?? '')?.slice(2)
  const isRoot = (line: string) => line.split(' ')[4] === '/'
  return (
    String(device(readText(`/proc/${pid}/mountinfo`))) === String(device(readText('/proc/self/mountinfo')))
  )
}

function mountsOf(pid: number): string {
  const lines = readText(`/proc/${pid}/mountinfo`).trim().split('\n')
  const here = new Set(readText('/proc/self/mountinfo').trim().split('\n').map(placeOf))
  const more = lines.map(placeOf).filter(place => !here.has(place))
  return `${lines.length}${more.length ? `, not on the host: ${more.map(place => place.split(' ')[0]).join(' ')}` : ''}`
}

/** Where and what, without the numbers that differ between namespaces. */
function placeOf(line: string): string {
  const fields = line.split(' ')
  const separator = fields.indexOf('-')
  return `${fields[4]} ${fields[3]} ${fields.slice(separator + 1, separator + 3).join(' ')}`
}

function list(names: string[]): string {
  return names.length ? names.map(name => name.replace('_for_children', '')).join(' ') : 'none'
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
