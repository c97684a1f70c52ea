// The stop of a container that was planned when it was started, as a file that Node has left in its run directory
// (src/containers/kept-stop.ts). The parts of its one request (kept_exec.h):
//   unchanged    l  path, stamp, …: made of these files as they were
//   freezer      l  path, word: the file that says whether the container is paused, and the word that it is not
//   locking      s  a request that takes the container's lock,
//   marking      s  and one that writes down that somebody stops it, and gives the lock back
//   asking       s  one that has its process end, and waits for that: its last op fails with ETIMEDOUT where that takes too long
//   ending       s  one that sees to it that all is over, and takes the lock again
//   record       l  the file in which the monitor writes the status, its stamp before; the file in which the kernel counts what it
//                   has killed for want of memory, and what that says where there is nothing; the journal, and its stamp
//   undoing      s  a request that takes back what the run has made, and others for which nobody need wait
//   events       l  file, size at which it is full, the lines for the signal, for the end, for the stop

#ifndef KEPT_STOP_H
#define KEPT_STOP_H

#include "kept_exec.h"

enum stop_part { LOCKING = FREEZER + 1, MARKING, ASKING, ENDING, RECORD, UNDOING, STOP_EVENTS, STOP_PARTS };

// What became of it: not all could be done, and Node is to begin from the beginning; or the process does not end, and is to be killed.
enum stop_end { STOP_INCOMPLETE, STOP_TOO_LONG, STOPPED };

// Performs it by the monitor at the other end of this socket.
enum stop_end kept_stop_perform(const struct kept_exec *, int control);

#endif
