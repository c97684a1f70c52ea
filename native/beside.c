// The role beside: starts a monitor, and another program (Node) that has the monitor's sockets as descriptors 3 and 4, and
// as 5 the way to say with which status we are to end. Forking this small program takes a hundredth of what forking Node
// would, and the monitor gets ready meanwhile.

#include "roles.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL = 3, INIT = 4, FRONT = 5, OUT_OF_THE_WAY = 10 };

// A pair of connected sockets that are closed by execve, on numbers that nothing here uses.
static bool open_pair(int pair[2]) {
  int made[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made)) return false;
  for (int end = 0; end < 2; end++) {
    pair[end] = fcntl(made[end], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    close(made[end]);
  }
  return pair[0] >= 0 && pair[1] >= 0;
}

static void place(int control, int init) {
  dup2(control, CONTROL);
  dup2(init, INIT);
}

// Whoever started us may ignore signals that a container's program expects.
static void forget_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
}

static _Noreturn void become_monitor(char *name) {
  forget_signals();
  setsid();
  execve("/proc/self/exe", (char *[]){name, "monitor", NULL}, (char *[]){NULL});
  _exit(125);
}

pid_t start_monitor(char *name, int *control_end, int *init_end) {
  int control[2], init[2];
  if (!open_pair(control) || !open_pair(init)) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    place(control[1], init[1]);
    become_monitor(name);
  }
  close(control[1]);
  close(init[1]);
  *control_end = control[0];
  *init_end = init[0];
  return pid;
}

// Without a monitor the program starts as well: it will try for itself, and say what is wrong.
void beside_role(char *name, char **argv) {
  int control, init;
  char number[16];
  pid_t pid = start_monitor(name, &control, &init);
  if (pid > 0) {
    place(control, init);
    snprintf(number, sizeof number, "%d", pid);
    setenv("MINICTR_MONITOR", number, 1);
  }
  if (stand_in_front(FRONT)) setenv("MINICTR_FRONT", "1", 1);
  execv(argv[0], argv);
}
