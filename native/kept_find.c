// Finding what is kept of a command: by the words of the command line, in the run directory of the container that they name. Only the
// plainest of command lines is understood; whatever else it may be, Node will know.

#include "json_text.h"
#include "kept_exec.h"
#include "kept_stop.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_LENGTH = 64, NAME_LENGTH_MAX = 255, FILE_LENGTH_MAX = 1 << 20 };

static bool is_hexadecimal(const char *text) { return text[strspn(text, "0123456789abcdef")] == 0; }

// The value of an option that is written `--name value` or `--name=value`; the words go on behind it.
static const char *take_option(char ***words, const char *name) {
  size_t length = strlen(name);
  char **at = *words;
  if (strncmp(*at, name, length)) return NULL;
  const char *value = at[0][length] == '=' ? at[0] + length + 1 : at[0][length] ? NULL : *++at;
  if (!value || *value != '/') return NULL;
  *words = at + 1;
  return value;
}

struct places {
  const char *root, *run_root;
};

// Reads the words before the command's own name: only those that name other places.
static char **take_places(char **words, struct places *places) {
  for (const char *value; *words && **words == '-';) {
    if ((value = take_option(&words, "--root"))) places->root = value;
    else if ((value = take_option(&words, "--run-root"))) places->run_root = value;
    else return NULL;
  }
  return *words ? words : NULL;
}

bool read_file(const char *path, struct bytes *bytes) {
  char chunk[4096];
  ssize_t got;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  while ((got = read(fd, chunk, sizeof chunk)) > 0 && bytes->length < FILE_LENGTH_MAX) bytes_append(bytes, chunk, (size_t)got);
  close(fd);
  return got == 0;
}

bool holds(const char *path, const char *word) {
  struct bytes text = {0};
  size_t length = strlen(word);
  bool same = read_file(path, &text) && text.length >= length && !memcmp(text.at, word, length) &&
              (text.length == length || (text.length == length + 1 && text.at[length] == '\n'));
  bytes_release(&text);
  return same;
}

static bool is_container(const char *root, const char *id) {
  char path[4096];
  return snprintf(path, sizeof path, "%s/containers/%s", root, id) < (int)sizeof path && !access(path, F_OK);
}

// The id that a name or a whole id means; a beginning of an id is left to Node.
static bool find_id(const char *root, const char *name, char id[ID_LENGTH + 1]) {
  char path[4096];
  struct bytes text = {0};
  size_t length = strlen(name);
  if (length == ID_LENGTH && is_hexadecimal(name) && is_container(root, name)) return strcpy(id, name);
  if (!isalnum((unsigned char)*name) || length > NAME_LENGTH_MAX || strchr(name, '/')) return false;
  if (snprintf(path, sizeof path, "%s/names/%s", root, name) >= (int)sizeof path) return false;
  bool found = read_file(path, &text) && text.length >= ID_LENGTH;
  if (found) snprintf(id, ID_LENGTH + 1, "%.*s", ID_LENGTH, (const char *)text.at);
  bytes_release(&text);
  return found && is_hexadecimal(id);
}

bool has_stamp(const char *path, const char *stamp) {
  char own[96] = "";
  struct stat status;
  if (!stat(path, &status)) {
    long long ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    snprintf(own, sizeof own, "%llu:%lld:%lld", (unsigned long long)status.st_ino, (long long)status.st_size, ns);
  }
  return !strcmp(own, stamp);
}

bool is_unchanged(char **files) {
  for (; files[0] && files[1]; files += 2)
    if (!*files[1] || !has_stamp(files[0], files[1])) return false;
  return true;
}

// Full, it is Node's to begin another.
static bool is_full(char **events) {
  struct stat status;
  return !stat(events[0], &status) && status.st_size >= strtoll(events[1], NULL, 10);
}

// What a file of this kind holds: the name of its one request, the types of its parts, how many texts there are at least in those that
// are lists.
struct form {
  const char *name, *tags;
  int least[ARGS_MAX];
};

static const struct form forms[] = {
    [KEPT_EXEC] = {"kept_exec", "lllsssiisl", {[FREEZER] = 2, [EXEC_EVENTS] = 4}},
    [KEPT_STOP] = {"kept_stop", "llsssslsl", {[FREEZER] = 2, [RECORD] = 6, [STOP_EVENTS] = 5}},
};

static bool is_whole(struct kept *kept, const struct form *form) {
  struct cursor cursor = {kept->file.at, kept->file.at + kept->file.length};
  struct request *request = &kept->request;
  uint32_t length, count;
  if (!take_u32(&cursor, &length) || !take_u32(&cursor, &count) || count != 1 || !take_request(&cursor, request)) return false;
  if (strcmp(request->name, form->name) || strcmp(request->tags, form->tags)) return false;
  for (int part = 0; form->tags[part]; part++) {
    if (form->tags[part] == 's' && request->args[part].length < 2 * sizeof(uint64_t)) return false;
    for (int i = 0; i < form->least[part]; i++)
      if (!request->args[part].list[i]) return false;
  }
  return true;
}

static bool is_known(struct kept *kept, enum kept_kind kind) {
  struct arg *parts = kept->request.args;
  if (!is_whole(kept, &forms[kind])) return false;
  char **freezer = parts[FREEZER].list;
  return is_unchanged(parts[UNCHANGED].list) && holds(freezer[0], freezer[1]) && !is_full(kept_events(kept));
}

// What is not text Node does not hand on as it is, and neither does Docker.
static bool are_text(char **words) {
  for (; *words; words++)
    if (!is_utf8(*words, strlen(*words))) return false;
  return true;
}

// Which file it would be, and which words name the container and follow it.
static enum kept_kind kind_of(char ***words, const char **file) {
  char **at = *words;
  const char *command = *at++;
  bool interactive = *at && (!strcmp(*at, "-i") || !strcmp(*at, "--interactive"));
  if (!strcmp(command, "stop")) {
    *file = "stop.kept";
    *words = at;
    return at[0] && !at[1] ? KEPT_STOP : KEPT_NOTHING;
  }
  if (strcmp(command, "exec")) return KEPT_NOTHING;
  *file = interactive ? "exec-interactive.kept" : "exec.kept";
  *words = at + interactive;
  return (*words)[0] && (*words)[1] && are_text(*words) ? KEPT_EXEC : KEPT_NOTHING;
}

enum kept_kind kept_find(struct kept *kept, char *const defaults[2], char **words) {
  char path[4096], id[ID_LENGTH + 1];
  const char *file;
  struct places places = {defaults[0], defaults[1]};
  *kept = (struct kept){0};
  words = take_places(words, &places);
  enum kept_kind kind = words ? kind_of(&words, &file) : KEPT_NOTHING;
  if (kind == KEPT_NOTHING || !find_id(places.root, words[0], id)) return KEPT_NOTHING;
  kept->words = words + 1;
  if (snprintf(path, sizeof path, "%s/%s/%s", places.run_root, id, file) >= (int)sizeof path) return KEPT_NOTHING;
  if (read_file(path, &kept->file) && is_known(kept, kind)) return kind;
  kept_release(kept);
  return KEPT_NOTHING;
}

void kept_release(struct kept *kept) {
  release_request(&kept->request);
  bytes_release(&kept->file);
  *kept = (struct kept){0};
}
