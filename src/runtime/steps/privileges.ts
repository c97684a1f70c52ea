// Giving up power: limits, credentials, capabilities and system calls, in the one order in which each is still allowed.

import { capabilitiesOf, capabilityNames } from '../capabilities.ts'
import type { PlanContext } from '../context.ts'
import type { Op } from '../op.ts'

import { compileSeccomp } from '../seccomp/compile.ts'

import type { Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith } from './container-step.ts'
import { hasUserNamespace } from './user-namespace.ts'

/** The score by which the kernel chooses whom to kill when memory runs out. */
export function oomScoreStep(spec: Spec): Step[] {
  const { oomScoreAdj } = spec.process
  if (oomScoreAdj === undefined) return []
  return [
    containerStep(
      'set-oom-score',
      'When memory runs out the kernel kills the process with the highest score. Early, while the process is still root on the host: a lower score needs CAP_SYS_RESOURCE, and from inside a user namespace the file is closed.',
      [{ op: 'write_file', path: '/proc/self/oom_score_adj', content: String(oomScoreAdj), how: 'existing' }],
      endsWith.process,
    ),
  ]
}

/** The keys of whoever started the container stay outside. */
export function keyringStep(containerId: string): Step {
  return containerStep(
    'join-session-keyring',
    'The kernel keeps passwords and tickets in keyrings, and a child inherits that of its session: the login of whoever started the container. A new, empty one takes its place. Before the system call filter, which refuses keyctl.',
    // The name is for whoever reads /proc/keys on the host.
    [{ op: 'join_session_keyring', name: `_ses.${containerId}`, tolerate: ['ENOSYS'] }],
    endsWith.process,
  )
}

/** Limits of a process by number: open files, processes, core dumps. */
export function resourceLimitStep(spec: Spec): Step[] {
  const { rlimits = [] } = spec.process
  if (rlimits.length === 0) return []
  return [
    containerStep(
      'set-resource-limits',
      'Limits of one process and its children: open files, processes, core dumps. Before the user changes, because only root may raise a hard limit; after all else, because a low limit would hinder the steps above.',
      rlimits.map(({ type, soft, hard }): Op => {
        return {
          op: 'prlimit',
          resource: type,
          soft: soft === -1 ? 'unlimited' : soft,
          hard: hard === -1 ? 'unlimited' : hard,
        }
      }),
      endsWith.process,
    ),
  ]
}

/** From the last rights needed to none but those granted. */
export function privilegeSteps(spec: Spec, context: Pick<PlanContext, 'host'>): Step[] {
  const { noNewPrivileges } = spec.process
  const filter = seccompSteps(spec, context)
  return [
    ...(noNewPrivileges ? [noNewPrivilegesStep()] : filter),
    boundingSetStep(spec, context),
    workingDirectoryStep(spec),
    userStep(spec),
    capabilityStep(spec),
    ...(noNewPrivileges ? filter : []),
  ]
}

function noNewPrivilegesStep(): Step {
  return containerStep(
    'set-no-new-privileges',
    'From now on no execve can give more rights than the process has: setuid programs lose their effect. It also lets a process without rights load a seccomp filter, so the filter can come last of all.',
    [{ op: 'prctl', option: 'PR_SET_NO_NEW_PRIVS', value: 1 }],
    endsWith.process,
  )
}

function seccompSteps(spec: Spec, context: Pick<PlanContext, 'host'>): Step[] {
  const { seccomp } = spec.linux
  if (!seccomp) return []
  const order = spec.process.noNewPrivileges
    ? 'As late as can be: only execve follows.'
    : 'While CAP_SYS_ADMIN is still there, which loading a filter needs; the policy allows the few calls that follow.'
  return [
    containerStep(
      'load-seccomp-filter',
      `A program the kernel runs before each system call: it allows, refuses or kills. It keeps a container away from the parts of the kernel that know no namespaces. ${order}`,
      [{ op: 'seccomp', flags: seccomp.flags ?? [], program: compileSeccomp(seccomp, context.host) }],
      endsWith.process,
    ),
  ]
}

function boundingSetStep(spec: Spec, context: Pick<PlanContext, 'host'>): Step {
  const kept = new Set(spec.process.capabilities.bounding)
  // Entering a user namespace fills the set again, with what this host itself may lack, too.
  const held = hasUserNamespace(spec) ? capabilityNames : capabilitiesOf(context.host.boundingSet)
  const dropped = held.filter(name => !kept.has(name))
  return containerStep(
    'limit-bounding-set',
    'Root is cut into capabilities, and the bounding set is the most that any later program, setuid ones too, can have. What is not on the container’s list is dropped for good. While CAP_SETPCAP is there.',
    dropped.length > 0 ? [{ op: 'drop_bounding_set', capabilities: dropped }] : [],
    endsWith.process,
  )
}

function userStep(spec: Spec): Step {
  const { uid, gid, additionalGids = [], umask = 0o022 } = spec.process.user
  return containerStep(
    'switch-user',
    'Groups first, while there is the right to set them, then the user. Keeping capabilities over the change of user is for the next step, which sets exactly those wanted; execve takes them from a user who is not root.',
    [
      { op: 'prctl', option: 'PR_SET_KEEPCAPS', value: 1 },
      { op: 'setgroups', gids: additionalGids },
      { op: 'setresgid', gid },
      { op: 'setresuid', uid },
      { op: 'umask', mode: umask },
    ],
    endsWith.process,
  )
}

function capabilityStep(spec: Spec): Step {
  const { effective, permitted, inheritable, ambient } = spec.process.capabilities
  const ops: Op[] = [{ op: 'capset', effective, permitted, inheritable }]
  if (ambient.length > 0) ops.push({ op: 'raise_ambient_set', capabilities: ambient })
  return containerStep(
    'set-capabilities',
    'The sets that hold right now. After the user has changed, because changing it is what one of them was needed for.',
    ops,
    endsWith.process,
  )
}

function workingDirectoryStep(spec: Spec): Step {
  return containerStep(
    'change-directory',
    'While still root, as Docker does: an image may have its user start in a directory that only root may enter. Checked to lie inside the root, so that no leaked descriptor can make it a directory of the host.',
    [{ op: 'chdir', path: spec.process.cwd }, { op: 'check_cwd' }],
    endsWith.process,
  )
}
