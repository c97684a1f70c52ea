// Ops on the process itself: its descriptors, its working directory, and what it becomes.

#include "executor.h"
#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// setsid
static int64_t op_setsid(struct executor *executor, const struct arg *args) {
  return setsid();
}

// dup2 slot fd: the copy is kept over execve
static int64_t op_dup2(struct executor *executor, const struct arg *args) {
  int from = slot_get(executor, args[0].number), to = (int)args[1].number;
  if (from < 0) return -1;
  if (to == executor->wire.socket) return errno = EBUSY, -1;
  return dup2(from, to);
}

// fchown fd uid gid
static int64_t op_fchown(struct executor *executor, const struct arg *args) {
  return fchown((int)args[0].number, (uid_t)args[1].number, (gid_t)args[2].number);
}

static int64_t close_all_but_socket(struct executor *executor, unsigned first) {
  unsigned socket = (unsigned)executor->wire.socket;
  for (int i = 0; i < SLOTS; i++)
    if (executor->slots[i] >= (int)first) executor->slots[i] = -1;
  if (first <= socket) {
    if (first < socket && syscall(SYS_close_range, first, socket - 1, 0)) return -1;
    first = socket + 1;
  }
  return syscall(SYS_close_range, first, ~0u, 0);
}

// close_range first flags: to the last one; closing spares the conversation, close-on-exec includes it
static int64_t op_close_range(struct executor *executor, const struct arg *args) {
  unsigned first = (unsigned)args[0].number, flags = (unsigned)args[1].number;
  if (flags & CLOSE_RANGE_CLOEXEC) return syscall(SYS_close_range, first, ~0u, flags);
  return close_all_but_socket(executor, first);
}

// chdir path
static int64_t op_chdir(struct executor *executor, const struct arg *args) {
  return chdir(args[0].text);
}

// fchdir slot
static int64_t op_fchdir(struct executor *executor, const struct arg *args) {
  int fd = slot_get(executor, args[0].number);
  return fd < 0 ? -1 : fchdir(fd);
}

// check_cwd: gives the working directory; ENOENT where it lies outside the root ("(unreachable)…")
static int64_t op_check_cwd(struct executor *executor, const struct arg *args) {
  char path[4096];
  long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 0) return -1;
  if (path[0] != '/') return errno = ENOENT, -1;
  bytes_append(&executor->data, path, (size_t)length - 1);
  return 0;
}

// fork_under_reaper: this process stays as the parent that reaps, the child goes on with the conversation
static int64_t op_fork_under_reaper(struct executor *executor, const struct arg *args) {
  return fork_under_reaper();
}

// execve candidates argv env: as execvp(3), with the candidates in place of the search path
static int64_t op_execve(struct executor *executor, const struct arg *args) {
  int denied = 0;
  errno = ENOENT;
  for (char **candidate = args[0].list; *candidate; candidate++) {
    execve(*candidate, args[1].list, args[2].list);
    if (errno == EACCES) denied = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR) return -1;
  }
  if (denied) errno = denied;
  return -1;
}

const struct op process_ops[] = {
    {"setsid", "", op_setsid, false},
    {"dup2", "ii", op_dup2, false},
    {"fchown", "iii", op_fchown, false},
    {"close_range", "ii", op_close_range, false},
    {"chdir", "s", op_chdir, false},
    {"fchdir", "i", op_fchdir, false},
    {"check_cwd", "", op_check_cwd, false},
    {"fork_under_reaper", "", op_fork_under_reaper, false},
    {"execve", "lll", op_execve, true},
    {0},
};
