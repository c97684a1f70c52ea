// An end of a stream that the monitor reads or writes without ever waiting for it, and the one place where it waits for
// all of them together.

#ifndef END_H
#define END_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct end {
  int fd;       // -1: there is none (any more)
  bool careful; // could not be made non-blocking: only one small piece after each poll
  short ready;  // what poll(2) said, or what is worth trying
};

#define NO_END ((struct end){.fd = -1})

// An end of our own for a descriptor of a client's, non-blocking where that leaves the client's as it is.
struct end end_open(int fd, int access);
void end_close(struct end *);
// As read(2) and write(2); EAGAIN, and not ready any more, where they would wait.
ssize_t end_read(struct end *, void *, size_t length);
ssize_t end_write(struct end *, const void *, size_t length);

// Has the next wait wait for this end, too; nothing where there is none.
void poll_for(struct end *, short events);
// Waits (-1: for ever), sets what is ready. As poll(2).
int poll_wait(int timeout_ms);

#endif
