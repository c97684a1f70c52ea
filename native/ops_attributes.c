// Ops on what an inode says of itself: mode, owner, times, extended attributes. A root for the path comes first.

#include "executor.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

// chmod in path mode: follows links, within the root
static int64_t op_chmod(struct executor *executor, const struct arg *args) {
  mode_t mode = (mode_t)args[2].number;
  if (!*args[0].text) return chmod(args[1].text, mode);
  int fd = path_open(args[0].text, args[1].text, O_PATH, 0);
  if (fd < 0) return -1;
  int result = chmod(fd_path(fd).text, mode);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

// lchown in path uid gid
static int64_t op_lchown(struct executor *executor, const struct arg *args) {
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
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  struct timespec time = {.tv_sec = args[2].number, .tv_nsec = (long)args[3].number};
  int result = utimensat(place.directory, place.name, (struct timespec[]){time, time}, AT_SYMLINK_NOFOLLOW);
  place_close(&place);
  return result;
}

static void append_counted(struct bytes *data, const char *text, size_t length) {
  uint32_t count = (uint32_t)length;
  bytes_append(data, &count, sizeof count);
  bytes_append(data, text, length);
}

enum { XATTR_BYTES = 65536 }; // the kernel's limits: XATTR_LIST_MAX, XATTR_SIZE_MAX

// read_xattrs path: name and value of each, a length in four bytes before both; of a symbolic link its own
static int64_t op_read_xattrs(struct executor *executor, const struct arg *args) {
  static char names[XATTR_BYTES], value[XATTR_BYTES];
  ssize_t length = llistxattr(args[0].text, names, sizeof names);
  if (length < 0) return -1;
  for (const char *name = names; name < names + length; name += strlen(name) + 1) {
    ssize_t size = lgetxattr(args[0].text, name, value, sizeof value);
    if (size < 0) continue; // gone meanwhile, or not for this user
    append_counted(&executor->data, name, strlen(name));
    append_counted(&executor->data, value, (size_t)size);
  }
  return 0;
}

const struct op attribute_ops[] = {
    {"chmod", "ssi", op_chmod, false},
    {"lchown", "ssii", op_lchown, false},
    {"lsetxattr", "sssb", op_lsetxattr, false},
    {"utimens", "ssii", op_utimens, false},
    {"read_xattrs", "s", op_read_xattrs, false},
    {0},
};
