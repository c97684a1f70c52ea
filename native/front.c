// Standing in front of Node: whoever started us waits for this small process, and Node, its child, says with which status it
// is to end. Node itself then takes milliseconds to end, for which nobody waits.

#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A signal that the terminal sends goes to all of its foreground processes: Node has it already.
static bool is_from_terminal(const struct signalfd_siginfo *info) { return info->ssi_code == SI_KERNEL; }

static _Noreturn void end_as(int status) {
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  sigset_t none;
  sigemptyset(&none);
  signal(WTERMSIG(status), SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  raise(WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

// Ends as it has ended, stops as it has stopped.
static void follow(pid_t program) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
    if (pid != program) continue;
    if (WIFSTOPPED(status)) raise(SIGSTOP);
    else end_as(status);
  }
}

static void take_signals(int signals, pid_t program) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) follow(program);
    else if (!is_from_terminal(&info)) kill(program, (int)info.ssi_signo);
  }
}

enum { TOLD = 3, SIGNALS = 4 };

// The ends of others' conversations are not to stay open here.
static void keep_only(int told, int signals) {
  int copies[] = {fcntl(told, F_DUPFD_CLOEXEC, SIGNALS + 1), fcntl(signals, F_DUPFD_CLOEXEC, SIGNALS + 1)};
  dup2(copies[0], TOLD);
  dup2(copies[1], SIGNALS);
  syscall(SYS_close_range, SIGNALS + 1, ~0u, 0);
}

static _Noreturn void stand(pid_t program, int told, int signals) {
  struct pollfd fds[] = {{.fd = told, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    uint8_t status;
    if (poll(fds, 2, -1) < 0 && errno != EINTR) _exit(125);
    if (fds[1].revents) take_signals(signals, program);
    if (!fds[0].revents) continue;
    if (read(told, &status, 1) == 1) _exit(status);
    fds[0].fd = -1; // it ends without a word
  }
}

bool stand_in_front(int told_at) {
  int pair[2];
  sigset_t all, before;
  sigfillset(&all);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return false;
  int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t front = getpid(), program = signals < 0 ? -1 : fork();
  if (program > 0) {
    keep_only(pair[0], signals);
    stand(program, TOLD, SIGNALS);
  }
  close(pair[0]);
  if (program == 0) {
    // Told or not: what ends with us is not to go on by itself.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != front) _exit(125);
    dup2(pair[1], told_at);
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return program == 0;
}
