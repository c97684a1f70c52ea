// A lock between processes that the kernel releases when its holder dies, however it dies (flock(2)).

#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 3 };

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Whoever removes a lock's file holds it: one that is no longer there is nobody's lock.
static bool is_at(int fd, const char *path) {
  struct stat held, there;
  return !fstat(fd, &held) && !stat(path, &there) && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

// A file that is there can be locked on a file system that takes no writes as well.
static int open_lock(const char *path) {
  const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int fd = open(path, O_CREAT | O_RDWR | flags, 0600);
  return fd < 0 && errno == EROFS ? open(path, O_RDONLY | flags) : fd;
}

// One attempt: the locked descriptor, or -1 with errno; EWOULDBLOCK where another holds it.
static int try_lock(const char *path) {
  for (;;) {
    int fd = open_lock(path);
    if (fd < 0) return -1;
    int result = flock(fd, LOCK_EX | LOCK_NB), error = errno;
    if (!result && is_at(fd, path)) return fd;
    close(fd);
    if (result) return errno = error, -1;
  }
}

// The same for a lock on a directory that others may share.
static int try_share(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || !flock(fd, LOCK_SH | LOCK_NB)) return fd;
  int error = errno;
  close(fd);
  return errno = error, -1;
}

static int64_t wait_for(int attempt(const char *), struct executor *executor, const struct arg *args) {
  int64_t until_ms = now_ms() + args[1].number;
  for (;;) {
    int fd = attempt(args[0].text);
    if (fd >= 0) return slot_put(executor, args[2].number, fd);
    if (errno != EWOULDBLOCK && errno != EINTR) return -1;
    if (now_ms() >= until_ms) return errno = EWOULDBLOCK, -1;
    nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000}, NULL);
  }
}

// lock path wait_ms slot: held while the slot is; the file is made where it is not there
static int64_t op_lock(struct executor *executor, const struct arg *args) {
  return wait_for(try_lock, executor, args);
}

// lock_shared path wait_ms slot: a directory, with others who share it
static int64_t op_lock_shared(struct executor *executor, const struct arg *args) {
  return wait_for(try_share, executor, args);
}

const struct op lock_ops[] = {
    {"lock", "sii", op_lock, false},
    {"lock_shared", "sii", op_lock_shared, false},
    {0},
};
