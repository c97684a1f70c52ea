// The stop of a container that was planned when it was started (src/containers/kept-stop.ts). Its own parts:
//   locking      s  a request that takes the container's lock,
//   marking      s  and one that writes down that somebody stops it, and gives the lock back
//   asking       s  one that has its process end, and waits for that: its last op fails with ETIMEDOUT where that takes too long
//   ending       s  one that sees to it that all is over, and takes the lock again
//   record       l  the file in which the monitor writes the status, its stamp before; the file in which the kernel counts what it
//                   has killed for want of memory, and what that says where there is nothing; the journal, and its stamp
//   undoing      s  a request that takes back what the run has made, and others for which nobody need wait
//   events          the lines for the signal, for the end, for the stop

#ifndef KEPT_STOP_H
#define KEPT_STOP_H

#include "kept.h"

enum stop_part { LOCKING = OWN_PARTS, MARKING, ASKING, ENDING, RECORD, UNDOING, STOP_EVENTS };

// What became of it: not all could be done, and Node is to begin from the beginning; or the process does not end, and is to be killed.
enum stop_end { STOP_INCOMPLETE, STOP_TOO_LONG, STOPPED };

// Performs it by the monitor at the other end of this socket.
enum stop_end kept_stop_perform(const struct kept *, int control);

#endif
