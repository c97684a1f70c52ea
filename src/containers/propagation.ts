// Bind mounts that stay tied to the host: later mounts reach the container (slave), or the host as well (shared)
// (mount_namespaces(7)).

import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { BindMount } from './options.ts'

/**
 * Throws MinictrError, in Docker's words, where a mount of the host that the source lies in has no peers to be tied to:
 * the wish would be granted to the letter and mean nothing. Source: moby, daemon/oci_linux.go (ensureShared).
 */
export function checkPropagation({ source, propagation = 'rprivate' }: BindMount, host: HostFiles): void {
  if (propagation === 'private' || propagation === 'rprivate') return
  const mount = mountOf(host.realPath(source) ?? source, host)
  if (mount === undefined) return
  const isShared = propagation === 'shared' || propagation === 'rshared'
  if (mount.isShared || (mount.isSlave && !isShared)) return
  const needed = isShared ? 'shared' : 'shared or slave'
  throw new MinictrError(
    `path ${source} is mounted on ${mount.place} but it is not a ${needed} mount (propagation ${propagation})`,
    { remedy: `mount --make-shared ${mount.place}` },
  )
}

type HostMount = { place: string; isShared: boolean; isSlave: boolean }

/** The mount a path lies in, by /proc/self/mountinfo (proc_pid_mountinfo(5)); of several at one place the last. */
function mountOf(path: string, host: HostFiles): HostMount | undefined {
  let found: HostMount | undefined
  for (const line of (host.readText('/proc/self/mountinfo') ?? '').split('\n')) {
    const [, , , , escaped, , ...tags] = line.split(' - ', 1)[0]!.split(' ')
    const place = escaped?.replaceAll(/\\(\d{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    if (place === undefined || !isWithin(path, place) || place.length < (found?.place.length ?? 0)) continue
    const has = (tag: string) => tags.some(each => each.startsWith(tag))
    found = { place, isShared: has('shared:'), isSlave: has('master:') }
  }
  return found
}

function isWithin(path: string, place: string): boolean {
  return place === '/' || path === place || path.startsWith(`${place}/`)
}
