// Resolving paths inside a root with openat2(2), so that no link of a hostile tree leads out of it.

#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  int fd = -1;
  for (int tries = 0; tries < 128; tries++) {
    fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    // EAGAIN: something was renamed meanwhile, so the kernel cannot be sure that it stayed in the root.
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return fd;
}

int path_open(const char *root, const char *path, uint64_t flags, uint64_t mode) {
  flags |= O_CLOEXEC;
  if (!*root) return open(path, (int)flags, (mode_t)mode);
  int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  int fd = openat2(directory, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  int error = errno;
  close(directory);
  errno = error;
  return fd;
}

int place_open(struct place *place, const char *root, const char *path) {
  *place = (struct place){AT_FDCWD, path, NULL};
  if (!*root) return 0;
  char *copy = strdup(path);
  if (!copy) return -1;
  size_t length = strlen(copy);
  while (length && copy[length - 1] == '/') copy[--length] = 0;
  char *slash = strrchr(copy, '/');
  char *name = slash ? slash + 1 : copy;
  if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
    free(copy);
    errno = EINVAL;
    return -1;
  }
  if (slash) *slash = 0;
  // An absolute and a relative path mean the same inside a root.
  place->directory = path_open(root, slash && *copy ? copy : "/", O_PATH | O_DIRECTORY, 0);
  if (place->directory < 0) {
    free(copy);
    return -1;
  }
  place->name = name;
  place->copy = copy;
  return 0;
}

void place_close(struct place *place) {
  int error = errno;
  if (place->directory >= 0) close(place->directory);
  free(place->copy);
  errno = error;
}

struct fd_path fd_path(int fd) {
  struct fd_path path;
  snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
  return path;
}
