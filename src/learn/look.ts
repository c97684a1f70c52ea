// A look at a half-made container from the host: what of the kernel's objects its process already has for itself.

import { existsSync, readFileSync, readlinkSync } from 'node:fs'

const namespaces = ['mnt', 'pid_for_children', 'uts', 'ipc', 'net', 'cgroup', 'user']

/** What /proc says of the process now (namespaces(7), proc_pid_status(5), proc_pid_mountinfo(5)), each a name and a text. */
export function lookAt(pid: number): [name: string, text: string][] {
  const status = readText(`/proc/${pid}/status`)
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1] ?? 'unknown'
  const own = namespaces.filter(name => isOwn(pid, name))
  const shared = namespaces.filter(name => !own.includes(name))
  return [
    ['process', `${pid} here, ${field('NSpid').split('\t').at(-1)} to itself, ${field('Name')}`],
    ['namespaces', `its own ${list(own)}; the host’s ${list(shared)}`],
    ['root', rootOf(pid)],
    ['mounts', mountsOf(pid)],
    [
      'user',
      `${field('Uid').split('\t')[0]}:${field('Gid').split('\t')[0]}, groups ${field('Groups').trim() || 'none'}`,
    ],
    ['capabilities', `effective ${field('CapEff')}, bounding ${field('CapBnd')}`],
    [
      'seccomp',
      `${{ 0: 'no filter', 2: 'a filter' }[field('Seccomp')] ?? field('Seccomp')}, no new privileges: ${
        field('NoNewPrivs') === '1' ? 'yes' : 'no'
      }`,
    ],
  ]
}

/** The command that opens a shell where the process stands, or undefined where its root has none yet. */
export function shellInside(pid: number): { shown: string; argv: string[] } | undefined {
  if (!existsSync(`/proc/${pid}/root/bin/sh`)) return undefined
  const shown = `nsenter --target ${pid} --all --root --wd /bin/sh`
  // A shell whose process group has no number in its PID namespace could not give the terminal back: the shells
  // around it, one on each side (-m is job control), do that.
  return { shown, argv: ['/bin/sh', '-mc', `${shown} -mc 'exec 3>&2 2>&-; /bin/sh -i 2>&3 3>&-'`] }
}

function isOwn(pid: number, namespace: string): boolean {
  const here = readLink(`/proc/self/ns/${namespace}`)
  return readLink(`/proc/${pid}/ns/${namespace}`) !== here
}

/** Before pivot_root the process sees the host's files, though its mounts are its own. */
function rootOf(pid: number): string {
  const root = (who: string) => {
    const lines = readText(`/proc/${who}/mountinfo`).split('\n').map(placeOf)
    return lines.find(place => place.startsWith('/ '))
  }
  return root(String(pid)) === root('self') ? 'the host’s' : 'its own'
}

function mountsOf(pid: number): string {
  const lines = readText(`/proc/${pid}/mountinfo`).trim().split('\n')
  const here = new Set(readText('/proc/self/mountinfo').trim().split('\n').map(placeOf))
  const more = lines.map(placeOf).filter(place => !here.has(place))
  return `${lines.length}${more.length ? `, not on the host: ${more.map(place => place.split(' ')[0]).join(' ')}` : ''}`
}

/** Where it is mounted, and what: the file system's device number and the directory of it that is shown. */
function placeOf(line: string): string {
  const [, , device, root, place] = line.split(' ')
  return `${place} ${device} ${root}`
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
