// Ops on processes that run already: held by a descriptor (pidfd_open(2)), so that a PID used again is never meant.
//
// Those that wait keep their executor from everything else meanwhile: they are for one that has nothing else to do.

#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { STAT_LENGTH = 4096, COMMAND_LINE_LENGTH = 1 << 17, START_TIME_FIELD = 22, FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 16 };

// The start time in /proc/PID/stat (proc_pid_stat(5)), as text; "" where it cannot be read, or the process is a zombie.
static void read_start_time(int64_t pid, char *text, size_t size) {
  char path[64], stat[STAT_LENGTH];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  *text = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t length = read(fd, stat, sizeof stat - 1);
  close(fd);
  if (length <= 0) return;
  stat[length] = 0;
  char *at = strrchr(stat, ')'); // the name, field 2, may hold anything; it ends at the last parenthesis
  if (!at || !strncmp(at, ") Z", 3) || !strncmp(at, ") X", 3)) return;
  for (int field = 2; field < START_TIME_FIELD; field++)
    if (!(at = strchr(at + 1, ' '))) return;
  size_t digits = strcspn(at + 1, " \n");
  if (digits < size) memcpy(text, at + 1, digits), text[digits] = 0;
}

// open_process pid start_time slot: ESRCH where no process of this PID began at that time, in clock ticks since the boot
static int64_t op_open_process(struct executor *executor, const struct arg *args) {
  char start_time[32];
  int fd = (int)syscall(SYS_pidfd_open, (pid_t)args[0].number, 0);
  if (fd < 0) return -1;
  // After the descriptor was opened: what the file tells is now of this process, or of none.
  read_start_time(args[0].number, start_time, sizeof start_time);
  if (strcmp(start_time, args[1].text)) {
    close(fd);
    return errno = ESRCH, -1;
  }
  return slot_put(executor, args[2].number, fd);
}

// signal_process slot signal
static int64_t op_signal_process(struct executor *executor, const struct arg *args) {
  int fd = slot_get(executor, args[0].number);
  return fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, (int)args[1].number, NULL, 0);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// await_exit slot timeout: in milliseconds; ETIMEDOUT where the process still runs then, ECANCELED where the client went: what
// may last for ever must not outlive who wants to know.
static int64_t op_await_exit(struct executor *executor, const struct arg *args) {
  int ready, fd = slot_get(executor, args[0].number);
  if (fd < 0) return -1;
  struct pollfd ends[] = {{.fd = fd, .events = POLLIN}, {.fd = executor->wire.socket}};
  int64_t deadline = now_ms() + args[1].number;
  do {
    int64_t left = deadline - now_ms();
    ready = poll(ends, 2, left > 0 ? (int)left : 0);
  } while (ready < 0 && errno == EINTR);
  if (ready > 0 && ends[0].revents) return 0;
  if (ready >= 0) errno = ready ? ECANCELED : ETIMEDOUT;
  return -1;
}

static int read_small_file(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, size - 1);
  int error = errno;
  close(fd);
  errno = error;
  if (length < 0) return -1;
  text[length] = 0;
  return 0;
}

static bool is_written_in(const char *path, const char *text) {
  static char content[COMMAND_LINE_LENGTH];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, content, sizeof content);
  close(fd);
  return length > 0 && memmem(content, (size_t)length, text, strlen(text));
}

// The server whose PID the file has: a process that has the file's path in its command line. -1 with ESRCH where there is none.
static int open_server(const char *pid_file) {
  char text[32], path[64];
  if (read_small_file(pid_file, text, sizeof text)) return -1;
  pid_t pid = (pid_t)strtol(text, NULL, 10);
  int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : (errno = ESRCH, -1);
  if (fd < 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  if (is_written_in(path, pid_file)) return fd;
  close(fd);
  return errno = ESRCH, -1;
}

// end_server pid_file timeout: kills it and waits until it has ended, ETIMEDOUT after so many milliseconds; then the file goes.
// Where there is no such server, or no file, that is done already.
static int64_t op_end_server(struct executor *executor, const struct arg *args) {
  int fd = open_server(args[0].text);
  if (fd >= 0) {
    struct pollfd end = {.fd = fd, .events = POLLIN};
    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    int ready;
    while ((ready = poll(&end, 1, (int)args[1].number)) < 0 && errno == EINTR) {}
    close(fd);
    if (ready == 0) return errno = ETIMEDOUT, -1;
  } else if (errno != ENOENT && errno != ESRCH) {
    return -1;
  }
  return unlink(args[0].text) && errno != ENOENT ? -1 : 0;
}

static bool has_line(const char *text, const char *line) {
  size_t length = strlen(line);
  for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
    if (strcspn(text, "\n") == length && !memcmp(text, line, length)) return true;
  return false;
}

// await_content path line timeout: until the file has the line; ETIMEDOUT after so many milliseconds. Looked at again and
// again, since the files of cgroup v1 tell nobody that they have changed.
static int64_t op_await_content(struct executor *executor, const struct arg *args) {
  char text[4096];
  int64_t deadline = now_ms() + args[2].number;
  for (int pause_ms = FIRST_PAUSE_MS;; pause_ms += pause_ms < LONGEST_PAUSE_MS ? pause_ms : 0) {
    if (read_small_file(args[0].text, text, sizeof text)) return -1;
    if (has_line(text, args[1].text)) return 0;
    if (now_ms() >= deadline) return errno = ETIMEDOUT, -1;
    nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000L}, NULL);
  }
}

static bool has_ended(int process) {
  struct pollfd end = {.fd = process, .events = POLLIN};
  return process < 0 || poll(&end, 1, 0) > 0;
}

// await_absence path timeout slot: until there is nothing of that name; ETIMEDOUT after so many milliseconds. ESRCH where the
// process in the slot, which was to remove it, has ended, or is not there; -1 for nobody in particular
static int64_t op_await_absence(struct executor *executor, const struct arg *args) {
  int64_t deadline = now_ms() + args[1].number;
  bool by_somebody = args[2].number >= 0;
  for (int pause_ms = FIRST_PAUSE_MS;; pause_ms += pause_ms < LONGEST_PAUSE_MS ? pause_ms : 0) {
    bool is_left = by_somebody && has_ended(slot_get(executor, args[2].number)); // before: it may be the last it has done
    if (faccessat(AT_FDCWD, args[0].text, F_OK, AT_SYMLINK_NOFOLLOW)) return errno == ENOENT ? 0 : -1;
    if (is_left) return errno = ESRCH, -1;
    if (now_ms() >= deadline) return errno = ETIMEDOUT, -1;
    nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000L}, NULL);
  }
}

const struct op running_ops[] = {
    {"open_process", "isi", op_open_process, false},
    {"signal_process", "ii", op_signal_process, false},
    {"await_exit", "ii", op_await_exit, false},
    {"await_content", "ssi", op_await_content, false},
    {"await_absence", "sii", op_await_absence, false},
    {"end_server", "si", op_end_server, false},
    {0},
};
