// Probing the container's health. The monitor keeps the time alone: a command is started again and again, each time when an
// interval has passed since the one before it ended. What health is, and what has become of it, that command knows.

#include "monitor.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **command, **environment; // NULL: nothing is probed
static int64_t interval_ms, start_period_ms, start_interval_ms;
static int64_t began_ms; // when the container did
static int64_t due_ms;   // when the next one is to be started; 0: none is
static pid_t probe;      // the one that runs, or 0
static bool was_well;    // one of them has succeeded

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Until it has been well once, a container that still starts may have an interval of its own.
static void plan_probe(void) {
  int64_t now = now_ms();
  bool is_starting = !was_well && now - began_ms < start_period_ms;
  due_ms = now + (is_starting ? start_interval_ms : interval_ms);
}

void begin_probes(void) {
  if (!command || !command[0]) return;
  began_ms = now_ms();
  plan_probe();
}

static _Noreturn void become_probe(void) {
  default_signals();
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  syscall(SYS_close_range, 3, ~0u, 0);
  execve(command[0], command, environment);
  _exit(127);
}

void start_due_probe(void) {
  if (!due_ms || monitor.ended || now_ms() < due_ms) return;
  due_ms = 0;
  probe = fork();
  if (probe == 0) become_probe();
  if (probe < 0) {
    probe = 0;
    plan_probe();
  }
}

void probe_ended(pid_t pid, int status) {
  if (pid != probe) return;
  probe = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) was_well = true;
  plan_probe();
}

int until_probe(int timeout_ms) {
  if (!due_ms || monitor.ended) return timeout_ms;
  int64_t left = due_ms - now_ms();
  if (left < 0) left = 0;
  if (left > INT_MAX) left = INT_MAX;
  return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

// probe argv env interval start_period start_interval: all in milliseconds; from the container's start on
static int64_t op_probe(struct executor *executor, const struct arg *args) {
  release_list(command);
  release_list(environment);
  command = copy_list(args[0].list);
  environment = copy_list(args[1].list);
  interval_ms = args[2].number;
  start_period_ms = args[3].number;
  start_interval_ms = args[4].number;
  return 0;
}

const struct op probe_ops[] = {
    {"probe", "lliii", op_probe, false},
    {0},
};
