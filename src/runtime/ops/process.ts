// Ops on the process itself: its terminal, its descriptors, where it stands, and the program it becomes.

import { bits, closeRangeFlags } from '../constants.ts'
import { words } from '../shell.ts'
import { cFlags, cString, type Rows } from './row.ts'

type ProcessOp =
  | 'setsid'
  | 'open_pty'
  | 'dup2'
  | 'set_controlling_terminal'
  | 'fchown'
  | 'close_range'
  | 'chdir'
  | 'check_cwd'
  | 'fchdir'
  | 'fork_under_reaper'
  | 'execve'
  | 'spawn_init'
  | 'remove_cgroup'

/** By the numbers that native/monitor.h gives them. */
const stdinUses = ['none', 'once', 'open']

/** One row for each op on the process. */
export const processRows: Rows<ProcessOp> = {
  setsid: {
    man: 'setsid(2)',
    syscalls: ['setsid'],
    arguments: () => [],
    show: () => 'setsid()',
    shell: () => ({ none: 'the script stays in the session of the terminal it was started from' }),
  },
  open_pty: {
    man: 'pty(7)',
    syscalls: ['openat', 'ioctl', 'sendmsg'],
    arguments: (op, resolve) => [op.path, resolve.slot(op.as), op.rows ?? 0, op.columns ?? 0],
    show: op => `${op.as} = ioctl(open(${cString(op.path)}, O_RDWR|O_NOCTTY), TIOCGPTPEER)`,
    shell: () => ({ none: 'the script uses the terminal it was started from' }),
  },
  dup2: {
    man: 'dup(2)',
    syscalls: ['dup2', 'dup3'],
    arguments: (op, resolve) => [resolve.slot(op.slot), op.fd],
    show: op => `dup2(${op.slot}, ${op.fd})`,
    shell: () => ({ none: 'the script keeps its own standard input, output and error' }),
  },
  set_controlling_terminal: {
    man: 'ioctl_tty(2)',
    syscalls: ['ioctl'],
    arguments: op => [op.fd],
    show: op => `ioctl(${op.fd}, TIOCSCTTY, 0)`,
    shell: () => ({ none: 'the script stays in the session of the terminal it was started from' }),
  },
  fchown: {
    man: 'chown(2)',
    syscalls: ['fchown'],
    arguments: op => [op.fd, op.uid, op.gid],
    show: op => `fchown(${op.fd}, ${op.uid}, ${op.gid})`,
    shell: () => ({ none: 'the script keeps its own standard input, output and error' }),
  },
  close_range: {
    man: 'close_range(2)',
    syscalls: ['close_range'],
    arguments: op => [op.first, bits(op.flags, closeRangeFlags)],
    show: op => `close_range(${op.first}, UINT_MAX, ${cFlags(op.flags)})`,
    // A POSIX shell knows descriptors of one digit only.
    shell: () => ({ run: 'exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-' }),
  },
  chdir: {
    man: 'chdir(2)',
    syscalls: ['chdir'],
    arguments: op => [op.path],
    show: op => `chdir(${cString(op.path)})`,
    shell: op => ({ chdir: op.path }),
  },
  check_cwd: {
    man: 'getcwd(2)',
    syscalls: ['getcwd'],
    arguments: () => [],
    show: () => 'getcwd() must not be "(unreachable)"',
    shell: () => ({ none: 'env --chdir already fails where the directory is not inside the new root' }),
  },
  fchdir: {
    man: 'chdir(2)',
    syscalls: ['fchdir'],
    arguments: (op, resolve) => [resolve.slot(op.slot)],
    show: op => `fchdir(${op.slot})`,
    shell: () => ({ none: 'the script walks through /proc/self/fd instead' }),
  },
  fork_under_reaper: {
    man: 'wait(2)',
    syscalls: ['clone', 'fork', 'waitid', 'wait4'],
    arguments: () => [],
    show: () => 'fork(); the parent, PID 1, forwards signals and waits for every child',
    shell: () => ({ none: 'a script has no small init to leave behind; docker-init or tini would be one' }),
  },
  execve: {
    man: 'execve(2)',
    syscalls: ['execve'],
    arguments: op => [op.candidates, op.argv, op.env],
    show: op =>
      `execve(${op.candidates.length > 1 ? 'first of ' : ''}${op.candidates.map(cString).join(' ')}, [${op.argv.map(cString).join(', ')}], ${op.env.length} variables)`,
    shell: op => ({ exec: { argv: op.argv, env: op.env } }),
  },
  spawn_init: {
    man: 'fork(2)',
    syscalls: ['clone', 'fork', 'pipe2', 'socketpair'],
    arguments: op => [stdinUses.indexOf(op.stdin), op.terminal ? 1 : 0],
    show: op => `pipe2(stdout), pipe2(stderr)${op.stdin === 'none' ? '' : ', pipe2(stdin)'}, fork()`,
    shell: () => ({ none: 'the script itself is the process that turns into the container' }),
  },
  remove_cgroup: {
    man: 'cgroups(7)',
    syscalls: ['rmdir', 'unlinkat', 'openat', 'getdents64', 'read', 'kill'],
    arguments: op => [op.path],
    show: op => `rmdir(${cString(op.path)}), after kill(each process in it, SIGKILL)`,
    shell: op => ({
      run: [
        `while pids=$(find ${words(op.path)} -name cgroup.procs -exec cat {} + 2>/dev/null); [ -n "$pids" ]; do`,
        '  kill -KILL $pids 2>/dev/null || true',
        '  sleep 0.02',
        'done',
        `[ ! -d ${words(op.path)} ] || find ${words(op.path)} -depth -type d -exec rmdir {} +`,
      ].join('\n'),
    }),
  },
}
