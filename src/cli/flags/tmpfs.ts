// --tmpfs TARGET[:OPTIONS]: a directory of memory.

import type { TmpfsMount } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { parseTarget } from './volume.ts'

const flags =
  'exec noexec nosuid suid nodev dev ro rw sync async remount mand nomand atime noatime diratime nodiratime bind rbind relatime norelatime private rprivate shared rshared slave rslave unbindable runbindable strictatime nostrictatime'.split(
    ' ',
  )
const keys = ['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']

/** Parses `/run:size=64m,mode=755`. Throws MinictrError. Source: moby, volume/mounts and daemon/oci_linux.go. */
export function parseTmpfs(text: string): TmpfsMount {
  const colon = text.indexOf(':')
  const options = colon < 0 ? [] : text.slice(colon + 1).split(',')
  for (const option of options) {
    const equals = option.indexOf('=')
    const isKnown = equals < 0 ? flags.includes(option) : keys.includes(option.slice(0, equals))
    if (!isKnown) throw new MinictrError(`invalid tmpfs option ${JSON.stringify(option)}`)
  }
  return {
    type: 'tmpfs',
    target: parseTarget(colon < 0 ? text : text.slice(0, colon), reason => new MinictrError(reason)),
    isReadOnly: false,
    options,
  }
}
