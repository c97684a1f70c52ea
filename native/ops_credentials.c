// Ops on what a process may do: user and groups, capabilities, limits, the system call filter.

#include "executor.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// setgroups gids: packed u32
static int64_t op_setgroups(struct executor *executor, const struct arg *args) {
  if (args[0].length % sizeof(uint32_t)) return errno = EINVAL, -1;
  return syscall(SYS_setgroups, args[0].length / sizeof(uint32_t), args[0].text);
}

// setresgid gid
static int64_t op_setresgid(struct executor *executor, const struct arg *args) {
  return syscall(SYS_setresgid, (gid_t)args[0].number, (gid_t)args[0].number, (gid_t)args[0].number);
}

// setresuid uid
static int64_t op_setresuid(struct executor *executor, const struct arg *args) {
  return syscall(SYS_setresuid, (uid_t)args[0].number, (uid_t)args[0].number, (uid_t)args[0].number);
}

// capset effective permitted inheritable: masks
static int64_t op_capset(struct executor *executor, const struct arg *args) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (int half = 0; half < 2; half++) {
    data[half].effective = (uint32_t)((uint64_t)args[0].number >> (32 * half));
    data[half].permitted = (uint32_t)((uint64_t)args[1].number >> (32 * half));
    data[half].inheritable = (uint32_t)((uint64_t)args[2].number >> (32 * half));
  }
  return syscall(SYS_capset, &header, data);
}

// drop_bounding_set mask: bits above the kernel's last capability mean nothing
static int64_t op_drop_bounding_set(struct executor *executor, const struct arg *args) {
  for (int capability = 0; capability < 64; capability++) {
    if (!((uint64_t)args[0].number >> capability & 1)) continue;
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)) return -1;
  }
  return 0;
}

// raise_ambient_set mask
static int64_t op_raise_ambient_set(struct executor *executor, const struct arg *args) {
  for (int capability = 0; capability < 64; capability++) {
    if (!((uint64_t)args[0].number >> capability & 1)) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)) return -1;
  }
  return 0;
}

// prctl option value
static int64_t op_prctl(struct executor *executor, const struct arg *args) {
  return prctl((int)args[0].number, (unsigned long)args[1].number, 0, 0, 0);
}

// prlimit resource soft hard: -1 is unlimited
static int64_t op_prlimit(struct executor *executor, const struct arg *args) {
  uint64_t limit[2] = {(uint64_t)args[1].number, (uint64_t)args[2].number};
  return syscall(SYS_prlimit64, 0, (int)args[0].number, limit, NULL);
}

// umask mode
static int64_t op_umask(struct executor *executor, const struct arg *args) {
  return umask((mode_t)args[0].number);
}

// join_session_keyring name: a new one
static int64_t op_join_session_keyring(struct executor *executor, const struct arg *args) {
  return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, args[0].text) < 0 ? -1 : 0;
}

// seccomp flags program: struct sock_filter[]
static int64_t op_seccomp(struct executor *executor, const struct arg *args) {
  size_t count = args[1].length / sizeof(struct sock_filter);
  if (args[1].length % sizeof(struct sock_filter) || count > UINT16_MAX) return errno = EINVAL, -1;
  struct sock_fprog program = {.len = (uint16_t)count, .filter = (struct sock_filter *)args[1].text};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned)args[0].number, &program);
}

const struct op credential_ops[] = {
    {"setgroups", "b", op_setgroups, false},
    {"setresgid", "i", op_setresgid, false},
    {"setresuid", "i", op_setresuid, false},
    {"capset", "iii", op_capset, false},
    {"drop_bounding_set", "i", op_drop_bounding_set, false},
    {"raise_ambient_set", "i", op_raise_ambient_set, false},
    {"prctl", "ii", op_prctl, false},
    {"prlimit", "iii", op_prlimit, false},
    {"umask", "i", op_umask, false},
    {"join_session_keyring", "s", op_join_session_keyring, false},
    {"seccomp", "ib", op_seccomp, true},
    {0},
};
