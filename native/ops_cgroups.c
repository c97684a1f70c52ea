// Ops on cgroups that are more than writing a file: ending all their processes, filtering devices.

#include "executor.h"

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

// Signals every process listed in a cgroup.procs file. Gives how many there were; a cgroup that is gone has none.
static int64_t signal_listed(const char *procs, int number) {
  int fd = open(procs, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ENODEV ? 0 : -1;
  FILE *list = fdopen(fd, "r");
  if (!list) {
    close(fd);
    return -1;
  }
  int64_t found = 0;
  for (long pid; fscanf(list, "%ld", &pid) == 1;) {
    found++;
    if (pid > 1 && pid != getpid()) kill((pid_t)pid, number); // 0: a process this PID namespace cannot see
  }
  bool failed = ferror(list) && errno != ENODEV;
  int error = errno;
  fclose(list);
  errno = error;
  return failed ? -1 : found;
}

// kill_cgroup procs signal: until none is left; ETIMEDOUT where some do not end
static int64_t op_kill_cgroup(struct executor *executor, const struct arg *args) {
  int64_t most = 0;
  long pause_ms = 1;
  for (long waited_ms = 0; waited_ms < KILL_TIMEOUT_MS; waited_ms += pause_ms) {
    int64_t found = 0;
    for (char **procs = args[0].list; *procs; procs++) {
      int64_t here = signal_listed(*procs, (int)args[1].number);
      if (here < 0) return -1;
      found += here;
    }
    if (found > most) most = found;
    if (!found) return most;
    if (waited_ms > 20) pause_ms = 20;
    nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
  }
  errno = ETIMEDOUT;
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
    {"kill_cgroup", "li", op_kill_cgroup, false},
    {"attach_device_filter", "sb", op_attach_device_filter, false},
    {0},
};
