// The vocabulary: every act the kernel can be asked for, as plain data. ops.ts says what each one means.

/** A value that is only known once the plan is being performed; printed as `$PID`. */
export type Late = { late: 'pid' }

/** A text that may hold late values: `['/proc/', { late: 'pid' }, '/ns/net']`. */
export type Text = string | (string | Late)[]

/** The name under which the executor keeps an open file descriptor for later ops. */
export type Slot = string

export type Namespace = 'mount' | 'pid' | 'uts' | 'ipc' | 'net' | 'cgroup' | 'user' | 'time'

/** A range of ids as in /proc/PID/uid_map (user_namespaces(7)). */
export type IdMapping = { containerId: number; hostId: number; size: number }

/** A classic BPF instruction (struct sock_filter: code, jump if true, jump if false, operand). */
export type BpfInstruction = [code: number, jt: number, jf: number, k: number]

/**
 * `in` scopes a path to a directory: the path is resolved as if that directory were `/` (openat2(2),
 * RESOLVE_IN_ROOT), so no symbolic link of a hostile image leads out of it.
 */
type Scoped = { in?: string; path: string }

/**
 * Whether a process has an input, and how that ends: `once` with the first one who gives some, `open` never. Source: Docker's
 * OpenStdin and StdinOnce (api/types/container, Config).
 */
export type StdinUse = 'none' | 'once' | 'open'

/** What a network interface can be given when it is made and afterwards (ip-link(8)). */
type LinkSettings = {
  /** As ip(8) writes it: `02:42:ac:11:00:02`. */
  mac?: string
  mtu?: number
  /** The bridge it is a port of. */
  master?: string
  /** A text for people, as `ip link` shows it. */
  alias?: string
  up?: boolean
  /** Whether its bridge may send out by this port what came in by it. */
  hairpin?: boolean
}

/** The network namespace that the descriptor is of; `pid`, of a process in it, is for readers. */
type NetworkNamespace = { slot: Slot; pid: Late | number }

/** The port of the host, and where what comes to it is relayed; with `count`, so many in a row on both sides. */
export type PublishedPort = {
  protocol: 'tcp' | 'udp' | 'sctp'
  hostAddress: string
  hostPort: number
  containerAddress: string
  containerPort: number
  count?: number
}

/** `tolerate` names the errors that count as done: what makes an op idempotent. */
type Common = { tolerate?: string[] }

