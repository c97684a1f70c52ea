// An exec that was planned before, as a file that Node has left in the container's run directory (src/containers/kept-exec.ts).
//
// The file is one request in the language of wire.h, whose args are:
//   unchanged    l  path, stamp (inode:mtime in ns), …: made of these files as they were
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
  char **command; // what is to be executed
  struct bytes file;
  struct request request; // its args are the parts
};

// What became of it: nothing, and nobody has noticed; the program has ended, as `status` of waitpid(2) and, where some of its output
// could not be written, `stream` and `error` say; or the monitor has ended before it.
struct kept_end {
  enum { NOT_STARTED, PROGRAM_ENDED, MONITOR_LOST } how;
  int32_t status, stream, error;
};

// Whether the words after the program's name are an exec of which all is known. The defaults are root and run root.
bool kept_find(struct kept_exec *, char *const defaults[2], char **words);
void kept_release(struct kept_exec *);

// The exit status that a shell would see.
int exit_status_of(int status);

// Performs it by the monitor at the other end of these sockets.
struct kept_end kept_perform(const struct kept_exec *, int control, int init);

// Adds lines to the events, with what is only known now: the command, the id of this exec, and at the end its status.
void kept_tell(const struct kept_exec *, const char *lines, const char *id, int status);

#endif
