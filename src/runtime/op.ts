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

/** `tolerate` names the errors that count as done: what makes an op idempotent. */
type Common = { tolerate?: string[] }

export type Op = Common &
  (
    | ({ op: 'mkdir'; mode: number; parents?: boolean } & Scoped)
    | ({ op: 'rmdir' } & Scoped)
    | ({ op: 'unlink' } & Scoped)
    /** Removes a file only if it holds exactly this: a claim is given back by nobody but its holder (else ESTALE). */
    | ({ op: 'unlink_claim'; content: string } & Scoped)
    /** A whole directory tree, never following a link, staying on one file system. */
    | ({ op: 'remove_tree' } & Scoped)
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
    | { op: 'setns'; slot: Slot; namespace: Namespace }
    /** fork(2); the parent reports the child's PID and exits, the child goes on with the conversation. */
    | { op: 'fork' }
    /** A user namespace with its id maps written, kept as a descriptor; made by a child that ends at once. */
    | { op: 'create_userns'; uidMappings: IdMapping[]; gidMappings: IdMapping[]; as: Slot }
    | { op: 'sethostname'; name: string }
    | { op: 'setdomainname'; name: string }
    | { op: 'set_link_up'; name: string }
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
    | { op: 'spawn_init'; stdin: boolean; terminal: boolean }
    /**
     * A cgroup and those below it, the lowest first; where processes are left in them these are killed, and waited for.
     * One that is gone already counts as removed.
     */
    | { op: 'remove_cgroup'; path: string }
  )

export type OpName = Op['op']
export type OpOf<N extends OpName> = Extract<Op, { op: N }>
