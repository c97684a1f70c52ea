// Network records: the file that says what a network is, and the one that claims its name. What the kernel needs for a
// network is made when the first container comes.

import type { Op } from '../op.ts'
import { inverses } from '../ops.ts'
import { makeParent } from './parent.ts'

export type NetworkRecord = {
  id: string
  /** <root>/networks/<id>. */
  directory: string
  /** Where it is made before it gets its name, in the same directory. */
  aside: string
  /** The text of network.json. */
  record: string
  /** A file whose creation fails if another network has the name. */
  nameFile: string
}

/** The ops that record a network: the name first, so that of two which want the same one gets EEXIST. */
export function recordNetworkOps(network: NetworkRecord): Op[] {
  const { directory, aside, record, nameFile } = network
  return [
    makeParent(nameFile),
    claimName(network),
    { op: 'mkdir', path: aside, mode: 0o700 },
    { op: 'write_file', path: `${aside}/network.json`, content: record, how: 'create', mode: 0o600 },
    { op: 'rename', path: aside, to: directory },
  ]
}

/** The ops that remove a record; harmless where it is gone. `aside` is where it is taken apart. */
export function removeNetworkOps(
  network: Pick<NetworkRecord, 'id' | 'directory' | 'nameFile'>,
  aside: string,
): Op[] {
  return [
    // Renamed first: a network that is being removed is not to be found half.
    { op: 'rename', path: network.directory, to: aside, tolerate: ['ENOENT'] },
    { op: 'remove_tree', path: aside, tolerate: ['ENOENT'] },
    ...inverses([claimName(network)]),
  ]
}

/** Open to root only: giving it back takes a lock of the file, which whoever may open it could hold for ever. */
function claimName({ id, nameFile }: Pick<NetworkRecord, 'id' | 'nameFile'>): Op {
  return { op: 'write_file', path: nameFile, content: id, how: 'exclusive', mode: 0o600 }
}
