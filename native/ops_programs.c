// Ops that have another program do something: nft(8), whose language of messages nobody would want to write by hand, and
// servers that go to the background by themselves when they are ready. Either may do it in another network namespace.

#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 4096 };

// A program says what went wrong in words; those that glibc has for a number, in the C locale, give that back. The last two
// are musl's, which this program itself may have, where they are others.
static const struct {
  const char *words;
  int number;
} told[] = {
    {"No such file or directory", ENOENT},
    {"File exists", EEXIST},
    {"Device or resource busy", EBUSY},
    {"Operation not permitted", EPERM},
    {"Permission denied", EACCES},
    {"Operation not supported", EOPNOTSUPP},
    {"Address already in use", EADDRINUSE},
    {"Cannot assign requested address", EADDRNOTAVAIL},
    {"No such device", ENODEV},
    {"No such process", ESRCH},
    {"Address in use", EADDRINUSE},
    {"Address not available", EADDRNOTAVAIL},
};

static int error_in(const char *said) {
  for (unsigned i = 0; i < sizeof told / sizeof *told; i++)
    if (strstr(said, told[i].words)) return told[i].number;
  return EINVAL;
}

// A file in memory. Programs read their input from one, and write to one what goes wrong: unlike with pipes nobody has to
// keep up with it, and a server that keeps it open holds nobody up.
static int open_memory(const char *content, size_t length) {
  int fd = (int)syscall(SYS_memfd_create, "minictr", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (write(fd, content, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0) return fd;
  close(fd);
  return -1;
}

// `network`: a network namespace, or -1 for that of this process.
static _Noreturn void become(char *program, char **argv, const int stdio[3], int network) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setsid();
  if (network >= 0 && setns(network, CLONE_NEWNET)) {
    dprintf(stdio[2], "setns: %s", strerror(errno));
    _exit(126);
  }
  for (int fd = 0; fd <= 2; fd++) dup2(stdio[fd], fd);
  syscall(SYS_close_range, 3, ~0u, 0);
  execve(program, argv, (char *[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL});
  _exit(127);
}

// The wait status, or -1. What the program leaves behind in the background is no child of a monitor, which would end it
// with a container that came to nothing: it is left to the next process above that takes in orphans.
static int run(char *program, char **argv, const int stdio[3], int network) {
  int status = -1, takes_orphans = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &takes_orphans);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  pid_t pid = fork();
  if (pid == 0) become(program, argv, stdio, network);
  int error = errno;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  prctl(PR_SET_CHILD_SUBREAPER, takes_orphans);
  errno = error;
  return pid > 0 ? status : -1;
}

// What of it is told is the beginning.
static int64_t result_of(struct executor *executor, int status, int said) {
  char text[SAID_MAX + 1];
  ssize_t length = pread(said, text, SAID_MAX, 0);
  text[length > 0 ? length : 0] = 0;
  bytes_append(&executor->data, text, strlen(text));
  if (status == 0) return 0;
  errno = WIFSIGNALED(status) ? ECANCELED : error_in(text);
  return -1;
}

static char *find_program(char **candidates) {
  for (; *candidates; candidates++)
    if (!access(*candidates, X_OK)) return *candidates;
  errno = ENOENT;
  return NULL;
}

static void close_all(const int fds[3]) {
  int error = errno;
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) close(fds[i]);
  errno = error;
}

// run_program candidates argv input slot: the first candidate there is, until it ends; in the network namespace of the slot,
// where that is not -1. Gives what it wrote to its error output; an exit status other than 0 is the errno that this speaks of,
// else EINVAL; an end by a signal is ECANCELED.
static int64_t op_run_program(struct executor *executor, const struct arg *args) {
  char *program = find_program(args[0].list);
  int network = args[3].number < 0 ? -1 : slot_get(executor, args[3].number);
  if (!program || (args[3].number >= 0 && network < 0)) return -1;
  int stdio[3] = {open_memory(args[2].text, args[2].length), open("/dev/null", O_WRONLY | O_CLOEXEC), open_memory("", 0)};
  int status = stdio[0] < 0 || stdio[1] < 0 || stdio[2] < 0 ? -1 : run(program, args[1].list, stdio, network);
  int64_t result = status == -1 ? -1 : result_of(executor, status, stdio[2]);
  close_all(stdio);
  return result;
}

const struct op program_ops[] = {
    {"run_program", "llbi", op_run_program, false},
    {"nft", "llbi", op_run_program, false},
    {"hold_ports", "llbi", op_run_program, false},
    {0},
};
