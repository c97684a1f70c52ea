// What was planned before, as a file that Node has left in the container's run directory (src/containers/kept.ts): one request in the
// language of wire.h, whose args are called its parts here. The first two and the last are the same in every kind:
//   unchanged    l  path, stamp (inode:size:mtime in ns), …: made of these files as they were
//   freezer      l  path, word: the file that says whether the container is paused, and the word that it is not
//   events       l  file, size at which it is full, lines for each time that there is something to be told
// The others are in kept_exec.h and kept_stop.h.

#ifndef KEPT_H
#define KEPT_H

#include "wire.h"

enum { UNCHANGED, FREEZER, OWN_PARTS };

struct kept {
  char **words; // behind the container: what is to be executed
  struct bytes file;
  struct request request; // its args are the parts
};

// What of the words after the program's name is known wholly. The defaults are root and run root.
enum kept_kind { KEPT_NOTHING, KEPT_EXEC, KEPT_STOP };
enum kept_kind kept_find(struct kept *, char *const defaults[2], char **words);
void kept_release(struct kept *);

// Whether the file is the one that had this stamp, and has not been written since; the empty stamp is that of no file.
bool has_stamp(const char *path, const char *stamp);
// The same for several: path, stamp, …
bool is_unchanged(char **files);
bool read_file(const char *path, struct bytes *);
// Whether the file holds this text, and at most a line's end behind it.
bool holds(const char *path, const char *text);

// The part that is about events.
char **kept_events(const struct kept *);
// Adds lines to the events, with what is only known now: the command, the id of this exec, a status.
void kept_tell(const struct kept *, const char *lines, const char *id, int status);

// The answers to a request so far.
struct answers {
  uint32_t count;
  int64_t result; // of the one that is asked for
  int error;      // of the last one
};

// Takes the answers of the frame that has arrived; false where it is another one. `at`: of which one the result is kept.
bool take_answers(struct wire *, struct answers *, int64_t at);
bool send_all(struct wire *, const void *bytes, size_t length);

#endif
