// Copying a directory into an empty one, wholly or not at all, however many want to and whoever is killed meanwhile.
//
// The copy is made aside, in `copy` beside the empty directory, under a lock that the kernel takes back when its holder
// dies. A whole copy is renamed to `copied`, and from there its entries are renamed to where they belong. So a `copy`
// that somebody finds who has the lock was cut short, and is begun anew; a `copied` is whole, and is moved to its end.
// Not exchanged in one call, since the empty directory may be mounted somewhere already: it must stay what it is.

#include "copy_tree.h"
#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char unfinished[] = "copy", whole[] = "copied";

enum { XATTR_NAMES_MAX = 65536, XATTR_VALUE_MAX = 65536, CHUNK = 1 << 16 };

// A file with several names, and where its first copy is below the top of the copy.
struct linked {
  dev_t device;
  ino_t inode;
  char *path;
  struct linked *next;
};

struct copying {
  int top; // of the copy
  int64_t copied;
  struct linked *linked;
};

static int open_below(int parent, const char *name, int flags) {
  return openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC);
}

// A name in an open directory, for calls that take no descriptor of a directory; a link at its end is not followed by them.
struct entry_path {
  char text[NAME_MAX + 40];
};

static struct entry_path entry_path(int directory, const char *name) {
  struct entry_path path;
  snprintf(path.text, sizeof path.text, "/proc/self/fd/%d/%s", directory, name);
  return path;
}

static int copy_xattrs(int from, int to, const char *name) {
  static char names[XATTR_NAMES_MAX], value[XATTR_VALUE_MAX];
  struct entry_path source = entry_path(from, name), target = entry_path(to, name);
  ssize_t length = llistxattr(source.text, names, sizeof names);
  if (length < 0) return errno == ENOTSUP ? 0 : -1;
  for (char *each = names; each < names + length; each += strlen(each) + 1) {
    ssize_t size = lgetxattr(source.text, each, value, sizeof value);
    if (size < 0 && errno == ENODATA) continue;
    if (size < 0) return -1;
    // A file system that knows no such attributes, or a policy of the host's that sets its own.
    if (lsetxattr(target.text, each, value, (size_t)size, 0) && errno != ENOTSUP) return -1;
  }
  return 0;
}

static int set_times(int directory, const char *name, const struct stat *status) {
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

// In this order: a new owner takes setuid and capabilities away.
static int copy_attributes(int from, int to, const char *name, const struct stat *status) {
  if (fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW)) return -1;
  if (copy_xattrs(from, to, name)) return -1;
  if (!S_ISLNK(status->st_mode) && fchmodat(to, name, status->st_mode & 07777, 0)) return -1;
  return set_times(to, name, status);
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0) return -1;
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

static int copy_range(int from, int to, off_t start, off_t end) {
  static char chunk[CHUNK];
  if (lseek(from, start, SEEK_SET) < 0 || lseek(to, start, SEEK_SET) < 0) return -1;
  while (start < end) {
    // Within one file system the kernel may share the blocks; else, or where it will not, it is read and written.
    ssize_t got = syscall(SYS_copy_file_range, from, NULL, to, NULL, (size_t)(end - start), 0);
    if (got <= 0) {
      if (got < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) return -1;
      size_t wanted = end - start < CHUNK ? (size_t)(end - start) : CHUNK;
      got = read(from, chunk, wanted);
      if (got < 0 || write_all(to, chunk, (size_t)got)) return -1;
      if (!got) break;
    }
    start += got;
  }
  return 0;
}

// Holes stay holes.
static int copy_data(int from, int to, off_t size) {
  if (ftruncate(to, size)) return -1;
  for (off_t start = 0, end; start < size; start = end) {
    start = lseek(from, start, SEEK_DATA);
    if (start < 0) return errno == ENXIO ? 0 : -1;
    end = lseek(from, start, SEEK_HOLE);
    if (end < 0 || copy_range(from, to, start, end)) return -1;
  }
  return 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *status) {
  int source = open_below(from, name, O_RDONLY | O_NONBLOCK);
  if (source < 0) return -1;
  int target = open_below(to, name, O_WRONLY | O_CREAT | O_EXCL);
  int result = target < 0 ? -1 : copy_data(source, target, status->st_size);
  int error = errno;
  close(source);
  if (target >= 0) close(target);
  errno = error;
  return result;
}

static int copy_link(int from, int to, const char *name) {
  char text[PATH_MAX];
  ssize_t length = readlinkat(from, name, text, sizeof text - 1);
  if (length < 0) return -1;
  text[length] = 0;
  return symlinkat(text, to, name);
}

// 1 where the file was copied under another name already and has this name now, too; 0 where it is new; -1 with errno.
static int link_again(struct copying *copying, int to, const char *name, const char *path, const struct stat *status) {
  for (struct linked *each = copying->linked; each; each = each->next)
    if (each->device == status->st_dev && each->inode == status->st_ino)
      return linkat(copying->top, each->path, to, name, 0) ? -1 : 1;
  struct linked *new = malloc(sizeof *new);
  if (!new) return -1;
  *new = (struct linked){status->st_dev, status->st_ino, strdup(path), copying->linked};
  copying->linked = new;
  return new->path ? 0 : -1;
}

