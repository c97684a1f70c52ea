// Ops that open, write and read what is there. Those with a path take the root it is scoped to first.

#include "executor.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

// write_file in path content how mode: how is 0 create or truncate, 1 fail where it exists, 2 never create
static int64_t op_write_file(struct executor *executor, const struct arg *args) {
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

// unlink_claim in path content: removes the file only if it holds exactly this, so that nobody gives back what is
// another's; ESTALE where it holds something else
static int64_t op_unlink_claim(struct executor *executor, const struct arg *args) {
  char held[4096];
  int fd = path_open(args[0].text, args[1].text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (fd < 0) return -1;
  ssize_t length = read(fd, held, sizeof held);
  close(fd);
  if (length < 0) return -1;
  if ((size_t)length != strlen(args[2].text) || memcmp(held, args[2].text, (size_t)length)) return errno = ESTALE, -1;
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int result = unlinkat(place.directory, place.name, 0);
  place_close(&place);
  return result;
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
    {"readlink", "ss", op_readlink, false},
    {"stat_path", "ss", op_stat_path, false},
    {0},
};
