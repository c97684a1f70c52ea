// The parent of --init. A program that is PID 1 itself gets no signal it has no handler for, and is left with every
// orphan's zombie; this one takes both on itself. It behaves as tini does, so as Docker's --init.

#include "reaper.h"
#include "title.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The faults stay as they are: they are this process's own.
static const int not_forwarded[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

static sigset_t forwarded_signals(void) {
  sigset_t set;
  sigfillset(&set);
  for (unsigned i = 0; i < sizeof not_forwarded / sizeof *not_forwarded; i++) sigdelset(&set, not_forwarded[i]);
  return set;
}

// Reaps all that has ended; ends this process where the child is among it.
static void reap(pid_t child) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != child) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  if (pid < 0 && errno == ECHILD) _exit(125);
}

static _Noreturn void stay(pid_t child, const sigset_t *signals) {
  for (;;) {
    int number = sigwaitinfo(signals, NULL);
    if (number == SIGCHLD) reap(child);
    else if (number > 0) kill(child, number);
  }
}

int fork_under_reaper(void) {
  sigset_t signals = forwarded_signals(), before;
  sigprocmask(SIG_SETMASK, &signals, &before);
  pid_t child = fork();
  if (child > 0) {
    syscall(SYS_close_range, 3, ~0u, 0);
    set_title("minictr-init");
    prctl(PR_SET_DUMPABLE, 1); // a process of the container like any other from now on
    stay(child, &signals);
  }
  int error = errno;
  if (child == 0) {
    // What is typed at a terminal (^C) goes to the foreground group: the child's own, so that it comes only once.
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpgrp()); // SIGTTOU is blocked still; no terminal, no harm
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return child == 0 ? getpid() : -1;
}
