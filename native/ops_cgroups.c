// Ops on cgroups that are more than writing a file: ending all their processes, filtering devices.

#include "executor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { KILL_TIMEOUT_MS = 10000 };

// Kills every process that a cgroup lists.
static void kill_members(int cgroup) {
  int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
  if (!list) {
    if (fd >= 0) close(fd);
    return;
  }
  for (long pid; fscanf(list, "%ld", &pid) == 1;) {
    if (pid > 1 && pid != getpid()) kill((pid_t)pid, SIGKILL); // 0: a process this PID namespace cannot see
  }
  fclose(list);
}

// Removes the cgroup `name` of a directory if that is possible at once; where it is not, what is below it goes first, and
// its processes are killed, so that a later call succeeds.
static int remove_or_empty(int parent, const char *name) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  if (errno != EBUSY && errno != ENOTEMPTY) return -1;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (!directory) {
    if (fd >= 0) close(fd);
    return errno == ENOENT ? 0 : -1;
  }
  for (struct dirent *entry; (entry = readdir(directory));) {
    bool below = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    if (below) remove_or_empty(fd, entry->d_name);
  }
  kill_members(fd);
  closedir(directory);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

// remove_cgroup path: with those below it; EBUSY where processes do not end. Also without any left it can be busy for a
// moment: since Linux 6.19 a dead process counts until it has left its CPU.
static int64_t op_remove_cgroup(struct executor *executor, const struct arg *args) {
  long pause_ms = 1;
  for (long waited_ms = 0; waited_ms < KILL_TIMEOUT_MS; waited_ms += pause_ms) {
    if (remove_or_empty(AT_FDCWD, args[0].text) == 0) return 0;
    if (errno != EBUSY && errno != ENOTEMPTY) return -1;
    if (waited_ms > 20) pause_ms = 20;
    nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
  }
  return -1;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr) {
  return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

// attach_device_filter cgroup program: struct bpf_insn[], attached to a cgroup v2 directory
static int64_t op_attach_device_filter(struct executor *executor, const struct arg *args) {
  union bpf_attr load, attach;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = (uint64_t)(uintptr_t)args[1].text;
  load.insn_cnt = (uint32_t)(args[1].length / sizeof(struct bpf_insn));
  load.license = (uint64_t)(uintptr_t) "MIT";
  int program = bpf(BPF_PROG_LOAD, &load);
  if (program < 0) return -1;
  int cgroup = open(args[0].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = -1;
  if (cgroup >= 0) {
    memset(&attach, 0, sizeof attach);
    attach.target_fd = (uint32_t)cgroup;
    attach.attach_bpf_fd = (uint32_t)program;
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI;
    result = bpf(BPF_PROG_ATTACH, &attach);
  }
  int error = errno;
  if (cgroup >= 0) close(cgroup);
  close(program);
  errno = error;
  return result;
}

const struct op cgroup_ops[] = {
    {"remove_cgroup", "s", op_remove_cgroup, false},
    {"attach_device_filter", "sb", op_attach_device_filter, false},
    {0},
};
