// Publishing: a process of its own, the proxy, holds the container's ports of the host for as long as the container runs.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER = 3 };

static pid_t proxy; // 0: none

// What the proxy says: a number, and where that is an errno, which port it is about.
struct answer {
  int32_t error;
  char port[64];
};

// By execve(2), so that ps(1) shows the ports, and nothing of the monitor's memory goes along.
static _Noreturn void become_proxy(char **ranges, int answer) {
  size_t count = list_length(ranges);
  char **argv = calloc(count + 3, sizeof *argv);
  if (argv) {
    argv[0] = "minictr-helper";
    argv[1] = "proxy";
    memcpy(argv + 2, ranges, count * sizeof *argv);
    default_signals();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++) dup2(null, fd); // the client's own are not kept open
    answer = dup2(answer, ANSWER);
    syscall(SYS_close_range, ANSWER + 1, ~0u, 0);
    execve("/proc/self/exe", argv, (char *[]){NULL});
  }
  int32_t error = errno;
  _exit(write(answer, &error, sizeof error) < 0 ? 125 : 126);
}

static void end_proxy(pid_t pid) {
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

// publish ports: gives the PID of the proxy when it holds all of them. Else what it told: the errno, and the port's name.
static int64_t op_publish(struct executor *executor, const struct arg *args) {
  struct answer answer = {.error = EPIPE};
  int ends[2];
  ssize_t got;
  if (proxy) return errno = EBUSY, -1;
  if (pipe2(ends, O_CLOEXEC)) return -1;
  pid_t pid = fork();
  if (pid == 0) become_proxy(args[0].list, ends[1]);
  int error = errno;
  close(ends[1]);
  do got = pid < 0 ? 0 : read(ends[0], &answer, sizeof answer);
  while (got < 0 && errno == EINTR);
  close(ends[0]);
  if (pid < 0) return errno = error, -1;
  if (answer.error) {
    end_proxy(pid);
    if (got > (ssize_t)sizeof answer.error) bytes_append(&executor->data, answer.port, (size_t)got - sizeof answer.error);
    return errno = answer.error, -1;
  }
  return proxy = pid;
}

void end_publishing(void) {
  if (proxy) end_proxy(proxy);
  proxy = 0;
}

bool forget_proxy(pid_t pid) {
  if (pid != proxy) return false;
  proxy = 0;
  return true;
}

// unpublish: the ports are free afterwards
static int64_t op_unpublish(struct executor *executor, const struct arg *args) {
  end_publishing();
  return 0;
}

const struct op publish_ops[] = {
    {"publish", "l", op_publish, false},
    {"unpublish", "", op_unpublish, false},
    {0},
};