export type Op = Common &
  (
    | ({ op: 'mkdir'; mode: number; parents?: boolean } & Scoped)
    | ({ op: 'rmdir' } & Scoped)
    | ({ op: 'unlink' } & Scoped)
    /** Removes a file only if it holds exactly this: a claim is given back by nobody but its holder (else ESTALE). */
    | ({ op: 'unlink_claim'; content: string } & Scoped)
    /**
     * A whole directory tree, never following a link, staying on one file system. Without `in` it is renamed first, to
     * `.removed-NAME` beside it: it is gone at once, and nobody meets with half of it.
     */
    | ({ op: 'remove_tree' } & Scoped)
    /**
     * Copies a directory's content, and its own attributes, into the empty directory `to`: owners, modes, times, extended
     * attributes, links, devices and holes are kept. Wholly or not at all: aside first, under a lock on the directory that
     * holds `to`. ENOTEMPTY where `to` has entries. `in` is for the path alone.
     */
    | ({ op: 'copy_tree'; to: string } & Scoped)
    | ({ op: 'rename'; to: string } & Scoped)
    | ({ op: 'symlink'; target: string } & Scoped)
    | ({ op: 'link'; target: string } & Scoped)
    | ({
        op: 'mknod'
        type: 'char' | 'block' | 'fifo' | 'file'
        mode: number
        major?: number
        minor?: number
      } & Scoped)
    | ({ op: 'chmod'; mode: number } & Scoped)
    | ({ op: 'lchown'; uid: number; gid: number } & Scoped)
    /** `value` is base64: extended attributes are bytes. */
    | ({ op: 'lsetxattr'; name: string; value: string } & Scoped)
    | ({ op: 'utimens'; seconds: number; nanoseconds: number } & Scoped)
    /**
     * open, write, close. `create` truncates, `exclusive` fails with EEXIST, `existing` never creates (for files
     * of /proc and cgroups). The content is written with one write(2).
     */
    | {
        op: 'write_file'
        in?: string
        path: Text
        content: Text
        how: 'create' | 'exclusive' | 'existing'
        mode?: number
      }
    | { op: 'open'; in?: string; path: Text; how: 'path' | 'directory' | 'read'; as: Slot }
    | { op: 'close'; slot: Slot }
    /** A lock that nobody else has meanwhile; EAGAIN after the time. It is held until the process ends or closes it. */
    | { op: 'lock'; path: string; waitMs: number; as: Slot }
    /** The same on a directory, where others may share it: whoever wants it alone is kept away. */
    | { op: 'lock_shared'; path: string; waitMs: number; as: Slot }
    /** Fails unless all of these are there. */
    | { op: 'access'; paths: string[] }
    /** Flushes the file system that holds the path. */
    | { op: 'syncfs'; path: string }
    | {
        op: 'mount'
        source: string
        in?: string
        target: string
        type?: string
        flags: string[]
        data?: string
        /** Fails with ELOOP where the target is a symbolic link. */
        nofollow?: boolean
      }
    | { op: 'umount2'; target: string; flags: string[] }
    | { op: 'pivot_root'; newRoot: string; putOld: string }
    | {
        op: 'mount_setattr'
        in?: string
        path: string
        recursive: boolean
        set: string[]
        clear: string[]
        propagation?: string
      }
    /** A detached copy of a mount, a member of its peer group as a bind mount would be, kept as a descriptor. */
    | { op: 'copy_mount'; source: string; recursive: boolean; as: Slot }
    | { op: 'attach_mount'; slot: Slot; in: string; target: string }
    /** A detached copy of a mount whose owners are shifted by the mapping of a user namespace, mounted at target. */
    | { op: 'idmap_mount'; source: string; target: string; userns: Slot }
    | { op: 'unshare'; namespaces: Namespace[] }
    /** Joins what the descriptor is of: one namespace, or of a process (whose `pid` is for readers) so many at once. */
    | { op: 'setns'; slot: Slot; namespaces: Namespace[]; pid?: number }
    /** fork(2); the parent reports the child's PID and exits, the child goes on with the conversation. */
    | { op: 'fork' }
    /** A user namespace with its id maps written, kept as a descriptor; made by a child that ends at once. */
    | { op: 'create_userns'; uidMappings: IdMapping[]; gidMappings: IdMapping[]; as: Slot }
    | { op: 'sethostname'; name: string }
    | { op: 'setdomainname'; name: string }
    | { op: 'setsid' }
    /** Opens a new pseudo terminal of this devpts; the controlling end goes to the monitor, the other is kept. */
    | { op: 'open_pty'; path: string; as: Slot; rows?: number; columns?: number }
    | { op: 'dup2'; slot: Slot; fd: number }
    | { op: 'set_controlling_terminal'; fd: number }
    | { op: 'fchown'; fd: number; uid: number; gid: number }
    | { op: 'setgroups'; gids: number[] }
    | { op: 'setresgid'; gid: number }
    | { op: 'setresuid'; uid: number }
    | { op: 'capset'; effective: string[]; permitted: string[]; inheritable: string[] }
    | { op: 'drop_bounding_set'; capabilities: string[] }
    | { op: 'raise_ambient_set'; capabilities: string[] }
    | { op: 'prctl'; option: string; value: number }
    | { op: 'prlimit'; resource: string; soft: number | 'unlimited'; hard: number | 'unlimited' }
    | { op: 'umask'; mode: number }
    /** A new session keyring of this name in place of the one inherited (keyrings(7)). */
    | { op: 'join_session_keyring'; name: string }
    | { op: 'seccomp'; flags: string[]; program: BpfInstruction[] }
    /** Attaches an eBPF device filter (base64 of struct bpf_insn[]) to a cgroup v2 directory. */
    | { op: 'attach_device_filter'; cgroup: string; program: string }
    | { op: 'close_range'; first: number; flags: string[] }
    | { op: 'chdir'; path: string }
    /** Fails with ENOENT where the working directory lies outside the root (getcwd(2), "(unreachable)"). */
    | { op: 'check_cwd' }
    | { op: 'fchdir'; slot: Slot }
    /** Keeps a PID 1 that forwards signals and reaps; the child goes on with the conversation. */
    | { op: 'fork_under_reaper' }
    /** Tries the candidates in turn as execvp(3) does; success ends the conversation. */
    | { op: 'execve'; candidates: string[]; argv: string[]; env: string[] }
    /** Monitor only: makes the pipes of the container's stdio and forks init. */
    | { op: 'spawn_init'; stdin: StdinUse; terminal: boolean }
    /** A process that runs, kept as a descriptor: ESRCH where none of this PID began at that time (proc_pid_stat(5)). */
    | { op: 'open_process'; pid: number; startTimeTicks: string; as: Slot }
    /** `pid` is for readers; the descriptor says which process is meant. */
    | { op: 'signal_process'; slot: Slot; pid: number; signal: string }
    /** Waits for the process's end; ETIMEDOUT where it has not come by then. */
    | { op: 'await_exit'; slot: Slot; pid: number; timeoutMs: number }
    /** Waits until a small file of the kernel's has this line; ETIMEDOUT where it has not by then. */
    | { op: 'await_content'; path: string; line: string; timeoutMs: number }
    /** Waits until there is nothing of that name; ETIMEDOUT where there still is by then. */
    /** `remover`: who is to remove it; with the end of that process the wait is over as well (ESRCH). */
    | { op: 'await_absence'; path: string; timeoutMs: number; remover?: { slot: Slot; pid: number } }
    /**
     * A cgroup and those below it, the lowest first; where processes are left in them these are killed, and waited for.
     * One that is gone already counts as removed.
     */
    | { op: 'remove_cgroup'; path: string }
    | ({ op: 'create_bridge'; name: string } & Pick<LinkSettings, 'mac' | 'mtu' | 'alias' | 'up'>)
    /** Both ends at once, the peer in another namespace from the start, where it has no other name before. */
    | ({
        op: 'create_veth'
        name: string
        peer: { name: string; mac?: string; mtu?: number; netns?: NetworkNamespace }
      } & LinkSettings)
    /** A link that shares the parent's wire; with `netns` it is made in that namespace. */
    | ({
        op: 'create_macvlan'
        name: string
        parent: string
        mode: 'bridge' | 'private' | 'vepa' | 'passthru'
        netns?: NetworkNamespace
      } & Pick<LinkSettings, 'mac' | 'mtu' | 'up'>)
    /** The same with the parent's MAC address. */
    | ({
        op: 'create_ipvlan'
        name: string
        parent: string
        mode: 'l2' | 'l3' | 'l3s'
        flag?: 'bridge' | 'private' | 'vepa'
        netns?: NetworkNamespace
      } & Pick<LinkSettings, 'mtu' | 'up'>)
    /** Changes what is said, in one message; with `netns` it moves there, and has its new name at once. */
    | ({ op: 'set_link'; name: string; newName?: string; netns?: NetworkNamespace } & LinkSettings)
    /** ENODEV where there is none. The other end of a veth pair goes with it. */
    | { op: 'delete_link'; name: string }
    /** `address` is of IPv4 or IPv6, with the length of its prefix; `nodad`: used at once, unasked whether somebody has it. */
    | { op: 'add_address'; link: string; address: string; nodad?: boolean }
    /** EADDRNOTAVAIL where the link does not have it. */
    | { op: 'delete_address'; link: string; address: string }
    /** In the main table; the default route is the one to 0.0.0.0/0 or ::/0. EEXIST where there is one. */
    | { op: 'add_route'; destination: string; gateway?: string; link?: string }
    /** ESRCH where there is none. */
    | { op: 'delete_route'; destination: string; gateway?: string; link?: string }
    /**
     * One transaction of nft(8): all of the commands or none; with `netns` for that namespace. Where it fails, nft's words come with
     * the errno.
     */
    | { op: 'nft'; commands: string; netns?: NetworkNamespace }
    /**
     * Waits for the program, the first candidate there is; a server is to go to the background by itself once it is ready. With
     * `netns` it runs in that namespace, and has nothing else of it. Where it fails, its words come with the errno that they speak
     * of, EINVAL where they speak of none.
     */
    | { op: 'run_program'; candidates: string[]; argv: string[]; netns?: NetworkNamespace }
    /**
     * Kills the server that has left its PID in the file, waits for its end, and removes the file. A process counts as that server
     * if the file is named in its command line; done where there is none. ETIMEDOUT where it has not ended by then.
     */
    | { op: 'end_server'; pidFile: string; timeoutMs: number }
    /**
     * Monitor only: a process that holds these ports of the host, and relays what the kernel does not bring to the
     * container by itself. It ends with the container, and with the monitor. EADDRINUSE and other errors come with the port:
     * `tcp 0.0.0.0 8080`.
     */
    | { op: 'publish'; ports: PublishedPort[] }
    /** Monitor only: ends that process; the ports are free afterwards. */
    | { op: 'unpublish' }
    /**
     * The same as `publish` for a container that runs already: a process in the background, which ends with the container's process of
     * this PID, or by end_server.
     */
    | { op: 'hold_ports'; ports: PublishedPort[]; pidFile: string; pid: number }
  )

export type OpName = Op['op']
export type OpOf<N extends OpName> = Extract<Op, { op: N }>
