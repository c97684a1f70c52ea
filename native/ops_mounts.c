// Ops on mounts and on the root of the mount namespace.

#include "executor.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *or_null(const struct arg *arg) { return arg->length ? arg->text : NULL; }

// Opens a mount target inside a root; with nofollow a symbolic link is refused (ELOOP).
static int open_target(const char *root, const char *path, bool nofollow) {
  int fd = path_open(root, path, O_PATH | (nofollow ? O_NOFOLLOW : 0), 0);
  struct stat status;
  if (fd >= 0 && nofollow && !fstat(fd, &status) && S_ISLNK(status.st_mode)) {
    close(fd);
    errno = ELOOP;
    return -1;
  }
  return fd;
}

// mount source in target type flags data nofollow
static int64_t op_mount(struct executor *executor, const struct arg *args) {
  const char *source = or_null(&args[0]), *root = args[1].text, *target = args[2].text;
  const char *type = or_null(&args[3]), *data = or_null(&args[5]);
  unsigned long flags = (unsigned long)args[4].number;
  bool nofollow = args[6].number;
  if (!*root && !nofollow) return syscall(SYS_mount, source, target, type, flags, data);
  int fd = open_target(root, target, nofollow);
  if (fd < 0) return -1;
  long result = syscall(SYS_mount, source, fd_path(fd).text, type, flags, data);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

// umount2 target flags
static int64_t op_umount2(struct executor *executor, const struct arg *args) {
  return syscall(SYS_umount2, args[0].text, (int)args[1].number);
}

// pivot_root new_root put_old
static int64_t op_pivot_root(struct executor *executor, const struct arg *args) {
  return syscall(SYS_pivot_root, args[0].text, args[1].text);
}

// copy_mount source recursive slot
static int64_t op_copy_mount(struct executor *executor, const struct arg *args) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (args[1].number ? AT_RECURSIVE : 0);
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, args[0].text, flags);
  return tree < 0 ? -1 : slot_put(executor, args[2].number, tree);
}

// attach_mount slot in target
static int64_t op_attach_mount(struct executor *executor, const struct arg *args) {
  int tree = slot_get(executor, args[0].number);
  if (tree < 0) return -1;
  int fd = open_target(args[1].text, args[2].text, false);
  if (fd < 0) return -1;
  long result = syscall(SYS_move_mount, tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

// mount_setattr in path recursive set clear propagation
static int64_t op_mount_setattr(struct executor *executor, const struct arg *args) {
  struct mount_attr attr = {
      .attr_set = (uint64_t)args[3].number,
      .attr_clr = (uint64_t)args[4].number,
      .propagation = (uint64_t)args[5].number,
  };
  unsigned flags = AT_EMPTY_PATH | (args[2].number ? AT_RECURSIVE : 0);
  int fd = path_open(args[0].text, args[1].text, O_PATH, 0);
  if (fd < 0) return -1;
  long result = syscall(SYS_mount_setattr, fd, "", flags, &attr, sizeof attr);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static long attach_shifted(int tree, int userns, const char *target) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr)) return -1;
  return syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

// idmap_mount source target slot: slot holds a user namespace
static int64_t op_idmap_mount(struct executor *executor, const struct arg *args) {
  int userns = slot_get(executor, args[2].number);
  if (userns < 0) return -1;
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, args[0].text, flags);
  if (tree < 0) return -1;
  long result = attach_shifted(tree, userns, args[1].text);
  int error = errno;
  close(tree);
  errno = error;
  return result;
}

const struct op mount_ops[] = {
    {"mount", "ssssisi", op_mount, false},
    {"umount2", "si", op_umount2, false},
    {"pivot_root", "ss", op_pivot_root, false},
    {"mount_setattr", "ssiiii", op_mount_setattr, false},
    {"copy_mount", "sii", op_copy_mount, false},
    {"attach_mount", "iss", op_attach_mount, false},
    {"idmap_mount", "ssi", op_idmap_mount, false},
    {0},
};
