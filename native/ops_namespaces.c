// Ops on namespaces: leaving and entering them, and what is set inside one.

#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// unshare flags
static int64_t op_unshare(struct executor *executor, const struct arg *args) {
  return unshare((int)args[0].number);
}

// setns slot flag
static int64_t op_setns(struct executor *executor, const struct arg *args) {
  int fd = slot_get(executor, args[0].number);
  return fd < 0 ? -1 : setns(fd, (int)args[1].number);
}

// Of a child: until its parent has closed the pipe, be it by its end.
static void await_end(const int ended[2]) {
  char byte;
  close(ended[1]);
  while (read(ended[0], &byte, 1) < 0 && errno == EINTR) {}
  close(ended[0]);
}

// With errno as it was.
static void close_both(const int fds[2]) {
  int error = errno;
  close(fds[0]);
  close(fds[1]);
  errno = error;
}

// fork: the child goes on with the conversation once the parent, having told its PID, has ended.
static int64_t op_fork(struct executor *executor, const struct arg *args) {
  int ended[2];
  if (pipe2(ended, O_CLOEXEC)) return -1;
  // With a monitor the child is made the monitor's own from the start, so that it can be watched at once.
  unsigned long flags = SIGCHLD | (executor->monitor >= 0 ? CLONE_PARENT : 0);
  long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (pid < 0) return close_both(ended), -1;
  if (pid > 0) {
    executor_answer(executor, pid, 0, 0);
    _exit(executor_send_partial(executor) ? 0 : 125);
  }
  await_end(ended);
  bytes_release(&executor->answers);
  executor->answered = 0;
  executor->handed_over = true;
  return 0;
}

static int write_map(long pid, const char *file, const struct arg *map) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, map->text, map->length);
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)map->length ? 0 : -1;
}

static int open_mapped_userns(long pid, const struct arg *uid_map, const struct arg *gid_map) {
  char path[64];
  if (write_map(pid, "uid_map", uid_map) || write_map(pid, "gid_map", gid_map)) return -1;
  snprintf(path, sizeof path, "/proc/%ld/ns/user", pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

// create_userns uid_map gid_map slot: maps as the lines of /proc/PID/uid_map
static int64_t op_create_userns(struct executor *executor, const struct arg *args) {
  int ended[2];
  if (pipe2(ended, O_CLOEXEC)) return -1;
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    await_end(ended); // or it would stay for ever, and the conversation open, where this process is killed
    _exit(0);
  }
  int fd = pid < 0 ? -1 : open_mapped_userns(pid, &args[0], &args[1]);
  int error = errno;
  close_both(ended);
  while (pid > 0 && waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR) {}
  errno = error;
  return fd < 0 ? -1 : slot_put(executor, args[2].number, fd);
}

// sethostname name
static int64_t op_sethostname(struct executor *executor, const struct arg *args) {
  return sethostname(args[0].text, args[0].length);
}

// setdomainname name
static int64_t op_setdomainname(struct executor *executor, const struct arg *args) {
  return setdomainname(args[0].text, args[0].length);
}

const struct op namespace_ops[] = {
    {"unshare", "i", op_unshare, false},
    {"setns", "ii", op_setns, false},
    {"fork", "", op_fork, false},
    {"create_userns", "bbi", op_create_userns, false},
    {"sethostname", "s", op_sethostname, false},
    {"setdomainname", "s", op_setdomainname, false},
    {0},
};
