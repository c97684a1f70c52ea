// Paths that may lie in a hostile directory tree: resolved once by the kernel, then used through descriptors only.
//
// `root` is the directory that counts as "/" for the path (openat2(2), RESOLVE_IN_ROOT), or "" for the process's own
// root; then the path is an ordinary one.

#ifndef PATH_H
#define PATH_H

#include <stdint.h>

// What a name stands in: an open directory (or AT_FDCWD) and a name, or a whole ordinary path, to go with it.
struct place {
  int directory;
  const char *name;
  char *copy;
};

// Opens what the path names, following links within the root. `flags` as of open(2); close-on-exec is added.
int path_open(const char *root, const char *path, uint64_t flags, uint64_t mode);
// Resolves all but the last name. 0, or -1 with errno; EINVAL where the last is none ("/", ".", "..").
int place_open(struct place *, const char *root, const char *path);
void place_close(struct place *);

// "/proc/self/fd/N", for calls that take only text; does not re-walk the path.
struct fd_path {
  char text[32];
};
struct fd_path fd_path(int fd);

#endif
