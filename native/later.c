// The role later: sleeps, then becomes another program. What waits for a container's next start so takes a few pages of
// memory in place of a whole Node, and is known by one PID and one start time all the while: execve(2) keeps both.

#include "roles.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(long long ms) {
  struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) continue;
}

void later_role(char **args) {
  char *end;
  long long ms = strtoll(args[0], &end, 10);
  if (end == args[0] || *end || ms < 0 || ms > INT_MAX) {
    errno = EINVAL;
    return;
  }
  setsid(); // fails where whoever started us has made us leader of a session already
  if (chdir("/")) return;
  syscall(SYS_close_range, 3, ~0u, 0);
  sleep_ms(ms);
  execv(args[1], args + 1);
}
