// Ops on namespaces: what a process can see of the machine.

import { bits, namespaceFlagNames, namespaceFlags } from '../constants.ts'
import type { IdMapping } from '../op.ts'
import { words } from '../shell.ts'
import { cFlags, cString, type Rows } from './row.ts'

type NamespaceOp = 'unshare' | 'setns' | 'fork' | 'create_userns' | 'sethostname' | 'setdomainname'

/** One row for each op on namespaces. */
export const namespaceRows: Rows<NamespaceOp> = {
  unshare: {
    man: 'unshare(2)',
    syscalls: ['unshare'],
    arguments: op => [bits(op.namespaces, namespaceFlags)],
    show: op => `unshare(${cFlags(op.namespaces.map(name => namespaceFlagNames[name]!))})`,
    shell: op => ({ unshare: op.namespaces.map(name => `--${name}`) }),
  },
  setns: {
    man: 'setns(2)',
    syscalls: ['setns'],
    arguments: (op, resolve) => [resolve.slot(op.slot), bits(op.namespaces, namespaceFlags)],
    show: op => `setns(${op.slot}, ${cFlags(op.namespaces.map(name => namespaceFlagNames[name]!))})`,
    shell: op =>
      op.pid === undefined
        ? {
            none: `nsenter(1) joins the ${op.namespaces.join(', ')} namespace, where the script starts the container`,
          }
        : { nsenter: ['--target', String(op.pid), ...op.namespaces.map(name => `--${name}`)] },
  },
  fork: {
    man: 'fork(2)',
    syscalls: ['clone', 'fork', 'vfork', 'exit_group'],
    arguments: () => [],
    show: () => 'fork()',
    shell: () => ({ unshare: ['--fork'] }),
  },
  create_userns: {
    man: 'user_namespaces(7)',
    syscalls: ['clone', 'unshare', 'write', 'open', 'kill'],
    arguments: (op, resolve) => [mapText(op.uidMappings), mapText(op.gidMappings), resolve.slot(op.as)],
    show: op =>
      `${op.as} = create_userns(uid_map ${cString(mapText(op.uidMappings).trim())}, gid_map ${cString(mapText(op.gidMappings).trim())})`,
    shell: op => ({
      run: [
        'unshare --user sleep infinity & USERNS_PID=$!',
        'while [ "$(readlink /proc/$USERNS_PID/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done',
        `printf %s '${mapText(op.uidMappings)}' > /proc/$USERNS_PID/uid_map`,
        `printf %s '${mapText(op.gidMappings)}' > /proc/$USERNS_PID/gid_map`,
      ].join('\n'),
    }),
  },
  sethostname: {
    man: 'sethostname(2)',
    syscalls: ['sethostname'],
    arguments: op => [op.name],
    show: op => `sethostname(${cString(op.name)}, ${op.name.length})`,
    shell: op => ({ run: words('hostname', op.name) }),
  },
  setdomainname: {
    man: 'setdomainname(2)',
    syscalls: ['setdomainname'],
    arguments: op => [op.name],
    show: op => `setdomainname(${cString(op.name)}, ${op.name.length})`,
    shell: op => ({ run: words('domainname', op.name) }),
  },
}

/** Lines of /proc/PID/uid_map (user_namespaces(7)): inside, outside, count. */
function mapText(mappings: IdMapping[]): string {
  return mappings.map(map => `${map.containerId} ${map.hostId} ${map.size}\n`).join('')
}
