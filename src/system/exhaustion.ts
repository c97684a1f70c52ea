// Which limit keeps this process from starting another one, or from opening a file: looked up, not guessed.

import { closeSync, openSync, readFileSync } from 'node:fs'
import { errnoOf } from './errno.ts'
import { hostFacts } from './host-facts.ts'

/** Node alone has about as many threads, and each of them counts. */
const TASKS_OF_A_COMMAND = 24
/** Starting a process takes its standard streams, a socket or two, and a pipe that tells of its failure. */
const FILES_OF_A_START = 12

/** A sentence on the limit of processes that is reached, as far as it can be told: that of a cgroup, else the kernel's. */
export function processLimit(): string {
  return (
    cgroupLimit() ??
    `the limit of processes is reached: kernel.pid_max is ${read('/proc/sys/kernel/pid_max')}, and ulimit -u may be lower.`
  )
}

/** A sentence on the limit of open files, where this process has reached it. */
export function openFileLimit(): string | undefined {
  const opened: number[] = []
  try {
    for (let count = 0; count < FILES_OF_A_START; count++) opened.push(openSync('/dev/null', 'r'))
    return undefined
  } catch (error) {
    if (errnoOf(error) === 'EMFILE') return tooManyFiles
    return errnoOf(error) === 'ENFILE'
      ? 'the limit of open files of the whole machine is reached: sysctl fs.file-max'
      : undefined
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

/** For who met with EMFILE itself. */
export const tooManyFiles =
  'the limit of open files of one process is reached: `ulimit -n` shows it, and raises it.'

/** The first cgroup on the way up that has no room for another command. Source: cgroups(7); the kernel's pids controller. */
function cgroupLimit(): string | undefined {
  const hierarchy = hostFacts().cgroups.find(({ controllers }) => controllers.includes('pids'))
  if (!hierarchy) return undefined
  const own = hierarchy.version === 2 ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?pids(?:,[^:]*)?:(.*)$/m
  let path = own.exec(read('/proc/self/cgroup'))?.[1] ?? '/'
  for (; path !== '' && path !== '/'; path = path.slice(0, path.lastIndexOf('/'))) {
    const directory = hierarchy.mountPoint + path
    const [most, current] = [read(`${directory}/pids.max`), read(`${directory}/pids.current`)]
    if (Number(current) + TASKS_OF_A_COMMAND > Number(most)) {
      return `the cgroup ${path} may have ${most} processes and threads, and has ${current}: ${directory}/pids.max`
    }
  }
  return undefined
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
