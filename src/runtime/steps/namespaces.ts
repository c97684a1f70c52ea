// Namespaces: each gives the process its own view of one thing of the kernel (namespaces(7)).

import type { Namespace, Op } from '../op.ts'
import type { NamespaceType, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith } from './container-step.ts'
import { copyTiedMounts } from './mounts.ts'

/** The specification says `network`, the kernel `net`. */
export function kernelName(type: NamespaceType): Namespace {
  return type === 'network' ? 'net' : type
}

/** The new namespaces a configuration asks for, in the kernel's words. */
function newNamespaces(spec: Spec): Namespace[] {
  return spec.linux.namespaces.filter(({ path }) => path === undefined).map(({ type }) => kernelName(type))
}

/** Its own mount namespace, from which no later mount gets back to the host. */
export function mountNamespaceStep(spec: Spec): Step {
  const propagation = {
    private: 'MS_PRIVATE',
    slave: 'MS_SLAVE',
    shared: 'MS_SHARED',
    unbindable: 'MS_UNBINDABLE',
  }
  return containerStep(
    'unshare-mount-namespace',
    'From here on mounts are the container’s own. The copy starts with the host’s propagation, so the whole tree is made private at once: otherwise each mount below would appear on the host as well. What is to stay tied to the host is copied before.',
    [
      { op: 'unshare', namespaces: ['mount'] },
      ...copyTiedMounts(spec),
      {
        op: 'mount',
        source: '',
        target: '/',
        flags: ['MS_REC', propagation[spec.linux.rootfsPropagation ?? 'private']],
      },
    ],
    endsWith.namespace,
  )
}

/** Joins the namespaces of another container (or of any process), by the files under /proc/PID/ns. */
export function joinNamespaceSteps(spec: Spec): Step[] {
  const joined = spec.linux.namespaces.filter(({ path, type }) => path !== undefined && type !== 'mount')
  if (joined.length === 0) return []
  const ops = joined.flatMap(({ type, path }): Op[] => {
    const slot = `${kernelName(type)}-namespace`
    return [
      { op: 'open', path: path!, how: 'read', as: slot },
      { op: 'setns', slot, namespaces: [kernelName(type)] },
      { op: 'close', slot },
    ]
  })
  return [
    containerStep(
      'join-namespaces',
      'These namespaces are shared with a running process instead of made new. Before the fork, because a joined PID namespace holds only for children.',
      ops,
      endsWith.process,
    ),
  ]
}

/** The remaining new namespaces, all with one call. */
export function unshareStep(spec: Spec): Step[] {
  const namespaces = newNamespaces(spec).filter(name => name !== 'mount' && name !== 'user')
  if (namespaces.length === 0) return []
  const views: Record<string, string> = {
    uts: 'its own host name',
    ipc: 'its own System V and POSIX message queues',
    net: 'a network with nothing but a loopback that is down',
    cgroup: 'its own cgroup as the root it sees',
    pid: 'its own process numbers, for children from now on',
    time: 'its own boot-time clocks',
  }
  const list = namespaces.map(name => views[name]).join('; ')
  const order = namespaces.includes('cgroup')
    ? ' After the cgroup was joined, because the cgroup namespace takes the present cgroup as its root.'
    : ''
  return [
    containerStep(
      'unshare-namespaces',
      `Each namespace is one more thing the process no longer shares: ${list}.${order}`,
      [{ op: 'unshare', namespaces }],
      endsWith.namespace,
    ),
  ]
}

/** A PID namespace is entered by being born in it. */
export function forkStep(spec: Spec): Step[] {
  if (!spec.linux.namespaces.some(({ type }) => type === 'pid')) return []
  return [
    containerStep(
      'fork-into-pid-namespace',
      'A process never changes its PID, so only its children live in the new PID namespace: the first one is PID 1 there. The parent reports the child’s PID and ends; the monitor, a child subreaper, becomes the parent.',
      [{ op: 'fork' }],
      'The kernel kills every process of a PID namespace when its PID 1 ends.',
    ),
  ]
}

/** A session of its own, so that signals of the caller's terminal do not reach the container. */
export function sessionStep(): Step {
  return containerStep(
    'start-session',
    'A session has at most one controlling terminal. Leaving the caller’s session cuts the way by which its terminal could signal the container, or the container type into it. After the fork, because a process that leads a group cannot start a session.',
    [{ op: 'setsid' }],
    endsWith.process,
  )
}

/** Host and domain name, only where the UTS namespace is the container's own. */
export function hostnameStep(spec: Spec): Step[] {
  if (!newNamespaces(spec).includes('uts')) return []
  const ops: Op[] = []
  if (spec.hostname) ops.push({ op: 'sethostname', name: spec.hostname })
  if (spec.domainname) ops.push({ op: 'setdomainname', name: spec.domainname })
  if (ops.length === 0) return []
  return [
    containerStep(
      'set-hostname',
      'The name in the shell’s prompt and of `uname -n`. It belongs to the UTS namespace, so the host keeps its own.',
      ops,
      endsWith.namespace,
    ),
  ]
}

/** Loopback: a new network namespace has the device, but down. */
export function loopbackStep(spec: Spec): Step[] {
  if (!newNamespaces(spec).includes('net')) return []
  return [
    containerStep(
      'set-loopback-up',
      'Programs expect 127.0.0.1 to answer. The kernel gives each network namespace a loopback device, switched off. With --network none this is all there is.',
      [{ op: 'set_link', name: 'lo', up: true }],
      endsWith.namespace,
    ),
  ]
}
