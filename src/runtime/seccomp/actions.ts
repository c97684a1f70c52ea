// What a seccomp filter can answer, in the words of the OCI configuration and as the kernel takes it (seccomp(2)).

import { MinictrError } from '../../system/error.ts'

const kernelValues: Record<string, number> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}

const eperm = 1
const enosys = 38
const highestErrno = 4095

/** "No such system call": what a kernel older than the call would say. */
export const noSuchCall = kernelValues.SCMP_ACT_ERRNO! | enosys

/** Ends the thread, as libseccomp does for an architecture that the configuration does not list. */
export const kill = kernelValues.SCMP_ACT_KILL!

/**
 * The kernel's value for an action; ERRNO and TRACE carry `errnoRet`, EPERM where none is given. Throws MinictrError
 * for NOTIFY, which needs a process to ask, for an unknown action and for an errno the kernel would cut.
 */
export function actionValue(action: string, errnoRet?: number): number {
  const value = kernelValues[action]
  if (action === 'SCMP_ACT_NOTIFY') {
    throw new MinictrError('The seccomp action SCMP_ACT_NOTIFY is not supported', {
      remedy: 'It hands each call to a supervising process, which minictr does not have: use SCMP_ACT_ERRNO.',
    })
  }
  if (value === undefined) {
    throw new MinictrError(`The seccomp action ${action} is unknown`, {
      remedy: `Known actions are ${Object.keys(kernelValues).join(', ')}.`,
    })
  }
  if (action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') return value
  const errno = errnoRet ?? eperm
  if (!Number.isInteger(errno) || errno < 0 || errno > highestErrno) {
    throw new MinictrError(`The seccomp errnoRet ${errno} is not a number from 0 to ${highestErrno}`, {
      remedy: 'errno(3) lists the numbers; 1 is EPERM, 38 is ENOSYS.',
    })
  }
  return value | errno
}

/**
 * Whether calls newer than the profile should fail with ENOSYS instead of the default action: so that a C library
 * falls back to an older call, where EPERM would make it give up. Not where the default lets calls through, or says
 * ENOSYS already. As runc does (libcontainer/seccomp/patchbpf).
 */
export function hidesNewCalls(defaultAction: string, defaultValue: number): boolean {
  const letsThrough = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(defaultAction)
  return !letsThrough && defaultValue !== noSuchCall
}
