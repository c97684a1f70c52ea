// Removing a tree through descriptors alone, so that nothing swapped in meanwhile leads elsewhere.
//
// Each level of the recursion keeps one descriptor. A tree can be deeper than descriptors last, so what lies deeper
// than DEPTH_MAX is renamed up into the top directory and met there again.

#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

struct removal {
  int top;            // the tree's own top directory
  int64_t removed;
  unsigned raised;    // directories renamed up so far
};

static int open_directory(int parent, const char *name) {
  struct open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
  };
  int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
  if (fd >= 0 || errno != EACCES) return fd;
  // Without the privilege to read any directory (in a user namespace, say), the owner may still allow himself to.
  if (fchmodat(parent, name, 0700, 0)) return -1;
  return (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
}

static int unlink_in(int parent, const char *name, int flags) {
  if (!unlinkat(parent, name, flags)) return 0;
  if (errno != EACCES || fchmod(parent, 0700)) return -1;
  return unlinkat(parent, name, flags);
}

static int raise_up(struct removal *removal, int parent, const char *name) {
  char new_name[48];
  for (;;) {
    snprintf(new_name, sizeof new_name, ".removing-%u", removal->raised++);
    if (!syscall(SYS_renameat2, parent, name, removal->top, new_name, 1 /* RENAME_NOREPLACE */)) return 0;
    if (errno != EEXIST) return errno == ENOENT ? 0 : -1;
  }
}

static int empty(struct removal *, int directory, int depth);

// Removes one name of an open directory with all below it.
static int remove_name(struct removal *removal, int parent, const char *name, unsigned char type, int depth) {
  if (type != DT_DIR) {
    if (!unlink_in(parent, name, 0)) return removal->removed++, 0;
    if (errno == ENOENT) return 0; // somebody else was faster, here and below
    if (errno != EISDIR) return -1; // where readdir told no type
  }
  if (depth > DEPTH_MAX) return raise_up(removal, parent, name);
  int directory = open_directory(parent, name);
  if (directory < 0) return errno == ENOENT ? 0 : -1;
  if (removal->top < 0) removal->top = directory;
  if (empty(removal, directory, depth)) return -1;
  if (unlink_in(parent, name, AT_REMOVEDIR)) return errno == ENOENT ? 0 : -1;
  removal->removed++;
  return 0;
}

// Reads and removes until a whole pass finds nothing: removing while reading may hide names from the same pass.
// Closes the directory.
static int empty(struct removal *removal, int directory, int depth) {
  DIR *names = fdopendir(directory);
  if (!names) {
    close(directory);
    return -1;
  }
  int result = 0, found;
  do {
    found = 0;
    rewinddir(names);
    for (struct dirent *entry; !result && (errno = 0, entry = readdir(names));) {
      if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
      found++;
      result = remove_name(removal, directory, entry->d_name, entry->d_type, depth + 1);
    }
    if (!result && errno) result = -1;
  } while (found && !result);
  int error = errno;
  closedir(names);
  errno = error;
  return result;
}

static int64_t remove_below(int directory, const char *name) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW)) return -1;
  struct removal removal = {.top = -1};
  unsigned char type = S_ISDIR(status.st_mode) ? DT_DIR : DT_REG;
  return remove_name(&removal, directory, name, type, 0) ? -1 : removal.removed;
}

int64_t remove_tree(int directory, const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return remove_below(directory, path);
  // The way there may lead over other file systems: /run is mostly one of its own.
  char *way = strndup(path, (size_t)(slash - path) + 1);
  int parent = way ? openat(directory, way, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  free(way);
  if (parent < 0) return -1;
  int64_t removed = remove_below(parent, slash + 1);
  int error = errno;
  close(parent);
  errno = error;
  return removed;
}
