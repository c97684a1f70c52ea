// Addresses of sockets (unix(7)) hold 107 bytes; /proc/self/fd/N/name is always short enough.

#include "unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

// The address, good as long as the directory, which is given, is open; -1 with errno.
static int open_address(const char *path, struct sockaddr_un *address) {
  char *parent = strdup(path), *last = strdup(path);
  int directory = parent && last ? open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (directory >= 0) {
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory, basename(last));
    if (length >= (int)sizeof address->sun_path) {
      close(directory);
      directory = -1;
      errno = ENAMETOOLONG;
    }
  }
  free(parent);
  free(last);
  return directory;
}

// Closes what was opened on the way; the socket as well, where it came to nothing.
static int result_of(int fd, int directory, bool is_good) {
  int error = errno;
  if (directory >= 0) close(directory);
  if (!is_good && fd >= 0) close(fd);
  errno = error;
  return is_good ? fd : -1;
}

int listen_at(const char *path) {
  struct sockaddr_un address;
  int directory = open_address(path, &address);
  int fd = directory < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mode_t before = umask(0177);
  bool is_bound = fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, BACKLOG);
  umask(before);
  return result_of(fd, directory, is_bound);
}

int connect_at(const char *path) {
  struct sockaddr_un address;
  int directory = open_address(path, &address);
  int fd = directory < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return result_of(fd, directory, fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address));
}
