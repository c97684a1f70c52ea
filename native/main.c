// minictr-helper: makes the system calls that Node, having threads, cannot make. It knows nothing of containers: what
// is done, and in which order, comes over a socket (wire.h).

#include "roles.h"
#include "seal.h"
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CONTROL = 3, INIT = 4, ANSWER = 3 };

static const char usage[] =
    "minictr-helper is started by minictr, not by hand.\n"
    "  minictr-helper init      performs the operations that come over descriptor 3\n"
    "  minictr-helper monitor   the same, and keeps a container whose executor listens on descriptor 4\n"
    "  minictr-helper beside PROGRAM ARG...   becomes the program, which has a monitor's sockets as 3 and 4\n"
    "  minictr-helper kept ROOT RUN-ROOT PROGRAM ARG...   the same, unless it is known wholly what ARG... come to\n"
    "  minictr-helper attach SOCKET OPTION...  attaches to the container of the monitor that listens there\n"
    "  minictr-helper proxy PORT...  holds ports of the host and relays what comes there; says so on descriptor 3\n"
    "  minictr-helper hold PID-FILE PID PORT...  the same in the background, until the process of that PID ends\n"
    "  minictr-helper later MILLISECONDS PROGRAM ARG...   becomes the program when the time is over\n"
    "See native/wire.h for the language it speaks.\n";

static int is_socket(int fd) {
  int type;
  socklen_t length = sizeof type;
  return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
}

static int is_pipe(int fd) {
  struct stat status;
  return !fstat(fd, &status) && S_ISFIFO(status.st_mode);
}

// Descriptors this process was not meant to have: whoever started Node may have left some open in it.
static void close_from(unsigned first) { syscall(SYS_close_range, first, ~0u, 0); }

static void keep_private(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }

static int cannot_execute(const char *program) {
  fprintf(stderr, "minictr-helper: cannot execute %s: %s\n", program, strerror(errno));
  return 125;
}

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "beside")) {
    beside_role(argv[0], argv + 2);
    return cannot_execute(argv[2]);
  }
  if (argc > 4 && !strcmp(argv[1], "kept")) {
    kept_role(argv[0], argv + 2);
    return cannot_execute(argv[4]);
  }
  if (argc > 3 && !strcmp(argv[1], "later")) {
    later_role(argv + 2);
    return cannot_execute(argv[3]);
  }
  if (argc > 2 && !strcmp(argv[1], "attach")) return attach_role(argv + 2);
  if (argc > 2 && !strcmp(argv[1], "proxy") && is_pipe(ANSWER)) proxy_role(argv + 2);
  if (argc > 4 && !strcmp(argv[1], "hold")) return hold_role(argv[2], argv[3], argv + 4);
  const char *role = argc == 2 ? argv[1] : "";
  int init = !strcmp(role, "init"), monitor = !strcmp(role, "monitor");
  if ((!init && !monitor) || !is_socket(CONTROL) || (monitor && !is_socket(INIT))) {
    fputs(usage, stderr);
    return 64;
  }
  for (int fd; (fd = open("/dev/null", O_RDWR)) >= 0;) { // 0, 1 and 2 are there from now on
    if (fd <= 2) continue;
    close(fd);
    break;
  }
  close_from(monitor ? INIT + 1 : CONTROL + 1);
  if (become_sealed(argv)) {
    fprintf(stderr, "minictr-helper: cannot run from a sealed copy in memory: %s\n", strerror(errno));
    return 125;
  }
  keep_private(CONTROL);
  keep_title(argc, argv);
  if (monitor) {
    keep_private(INIT);
    monitor_role(CONTROL, INIT);
  }
  init_role(CONTROL, -1);
}
