// Ops that make and remove names in directories. Each takes a root its path is scoped to ("" for none) first.

#include "copy_tree.h"
#include "executor.h"
#include "path.h"
#include "remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

// Where the symbolic link at a path inside a root leads, as a path inside that root; NULL with errno where there is none.
static char *link_target(const char *root, const char *path) {
  struct place place;
  if (place_open(&place, root, path)) return NULL;
  char target[PATH_MAX];
  ssize_t length = readlinkat(place.directory, place.name, target, sizeof target - 1);
  place_close(&place);
  if (length < 0) return NULL;
  target[length] = 0;
  const char *slash = strrchr(path, '/');
  int above = target[0] == '/' || !slash ? 0 : (int)(slash - path + 1);
  char *result = NULL;
  return asprintf(&result, "%.*s%s", above, path, target) < 0 ? NULL : result;
}

enum { LINKS = 40 }; // as many as the kernel follows

static int64_t make_way(const char *root, const char *path, mode_t mode, int links);

// Where a link of a root leads to nothing, the directory it means is made there, as if it were no link.
static int64_t make_linked(const char *root, const char *link, mode_t mode, int links) {
  if (links == LINKS) return errno = ELOOP, -1;
  char *target = *root ? link_target(root, link) : NULL;
  if (!target) return errno = EEXIST, -1;
  int64_t result = make_way(root, target, mode, links + 1);
  free(target);
  return result;
}

// As mkdir -p: what is missing above the last directory gets 0755; a directory that is there already is fine.
static int64_t make_way(const char *root, const char *path, mode_t mode, int links) {
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
    if (result && errno == EEXIST) { // made by another process just now, a link to nothing, or not a directory
      if (is_directory(root, prefix)) result = 0;
      else result = make_linked(root, prefix, last ? mode : 0755, links);
      if (result && errno == EEXIST && !last) errno = ENOTDIR;
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
    if (make_way(root, path, mode, 0) == 0) return 0;
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

static const char REMOVED[] = ".removed-";

// Renames what is at an ordinary path to .removed-NAME beside it. False where it is so named already, or cannot be.
static bool hide(const char *path, char hidden[PATH_MAX]) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  if (!*name || !strncmp(name, REMOVED, sizeof REMOVED - 1)) return false;
  for (unsigned number = 0;; number++) {
    int length = snprintf(hidden, PATH_MAX, "%.*s%s%s", (int)(name - path), path, REMOVED, name);
    if (number && length < PATH_MAX) length += snprintf(hidden + length, (size_t)(PATH_MAX - length), "-%u", number);
    if (length >= PATH_MAX) return false;
    if (!syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, hidden, 1 /* RENAME_NOREPLACE */)) return true;
    if (errno != EEXIST) return false;
  }
}

// remove_tree in path: one that lies in no other root disappears at once, so that nobody meets with half of it
static int64_t op_remove_tree(struct executor *executor, const struct arg *args) {
  char hidden[PATH_MAX];
  struct place place;
  const char *path = !*args[0].text && hide(args[1].text, hidden) ? hidden : args[1].text;
  if (place_open(&place, args[0].text, path)) return -1;
  int64_t removed = remove_tree(place.directory, place.name);
  place_close(&place);
  return removed;
}

// copy_tree in path to: `in` is for the path alone; ENOTEMPTY where `to` has entries
static int64_t op_copy_tree(struct executor *executor, const struct arg *args) {
  const char *to = args[2].text, *slash = strrchr(to, '/');
  if (!slash || slash == to || !slash[1]) return errno = EINVAL, -1;
  char holder_path[PATH_MAX];
  if ((size_t)snprintf(holder_path, sizeof holder_path, "%.*s", (int)(slash - to), to) >= sizeof holder_path)
    return errno = ENAMETOOLONG, -1;
  int holder = open(holder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (holder < 0) return -1;
  int source = path_open(args[0].text, args[1].text, O_RDONLY | O_DIRECTORY, 0);
  int64_t copied = source < 0 ? -1 : copy_tree(source, holder, slash + 1);
  int error = errno;
  if (source >= 0) close(source);
  close(holder);
  errno = error;
  return copied;
}

// rename in path to: both within the root
static int64_t op_rename(struct executor *executor, const struct arg *args) {
  struct place from, to;
  if (place_open(&from, args[0].text, args[1].text)) return -1;
  int result = place_open(&to, args[0].text, args[2].text);
  if (!result) {
    result = renameat(from.directory, from.name, to.directory, to.name);
    place_close(&to);
  }
  place_close(&from);
  return result;
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

static int make_node(const char *root, const char *path, mode_t mode, dev_t device) {
  struct place place;
  if (place_open(&place, root, path)) return -1;
  mode_t before = umask(0);
  int result = mknodat(place.directory, place.name, mode, device);
  umask(before);
  place_close(&place);
  return result;
}

// Whether a path inside a root leads to anything.
static bool leads_somewhere(const char *root, const char *path) {
  int fd = path_open(root, path, O_PATH, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// A file that is to be mounted on, behind a link of a root that leads to nothing: it is made where the link says.
static int make_linked_file(const char *root, const char *link, mode_t mode, int links) {
  if (links == LINKS) return errno = ELOOP, -1;
  char *target = leads_somewhere(root, link) ? NULL : link_target(root, link);
  if (!target) return errno = EEXIST, -1;
  char *slash = strrchr(target, '/');
  int result = 0;
  if (slash && slash != target) {
    *slash = 0;
    result = (int)make_with_parents(root, target, 0755);
    *slash = '/';
  }
  if (!result) result = make_node(root, target, mode, 0);
  if (result && errno == EEXIST) result = make_linked_file(root, target, mode, links + 1);
  free(target);
  return result;
}

// mknod in path mode major minor
static int64_t op_mknod(struct executor *executor, const struct arg *args) {
  const char *root = args[0].text, *path = args[1].text;
  mode_t mode = (mode_t)args[2].number;
  int result = make_node(root, path, mode, makedev((unsigned)args[3].number, (unsigned)args[4].number));
  if (result && errno == EEXIST && *root && S_ISREG(mode)) return make_linked_file(root, path, mode, 0);
  return result;
}

const struct op name_ops[] = {
    {"mkdir", "ssii", op_mkdir, false},
    {"rmdir", "ss", op_rmdir, false},
    {"unlink", "ss", op_unlink, false},
    {"remove_tree", "ss", op_remove_tree, false},
    {"copy_tree", "sss", op_copy_tree, false},
    {"rename", "sss", op_rename, false},
    {"symlink", "sss", op_symlink, false},
    {"link", "sss", op_link, false},
    {"mknod", "ssiii", op_mknod, false},
    {0},
};
