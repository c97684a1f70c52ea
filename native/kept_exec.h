// An exec that was planned before (src/containers/kept-exec.ts). Its own parts:
//   directories  l  where a program without a slash is looked for
//   spawning     s  requests for the monitor, up to that which forks init
//   before       s  the ops for init, up to the args of execve,
//   behind       s  and the last of those args, which the command does not change
//   count        i  of these ops
//   forks        i  which of them gives the PID of the program; -1: the last request for the monitor
//   watching     s  the request to watch it, whose last eight bytes are the PID
//   events          the lines for the start, the line for the end

#ifndef KEPT_EXEC_H
#define KEPT_EXEC_H

#include "kept.h"

enum exec_part { DIRECTORIES = OWN_PARTS, SPAWNING, BEFORE, BEHIND, COUNT, FORKS, WATCHING, EXEC_EVENTS };

// What became of it: nothing, and nobody has noticed; the program has ended, as `status` of waitpid(2) and, where some of its output
// could not be written, `stream` and `error` say; or the monitor has ended before it.
struct exec_end {
  enum { NOT_STARTED, PROGRAM_ENDED, MONITOR_LOST } how;
  int32_t status, stream, error;
};

// Performs it by the monitor at the other end of these sockets.
struct exec_end kept_exec_perform(const struct kept *, int control, int init);

// The exit status that a shell would see.
int exit_status_of(int status);

#endif
