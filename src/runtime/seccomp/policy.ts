// Docker's default seccomp policy as a table to read: which system calls a container may make, and why.
//
// The table lists what is allowed; all else fails with EPERM. What is missing is the point of it: calls that load code
// into the kernel or replace it (init_module, kexec_load), that change the machine rather than the container (reboot,
// swapon, settimeofday), that know no namespaces (keyctl and its key rings, lookup_dcookie, nfsservctl, quotactl), that
// make namespaces and mounts and so open a large part of the kernel to attack (unshare, setns, mount, pivot_root, clone
// with such flags), and those whose history of faults is long (bpf, userfaultfd, io_uring_setup, perf_event_open). Some
// of them are given back to a container that has the capability the call is guarded by anyway.

import type { DockerProfile, DockerRule } from './profile.ts'

/** Names separated by white space; names that an interface does not have are passed over. */
type Group = { about: string; names: string }

const always: Group[] = [
  {
    about: 'Opening, reading and writing files and pipes',
    names: `open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev
      pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 flock ioctl pipe pipe2 splice tee vmsplice sendfile sendfile64
      copy_file_range fallocate ftruncate ftruncate64 truncate truncate64 readahead fadvise64 fadvise64_64
      memfd_create memfd_secret cachestat`,
  },
  {
    about: 'Making sure that data has reached the disk',
    names: 'fsync fdatasync sync syncfs sync_file_range msync',
  },
  {
    about: 'Asking about files, and changing their owners, modes and times',
    names: `stat stat64 fstat fstat64 lstat lstat64 fstatat64 newfstatat statx access faccessat faccessat2 chmod fchmod
      fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes futimesat utimensat
      utimensat_time64 statfs statfs64 fstatfs fstatfs64 umask`,
  },
  {
    about: 'Extended attributes',
    names: `getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr
      flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat`,
  },
  {
    about: 'Directories, links and names',
    names: `getdents getdents64 mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink symlinkat readlink
      readlinkat unlink unlinkat mknod mknodat chdir fchdir getcwd name_to_handle_at`,
  },
  {
    about: 'Watching files; reading the list of mounts, which changes nothing',
    names: `inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark listmount statmount`,
  },
  {
    about: 'Memory of the process itself',
    names: `brk mmap mmap2 munmap mremap mprotect madvise mincore mlock mlock2 mlockall munlock munlockall membarrier
      mseal map_shadow_stack pkey_alloc pkey_free pkey_mprotect remap_file_pages process_mrelease`,
  },
  {
    about: 'Starting, waiting for and ending processes and threads',
    names: `fork vfork execve execveat exit exit_group wait4 waitid waitpid set_tid_address set_robust_list
      get_robust_list set_thread_area get_thread_area rseq pidfd_open pidfd_send_signal restart_syscall uretprobe
      riscv_hwprobe`,
  },
  {
    about: 'Waiting for one another within a process',
    names: 'futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue',
  },
  {
    about: 'Who the process is: its numbers, groups, sessions and limits',
    names: `getpid getppid gettid getpgid getpgrp getsid setpgid setsid getpriority setpriority getrlimit ugetrlimit
      setrlimit prlimit64 getrusage times uname sysinfo getcpu prctl`,
  },
  {
    about: 'Users and groups: the capabilities, not this filter, decide what may be changed to what',
    names: `getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid
      getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
      setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32`,
  },
  {
    about: 'Giving up rights: a process may always restrict itself further',
    names: `capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self`,
  },
  {
    about: 'Signals',
    names: `kill tkill tgkill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
      rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn signalfd signalfd4
      pause`,
  },
  {
    about: 'Waiting for many descriptors at once',
    names: `poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl
      epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2`,
  },
  {
    about:
      'Reading clocks, sleeping, timers; setting a clock needs CAP_SYS_TIME as well, which adjtimex checks itself',
    names: `time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
      clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 alarm getitimer setitimer timer_create
      timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
      timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  },
  {
    about: 'Scheduling',
    names: `sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
      sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
      sched_rr_get_interval_time64 ioprio_get ioprio_set`,
  },
  {
    about: 'Sockets once they exist; which kinds may be made is a table of its own below',
    names: `accept accept4 bind connect listen getpeername getsockname getsockopt setsockopt socketpair shutdown recv
      recvfrom recvmsg recvmmsg recvmmsg_time64 send sendto sendmsg sendmmsg socketcall`,
  },
  {
    about: 'Message queues, semaphores and shared memory, which the IPC namespace makes private',
    names: `ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
      mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink`,
  },
  {
    about: 'Asynchronous reads and writes of the old kind; io_uring is not allowed',
    names: `io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  },
  { about: 'Random numbers', names: 'getrandom' },
]

