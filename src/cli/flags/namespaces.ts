// Flags that choose namespaces: the container's own, the host's, or another container's.

import type { JoinedContainer, NamespaceChoices } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import type { RunFlagGroup } from './draft.ts'

export const namespaceFlags: RunFlagGroup = {
  title: 'Namespaces',
  flags: [
    {
      name: 'hostname',
      short: 'h',
      takes: 'string',
      about: 'Container host name',
      set: ({ options }, name) => {
        options.hostname = name
      },
    },
    {
      name: 'domainname',
      takes: 'string',
      about: 'Container NIS domain name',
      set: ({ options }, name) => {
        options.domainname = name
      },
    },
    {
      name: 'pid',
      takes: 'string',
      about: 'PID namespace to use (host|container:NAME)',
      set: ({ options }, mode) => {
        options.namespaces.pid =
          mode === ''
            ? 'private'
            : (choose(mode, ['host']) ?? joined(mode) ?? wrong('--pid: invalid PID mode'))
      },
    },
    {
      name: 'ipc',
      takes: 'string',
      about: 'IPC mode to use (none|private|shareable|host|container:NAME)',
      set: ({ options }, mode) => {
        options.namespaces.ipc = parseIpc(mode)
      },
    },
    {
      name: 'uts',
      takes: 'string',
      about: 'UTS namespace to use (host)',
      set: ({ options }, mode) => {
        options.namespaces.uts =
          mode === '' ? 'private' : (choose(mode, ['host']) ?? wrong('--uts: invalid UTS mode'))
      },
    },
    {
      name: 'cgroupns',
      takes: 'string',
      about:
        "Cgroup namespace to use (host|private); without it, private on cgroup v2 and the host's on cgroup v1",
      set: ({ options }, mode) => {
        options.namespaces.cgroup =
          mode === ''
            ? 'default'
            : (choose(mode, ['host', 'private']) ?? wrong('--cgroupns: invalid CGROUP mode'))
      },
    },
    {
      name: 'userns',
      takes: 'string',
      about: 'User namespace to use (host: none, whatever --userns-remap or the configuration file says)',
      set: ({ options }, mode) => {
        options.namespaces.user =
          mode === '' ? 'default' : (choose(mode, ['host']) ?? wrong('--userns: invalid USER mode'))
      },
    },
    {
      name: 'userns-remap',
      takes: 'string',
      about:
        "Map the container's users to subordinate ids: USER[:GROUP] of /etc/subuid and /etc/subgid, or auto (minictr's own)",
      set: ({ options }, remap) => {
        options.usernsRemap = remap
      },
    },
  ],
}

function parseIpc(mode: string): NamespaceChoices['ipc'] {
  if (mode === '') return 'private'
  return (
    choose(mode, ['none', 'private', 'shareable', 'host']) ??
    joined(mode) ??
    wrong(`invalid IPC mode: ${mode}`)
  )
}

/** The container that `container:NAME` joins. */
export function joined(mode: string): JoinedContainer | undefined {
  const name = mode.startsWith('container:') ? mode.slice('container:'.length) : ''
  return name === '' ? undefined : { container: name }
}

function choose<const Name extends string>(mode: string, names: Name[]): Name | undefined {
  return names.find(name => name === mode)
}

function wrong(message: string): never {
  throw new MinictrError(message)
}
