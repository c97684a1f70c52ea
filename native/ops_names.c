// Ops that make and remove names in directories. Each takes a root its path is scoped to ("" for none) first.

#include "executor.h"
#include "path.h"
#include "remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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
static int64_t make_way(const char *root, const char *path, mode_t mode) {
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

enum { MKDIR_ATTEMPTS = 1000 };

// A parent may be removed just after it was seen or made, by an rmdir(2) that found it empty: the last container takes
// the directory that all of them share. Then all over.
static int64_t make_with_parents(const char *root, const char *path, mode_t mode) {
  for (int attempt = 1;; attempt++) {
    if (make_way(root, path, mode) == 0) return 0;
    if (errno != ENOENT || attempt == MKDIR_ATTEMPTS) return -1;
  }
}

// mkdir in path mode parents
static int64_t op_mkdir(struct executor *executor, const struct arg *args) {
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
  return unlink_at(args, AT_REMOVEDIR);
}

// unlink in path
static int64_t op_unlink(struct executor *executor, const struct arg *args) {
  return unlink_at(args, 0);
}

// remove_tree in path
static int64_t op_remove_tree(struct executor *executor, const struct arg *args) {
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int64_t removed = remove_tree(place.directory, place.name);
  place_close(&place);
  return removed;
}

// symlink in path target
static int64_t op_symlink(struct executor *executor, const struct arg *args) {
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  int result = symlinkat(args[2].text, place.directory, place.name);
  place_close(&place);
  return result;
}

// link in path target: both within the root; a symbolic link is linked itself
static int64_t op_link(struct executor *executor, const struct arg *args) {
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
  struct place place;
  if (place_open(&place, args[0].text, args[1].text)) return -1;
  dev_t device = makedev((unsigned)args[3].number, (unsigned)args[4].number);
  mode_t before = umask(0);
  int result = mknodat(place.directory, place.name, (mode_t)args[2].number, device);
  umask(before);
  place_close(&place);
  return result;
}

const struct op name_ops[] = {
    {"mkdir", "ssii", op_mkdir, false},
    {"rmdir", "ss", op_rmdir, false},
    {"unlink", "ss", op_unlink, false},
    {"remove_tree", "ss", op_remove_tree, false},
    {"symlink", "sss", op_symlink, false},
    {"link", "sss", op_link, false},
    {"mknod", "ssiii", op_mknod, false},
    {0},
};