/** Calls given back with the capability that the kernel asks for anyway. */
const withCapability: (Group & { capability: string })[] = [
  {
    capability: 'CAP_SYS_ADMIN',
    about: 'Administering: mounts, namespaces, host names, security modules, tracing of the whole system',
    names: `mount mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick umount umount2 clone clone3 unshare
      setns sethostname setdomainname bpf perf_event_open fanotify_init quotactl quotactl_fd lookup_dcookie syslog
      lsm_get_self_attr lsm_set_self_attr lsm_list_modules`,
  },
  {
    capability: 'CAP_DAC_READ_SEARCH',
    about: 'Opening files by a number, past the path: the way out of a container known as "shocker"',
    names: 'open_by_handle_at',
  },
  { capability: 'CAP_SYS_BOOT', about: 'Restarting the machine', names: 'reboot' },
  { capability: 'CAP_SYS_CHROOT', about: 'Changing where paths start', names: 'chroot' },
  {
    capability: 'CAP_SYS_MODULE',
    about: 'Loading code into the kernel',
    names: 'init_module finit_module delete_module',
  },
  { capability: 'CAP_SYS_PACCT', about: 'Accounting of processes', names: 'acct' },
  {
    capability: 'CAP_SYS_PTRACE',
    about: 'Looking into, and changing, other processes',
    names: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  },
  { capability: 'CAP_SYS_RAWIO', about: 'Ports of the hardware', names: 'iopl ioperm' },
  {
    capability: 'CAP_SYS_TIME',
    about: 'Setting the clock, which has no namespace',
    names: 'settimeofday stime clock_settime clock_settime64',
  },
  { capability: 'CAP_SYS_TTY_CONFIG', about: 'Hanging up terminals', names: 'vhangup' },
  {
    capability: 'CAP_SYS_NICE',
    about: 'Where memory lies among the nodes of a large machine',
    names: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  },
  { capability: 'CAP_SYSLOG', about: "The kernel's log", names: 'syslog' },
  { capability: 'CAP_BPF', about: 'Programs that run in the kernel', names: 'bpf' },
  { capability: 'CAP_PERFMON', about: 'Counters of the processor', names: 'perf_event_open' },
]

/** Calls that only some processors have. */
const withProcessor: (Group & { processors: string[] })[] = [
  { processors: ['amd64', 'x32'], about: 'Thread pointers of x86-64', names: 'arch_prctl' },
  { processors: ['amd64', 'x32', 'x86'], about: 'Segments, for 16-bit programs', names: 'modify_ldt' },
  {
    processors: ['arm', 'arm64'],
    about: 'What 32-bit Arm does by system call',
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
  },
]

/**
 * Kinds of socket that may be made (<linux/socket.h>). Not AF_VSOCK (40), which talks to the hypervisor past every
 * network namespace, nor AF_ALG (38), the kernel's cryptography, nor families the kernel has given up.
 */
const socketFamilies: Record<string, number[]> = {
  'local, and to the kernel (AF_UNIX, AF_NETLINK, AF_KEY, AF_SECURITY; AF_UNSPEC, which the kernel refuses itself)':
    [1, 16, 15, 14, 0],
  'the Internet, and packets as they are (AF_INET, AF_INET6, AF_PACKET, AF_XDP, AF_MPLS)': [
    2, 10, 17, 44, 28,
  ],
  'older networks (AX25, IPX, AppleTalk, NetRom, Bridge, ATM PVC, X25, Rose, NetBEUI, Ash, SNA, PPPoX, LLC)':
    [3, 4, 5, 6, 7, 8, 9, 11, 13, 18, 22, 24, 26],
  'within clusters (RDS, InfiniBand, TIPC, IUCV, RxRPC, KCM, Qualcomm IPC router, SMC, MCTP)': [
    21, 27, 30, 32, 33, 41, 42, 43, 45,
  ],
  'near by (CAN, Bluetooth, Phonet, IEEE 802.15.4, NFC)': [29, 31, 35, 36, 39],
}

/** personality(2): Linux as it is, 32-bit Linux, their old-fashioned uname, and the question what is set. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

/** CLONE_NEW* of every namespace but time (<linux/sched.h>). */
const namespaceFlags = 0x7e020000

const allow = 'SCMP_ACT_ALLOW'
const enosys = 38

/** The policy of a container that was given no other, in Docker's format. As moby/profiles has it in 2026. */
export function defaultProfile(): DockerProfile {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    ],
    syscalls: [
      ...always.map(group => rule(group)),
      // Before 4.8 a traced process could change a call after the filter had seen it.
      rule(
        { about: 'Debugging, within the container', names: 'ptrace process_vm_readv process_vm_writev' },
        { includes: { minKernel: '4.8' } },
      ),
      ...Object.entries(socketFamilies).flatMap(([about, families]) =>
        families.map(family => comparing({ about, names: 'socket' }, 'SCMP_CMP_EQ', family)),
      ),
      ...personalities.map(value =>
        comparing({ about: 'Harmless personalities', names: 'personality' }, 'SCMP_CMP_EQ', value),
      ),
      ...withProcessor.map(group => rule(group, { includes: { arches: group.processors } })),
      ...withCapability.map(group => rule(group, { includes: { caps: [group.capability] } })),
      ...newProcesses,
    ],
  }
}

function rule({ about, names }: Group, more: Partial<DockerRule> = {}): DockerRule {
  return { comment: about, names: names.split(/\s+/), action: allow, ...more }
}

function comparing(group: Group, op: string, value: number): DockerRule {
  return rule(group, { args: [{ index: 0, value, valueTwo: 0, op }] })
}

const withoutAdmin = { excludes: { caps: ['CAP_SYS_ADMIN'] } }

/** clone3's flags lie behind a pointer, where a filter cannot look: it must seem not to exist, so that clone is used. */
const newProcesses: DockerRule[] = [
  {
    ...comparing(
      { about: 'New processes and threads, in no new namespace', names: 'clone' },
      'SCMP_CMP_MASKED_EQ',
      namespaceFlags,
    ),
    ...withoutAdmin,
  },
  {
    ...rule({ about: 'Flags behind a pointer', names: 'clone3' }),
    action: 'SCMP_ACT_ERRNO',
    errnoRet: enosys,
    ...withoutAdmin,
  },
]
