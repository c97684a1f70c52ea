// An exec that was planned before, as a file that Node has left in the container's run directory (src/containers/kept-exec.ts).
//
// The file is one request in the language of wire.h, whose args are:
//   unchanged    l  path, stamp (inode:size:mtime in ns), …: made of these files as they were
//   freezer      l  path, word: the file that says whether the container is paused, and the word that it is not
//   directories  l  where a program without a slash is looked for
//   spawning     s  requests for the monitor, up to that which forks init
//   before       s  the ops for init, up to the args of execve,
//   behind       s  and the last of those args, which the command does not change
//   count        i  of these ops
//   forks        i  which of them gives the PID of the program; -1: the last request for the monitor
//   watching     s  the request to watch it, whose last eight bytes are the PID
//   events       l  file, size at which it is full, the lines for the start, the line for the end

#ifndef KEPT_EXEC_H
#define KEPT_EXEC_H

#include "wire.h"

enum kept_part { UNCHANGED, FREEZER, DIRECTORIES, SPAWNING, BEFORE, BEHIND, COUNT, FORKS, WATCHING, EVENTS, KEPT_PARTS };

struct kept_exec {
  char **words; // behind the container: what is to be executed
  struct bytes file;
  struct request request; // its args are the parts
};

// What became of it: nothing, and nobody has noticed; the program has ended, as `status` of waitpid(2) and, where some of its output
// could not be written, `stream` and `error` say; or the monitor has ended before it.
struct kept_end {
  enum { NOT_STARTED, PROGRAM_ENDED, MONITOR_LOST } how;
  int32_t status, stream, error;
};

// What of the words after the program's name is known wholly. The defaults are root and run root.
enum kept_kind { KEPT_NOTHING, KEPT_EXEC, KEPT_STOP };
enum kept_kind kept_find(struct kept_exec *, char *const defaults[2], char **words);
void kept_release(struct kept_exec *);

// The exit status that a shell would see.
int exit_status_of(int status);

// Performs it by the monitor at the other end of these sockets.
struct kept_end kept_perform(const struct kept_exec *, int control, int init);

// The part that is about events, the last one of every kind.
char **kept_events(const struct kept_exec *);
// Adds lines to the events, with what is only known now: the command, the id of this exec, and at the end its status.
void kept_tell(const struct kept_exec *, const char *lines, const char *id, int status);

// Whether the file is the one that had this stamp, and has not been written since; the empty stamp is that of no file.
bool has_stamp(const char *path, const char *stamp);
bool is_unchanged(char **files);
bool read_file(const char *path, struct bytes *);
// Whether the file holds this text, and at most a line's end behind it.
bool holds(const char *path, const char *text);

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