static int copy_directory(struct copying *, int from, int to, const char *path);

static int copy_subdirectory(struct copying *copying, int from, int to, const char *name, const char *path) {
  if (mkdirat(to, name, 0700)) return -1;
  int source = open_below(from, name, O_RDONLY | O_DIRECTORY);
  int target = open_below(to, name, O_RDONLY | O_DIRECTORY);
  int result = source < 0 || target < 0 ? -1 : copy_directory(copying, source, target, path);
  int error = errno;
  if (source >= 0) close(source);
  if (target >= 0) close(target);
  errno = error;
  return result;
}

static int copy_name(struct copying *copying, int from, int to, const char *name, const char *path) {
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW)) return -1;
  copying->copied++;
  int result;
  if (S_ISDIR(status.st_mode)) result = copy_subdirectory(copying, from, to, name, path);
  else {
    int linked = status.st_nlink > 1 ? link_again(copying, to, name, path, &status) : 0;
    if (linked) return linked < 0 ? -1 : 0;
    if (S_ISREG(status.st_mode)) result = copy_file(from, to, name, &status);
    else if (S_ISLNK(status.st_mode)) result = copy_link(from, to, name);
    else result = mknodat(to, name, status.st_mode, status.st_rdev);
  }
  return result ? -1 : copy_attributes(from, to, name, &status);
}

// What to do with each name of a directory; `path` is the name's, below the top.
typedef int visit(struct copying *, int from, int to, const char *name, const char *path);

static int for_each_name(struct copying *copying, int from, int to, const char *path, visit *act) {
  int again = open_below(from, ".", O_RDONLY | O_DIRECTORY);
  DIR *names = again < 0 ? NULL : fdopendir(again);
  if (!names) return -1;
  int result = 0;
  for (struct dirent *entry; !result && (errno = 0, entry = readdir(names));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char *below = NULL;
    if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", entry->d_name) < 0) result = -1;
    else result = act(copying, from, to, entry->d_name, below);
    int error = errno;
    free(below);
    errno = error;
  }
  if (!result && errno) result = -1;
  int error = errno;
  closedir(names);
  errno = error;
  return result;
}

static int copy_directory(struct copying *copying, int from, int to, const char *path) {
  return for_each_name(copying, from, to, path, copy_name);
}

static int make_copy(struct copying *copying, int source, int holder) {
  struct stat status;
  if (remove_tree(holder, unfinished) < 0 && errno != ENOENT) return -1;
  if (fstat(source, &status) || mkdirat(holder, unfinished, 0700)) return -1;
  copying->top = open_below(holder, unfinished, O_RDONLY | O_DIRECTORY);
  if (copying->top < 0) return -1;
  int result = copy_directory(copying, source, copying->top, "");
  if (!result) result = copy_attributes(source, copying->top, ".", &status);
  int error = errno;
  close(copying->top);
  while (copying->linked) {
    struct linked *next = copying->linked->next;
    free(copying->linked->path);
    free(copying->linked);
    copying->linked = next;
  }
  if (result) remove_tree(holder, unfinished);
  errno = error;
  return result;
}

// What is there already, made by a container that has the directory, stays.
static int move_name(struct copying *copying, int from, int to, const char *name, const char *path) {
  if (!syscall(SYS_renameat2, from, name, to, name, 1 /* RENAME_NOREPLACE */)) return 0;
  return errno == EEXIST ? 0 : -1;
}

static int move_copy(int holder, int target) {
  struct stat status;
  int from = open_below(holder, whole, O_RDONLY | O_DIRECTORY);
  if (from < 0) return -1;
  int result = fstat(from, &status);
  if (!result) result = for_each_name(NULL, from, target, "", move_name);
  if (!result) result = copy_attributes(from, target, ".", &status);
  int error = errno;
  close(from);
  errno = error;
  return result || remove_tree(holder, whole) < 0 ? -1 : 0;
}

static int is_empty(int directory) {
  DIR *names = fdopendir(open_below(directory, ".", O_RDONLY | O_DIRECTORY));
  if (!names) return -1;
  int found = 0;
  for (struct dirent *entry; !found && (entry = readdir(names));)
    found = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
  closedir(names);
  return !found;
}

static int64_t copy_into(int source, int holder, int target) {
  struct copying copying = {.top = -1};
  if (faccessat(holder, whole, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && move_copy(holder, target)) return -1;
  int empty = is_empty(target);
  if (empty <= 0) return errno = empty ? errno : ENOTEMPTY, -1;
  if (make_copy(&copying, source, holder)) return -1;
  if (renameat(holder, unfinished, holder, whole) || move_copy(holder, target)) return -1;
  return copying.copied;
}

int64_t copy_tree(int source, int holder, const char *name) {
  // Held by this open file, so it goes with it, or with the process.
  if (flock(holder, LOCK_EX)) return -1;
  int target = open_below(holder, name, O_RDONLY | O_DIRECTORY);
  int64_t result = target < 0 ? -1 : copy_into(source, holder, target);
  int error = errno;
  if (target >= 0) close(target);
  flock(holder, LOCK_UN);
  errno = error;
  return result;
}
