// Ops that open, write and read what is there. Those with a path take the root it is scoped to first.

#include "executor.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <string.h>
#include <unistd.h>

enum { READ_LENGTH_MAX = 1 << 20 };

// Closes the descriptor; errno stays that of the result.
static int64_t closing(int fd, int64_t result) {
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

// All of it, or -1 with errno: a full disk may take a part at first.
static int64_t write_all(int fd, const char *bytes, size_t length) {
  size_t done = 0;
  do {
    ssize_t written = write(fd, bytes + done, length - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    if (written == 0 && length) return errno = EIO, -1;
    done += (size_t)written;
  } while (done < length);
  return (int64_t)length;
}

// Puts the open file without a name at a path where nothing may be yet.
static int give_name(int fd, const char *root, const char *path) {
  struct place place;
  if (place_open(&place, root, path)) return -1;
  int result = linkat(AT_FDCWD, fd_path(fd).text, place.directory, place.name, AT_SYMLINK_FOLLOW);
  place_close(&place);
  return result;
}

// A claim must never be seen without its content, nor stay so where its maker is killed or the disk is full: it gets its
// name last. EOPNOTSUPP where the file system has no files without names.
static int64_t claim(const char *root, const char *path, const struct arg *content, mode_t mode) {
  const char *slash = strrchr(path, '/');
  char parent[PATH_MAX];
  int length = slash > path ? (int)(slash - path) : 1;
  if (snprintf(parent, sizeof parent, "%.*s", length, slash ? path : ".") >= (int)sizeof parent)
    return errno = ENAMETOOLONG, -1;
  int fd = path_open(root, parent, O_TMPFILE | O_WRONLY, mode);
  if (fd < 0) return -1;
  int64_t written = write_all(fd, content->text, content->length);
  return closing(fd, written < 0 || give_name(fd, root, path) ? -1 : written);
}

static int64_t write_at(const char *root, const char *path, uint64_t flags, mode_t mode, const struct arg *content) {
  // O_NONBLOCK: a fifo in the file's place must not keep us waiting for its reader.
  int fd = path_open(root, path, flags | O_WRONLY | O_NONBLOCK | O_NOCTTY, mode);
  if (fd < 0) return -1;
  return closing(fd, write_all(fd, content->text, content->length));
}

// write_file in path content how mode: how is 0 create or truncate, 1 fail where it exists, 2 never create
static int64_t op_write_file(struct executor *executor, const struct arg *args) {
  const char *root = args[0].text, *path = args[1].text;
  int64_t how = args[3].number, result = -1;
  mode_t mode = (mode_t)args[4].number, before = umask(0);
  switch (how) {
  case 0: result = write_at(root, path, O_CREAT | O_TRUNC, mode, &args[2]); break;
  case 1:
    result = claim(root, path, &args[2], mode);
    if (result < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
      result = write_at(root, path, O_CREAT | O_EXCL, mode, &args[2]);
    break;
  case 2: result = write_at(root, path, O_TRUNC, 0, &args[2]); break;
  default: errno = EINVAL;
  }
  umask(before);
  return result;
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
  int fd = open(args[0].text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  return closing(fd, syncfs(fd));
}

// Opens a file for reading; EINVAL where it is a device or the like, which to open alone may do something.
static int open_plain(const char *root, const char *path) {
  struct stat status;
  int place = path_open(root, path, O_PATH, 0);
  if (place < 0) return -1;
  if (fstat(place, &status)) return (int)closing(place, -1);
  errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  if (!S_ISREG(status.st_mode)) return (int)closing(place, -1);
  return (int)closing(place, open(fd_path(place).text, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

// read_file in path: the content of a plain file, of at most READ_LENGTH_MAX bytes
static int64_t op_read_file(struct executor *executor, const struct arg *args) {
  int fd = open_plain(args[0].text, args[1].text);
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

// Whether the file that is open holds exactly this.
static bool holds(int fd, const struct arg *content) {
  char held[4096];
  ssize_t length = pread(fd, held, sizeof held, 0);
  return length >= 0 && (size_t)length == content->length && !memcmp(held, content->text, (size_t)length);
}

static bool is_at(int fd, const struct place *place) {
  struct stat open, named;
  return !fstat(fd, &open) && !fstatat(place->directory, place->name, &named, AT_SYMLINK_NOFOLLOW) &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

// unlink_claim in path content: removes the file only if it holds exactly this, so that nobody gives back what is
// another's; ESTALE where it holds something else. Claims are made exclusively and removed by nothing but this, under a
// lock of the file: what the name stands for cannot become another's claim between the look and the removal.
static int64_t op_unlink_claim(struct executor *executor, const struct arg *args) {
  int fd = path_open(args[0].text, args[1].text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return closing(fd, -1);
  int result = -1;
  if (!flock(fd, LOCK_EX)) {
    errno = ESTALE;
    if (holds(fd, &args[2]) && is_at(fd, &place)) result = unlinkat(place.directory, place.name, 0);
  }
  place_close(&place);
  return closing(fd, result);
}

// access paths: all of them must be there
static int64_t op_access(struct executor *executor, const struct arg *args) {
  for (char **path = args[0].list; *path; path++)
    if (access(*path, F_OK)) return -1;
  return 0;
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

const struct op content_ops[] = {
    {"write_file", "ssbii", op_write_file, false},
    {"open", "ssii", op_open, false},
    {"close", "i", op_close, false},
    {"syncfs", "s", op_syncfs, false},
    {"read_file", "ss", op_read_file, false},
    {"unlink_claim", "sss", op_unlink_claim, false},
    {"access", "l", op_access, false},
    {"readlink", "ss", op_readlink, false},
    {"stat_path", "ss", op_stat_path, false},
    {0},
};
