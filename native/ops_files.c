// Ops on files and directories. Each takes a root its path is scoped to ("" for none) as its first arg.

#include "executor.h"
#include "path.h"
#include "remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { READ_LENGTH_MAX = 1 << 20 };

static int64_t closing(int fd, int64_t result) {
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

// Makes one directory with exactly this mode, whatever the umask.
static int make_directory(int directory, const char *name, mode_t mode) {
  mode_t before = umask(0);
  int result = mkdirat(directory, name, mode);
  umask(before);
  return result;
}

static bool is_directory(const char *root, const char *path) {
  int fd = path_open(root, path, O_PATH | O_DIRECTORY, 0);
  if (fd < 0) return false;
  close(fd);
  return true;
}

static int64_t make_one(const char *root, const char *path, mode_t mode) {
  struct place place;
  if (place_open(&place, root, path)) return -1;
  int result = make_directory(place.directory, place.name, mode);
  place_close(&place);
  return result;
}

// As mkdir -p: what is missing above the last directory gets 0755; a directory that is there already is fine.
static int64_t make_with_parents(const char *root, const char *path, mode_t mode) {
  if (is_directory(root, path)) return 0;
  char *prefix = strdup(path);
  if (!prefix) return -1;
  int64_t result = 0;
  for (char *end = prefix; result == 0 && *end;) {
    end += strspn(end, "/");
    end += strcspn(end, "/");
    char cut = *end;
    *end = 0;
    bool last = !end[cut ? 1 + strspn(end + 1, "/") : 0];
    if (*prefix && !is_directory(root, prefix)) result = make_one(root, prefix, last ? mode : 0755);
    if (result && errno == EEXIST) { // made by another process just now, or not a directory
      if (is_directory(root, prefix)) result = 0;
      else errno = last ? EEXIST : ENOTDIR;
    }
    *end = cut;
    if (last) break;
  }
  free(prefix);
  return result;
}

// mkdir in path mode parents
static int64_t op_mkdir(struct executor *executor, const struct arg *args) {
  (void)executor;
  mode_t mode = (mode_t)args[2].number;
  return (args[3].number ? make_with_parents : make_one)(args[0].text, args[1].text, mode);
}

static int64_t unlink_at(const struct arg *args, int flags) {
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int result = unlinkat(place.directory, place.name, flags);
  place_close(&place);
  return result;
}

// rmdir in path
static int64_t op_rmdir(struct executor *executor, const struct arg *args) {
  (void)executor;
  return unlink_at(args, AT_REMOVEDIR);
}

// unlink in path
static int64_t op_unlink(struct executor *executor, const struct arg *args) {
  (void)executor;
  return unlink_at(args, 0);
}

// remove_tree in path
static int64_t op_remove_tree(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int64_t removed = remove_tree(place.directory, place.name);
  place_close(&place);
  return removed;
}

// symlink in path target
static int64_t op_symlink(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int result = symlinkat(args[2].text, place.directory, place.name);
  place_close(&place);
  return result;
}

// link in path target: both within the root; a symbolic link is linked itself
static int64_t op_link(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place from, to;
  if (place_open(&from, args[0].text, args[2].text)) return -1;
  int result = place_open(&to, args[0].text, args[1].text);
  if (!result) {
    result = linkat(from.directory, from.name, to.directory, to.name, 0);
    place_close(&to);
  }
  place_close(&from);
  return result;
}

// mknod in path mode major minor
static int64_t op_mknod(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  dev_t device = makedev((unsigned)args[3].number, (unsigned)args[4].number);
  mode_t before = umask(0);
  int result = mknodat(place.directory, place.name, (mode_t)args[2].number, device);
  umask(before);
  place_close(&place);
  return result;
}

// chmod in path mode: follows links, within the root
static int64_t op_chmod(struct executor *executor, const struct arg *args) {
  (void)executor;
  mode_t mode = (mode_t)args[2].number;
  if (!*args[0].text) return chmod(args[1].text, mode);
  int fd = path_open(args[0].text, args[1].text, O_PATH, 0);
  if (fd < 0) return -1;
  return closing(fd, chmod(fd_path(fd).text, mode));
}

// lchown in path uid gid
static int64_t op_lchown(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  uid_t uid = (uid_t)args[2].number;
  gid_t gid = (gid_t)args[3].number;
  int result = fchownat(place.directory, place.name, uid, gid, AT_SYMLINK_NOFOLLOW);
  place_close(&place);
  return result;
}

// lsetxattr in path name value
static int64_t op_lsetxattr(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  char *path = NULL;
  if (place.directory >= 0 && asprintf(&path, "%s/%s", fd_path(place.directory).text, place.name) < 0) path = NULL;
  int result = lsetxattr(path ? path : args[1].text, args[2].text, args[3].text, args[3].length, 0);
  free(path);
  place_close(&place);
  return result;
}

// utimens in path seconds nanoseconds
static int64_t op_utimens(struct executor *executor, const struct arg *args) {
  (void)executor;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  struct timespec time = {.tv_sec = args[2].number, .tv_nsec = (long)args[3].number};
  int result = utimensat(place.directory, place.name, (struct timespec[]){time, time}, AT_SYMLINK_NOFOLLOW);
  place_close(&place);
  return result;
}

// write_file in path content how mode: how is 0 create or truncate, 1 fail where it exists, 2 never create
static int64_t op_write_file(struct executor *executor, const struct arg *args) {
  (void)executor;
  static const int how_flags[] = {O_CREAT | O_TRUNC, O_CREAT | O_EXCL, O_TRUNC};
  int64_t how = args[3].number;
  if (how < 0 || how > 2) return errno = EINVAL, -1;
  // O_NONBLOCK: a fifo in the file's place must not keep us waiting for its reader.
  uint64_t flags = (uint64_t)how_flags[how] | O_WRONLY | O_NONBLOCK | O_NOCTTY;
  mode_t before = umask(0);
  int fd = path_open(args[0].text, args[1].text, flags, how == 2 ? 0 : (uint64_t)args[4].number);
  umask(before);
  if (fd < 0) return -1;
  ssize_t written = write(fd, args[2].text, args[2].length);
  if (written >= 0 && (size_t)written < args[2].length) {
    written = -1;
    errno = EIO;
  }
  return closing(fd, written);
}

// open in path how slot: how is 0 a mere place (O_PATH), 1 a directory, 2 for reading
static int64_t op_open(struct executor *executor, const struct arg *args) {
  static const int how_flags[] = {O_PATH, O_RDONLY | O_DIRECTORY, O_RDONLY | O_NONBLOCK | O_NOCTTY};
  int64_t how = args[2].number;
  if (how < 0 || how > 2) return errno = EINVAL, -1;
  int fd = path_open(args[0].text, args[1].text, (uint64_t)how_flags[how], 0);
  return fd < 0 ? -1 : slot_put(executor, args[3].number, fd);
}

// close slot
static int64_t op_close(struct executor *executor, const struct arg *args) {
  int fd = slot_get(executor, args[0].number);
  if (fd < 0) return -1;
  executor->slots[args[0].number] = -1;
  return close(fd);
}

// syncfs path
static int64_t op_syncfs(struct executor *executor, const struct arg *args) {
  (void)executor;
  int fd = open(args[0].text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  return closing(fd, syncfs(fd));
}

// read_file in path: the content, of at most READ_LENGTH_MAX bytes
static int64_t op_read_file(struct executor *executor, const struct arg *args) {
  int fd = path_open(args[0].text, args[1].text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return -1;
  char chunk[8192];
  ssize_t got;
  while ((got = read(fd, chunk, sizeof chunk)) > 0) {
    bytes_append(&executor->data, chunk, (size_t)got);
    if (executor->data.length > READ_LENGTH_MAX) {
      errno = EFBIG;
      got = -1;
      break;
    }
  }
  if (got < 0) {
    int error = errno;
    bytes_release(&executor->data);
    errno = error;
  }
  return closing(fd, got < 0 ? -1 : (int64_t)executor->data.length);
}

// readlink in path
static int64_t op_readlink(struct executor *executor, const struct arg *args) {
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  char target[4096];
  ssize_t length = readlinkat(place.directory, place.name, target, sizeof target);
  if (length >= 0) bytes_append(&executor->data, target, (size_t)length);
  place_close(&place);
  return length;
}

static const char *type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return "file";
  case S_IFDIR: return "directory";
  case S_IFLNK: return "symlink";
  case S_IFCHR: return "char";
  case S_IFBLK: return "block";
  case S_IFIFO: return "fifo";
  default: return "socket";
  }
}

// stat_path in path: "type mode uid gid size major:minor" of the thing itself, a link not followed
static int64_t op_stat_path(struct executor *executor, const struct arg *args) {
  int fd = path_open(args[0].text, args[1].text, O_PATH | O_NOFOLLOW, 0);
  if (fd < 0) return -1;
  struct stat status;
  if (fstat(fd, &status)) return closing(fd, -1);
  char text[128];
  int length = snprintf(text, sizeof text, "%s %04o %u %u %lld %u:%u", type_name(status.st_mode),
                        status.st_mode & 07777, status.st_uid, status.st_gid, (long long)status.st_size,
                        major(status.st_rdev), minor(status.st_rdev));
  bytes_append(&executor->data, text, (size_t)length);
  return closing(fd, 0);
}

const struct op file_ops[] = {
    {"mkdir", "ssii", op_mkdir, false},
    {"rmdir", "ss", op_rmdir, false},
    {"unlink", "ss", op_unlink, false},
    {"remove_tree", "ss", op_remove_tree, false},
    {"symlink", "sss", op_symlink, false},
    {"link", "sss", op_link, false},
    {"mknod", "ssiii", op_mknod, false},
    {"chmod", "ssi", op_chmod, false},
    {"lchown", "ssii", op_lchown, false},
    {"lsetxattr", "sssb", op_lsetxattr, false},
    {"utimens", "ssii", op_utimens, false},
    {"write_file", "ssbii", op_write_file, false},
    {"open", "ssii", op_open, false},
    {"close", "i", op_close, false},
    {"syncfs", "s", op_syncfs, false},
    {"read_file", "ss", op_read_file, false},
    {"readlink", "ss", op_readlink, false},
    {"stat_path", "ss", op_stat_path, false},
    {0},
};
