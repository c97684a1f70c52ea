// Passing bytes on between the container's pipes or pty and the descriptors of whoever started it, without waiting.

#ifndef RELAY_H
#define RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum { CHANNEL_CAPACITY = 64 << 10 };

// One direction. Both ends are the channel's own; -1 where an end is not there (any more).
struct channel {
  int from, to;
  bool terminal;    // `from` is the controlling end of a pty
  bool keeps_open;  // goes on taking bytes where `to` is not there: the container must not be held up
  bool careful_from, careful_to; // could not be made non-blocking: at most one small piece after each poll
  size_t start, end;
  size_t budget;    // how many bytes may still be taken
  char buffer[CHANNEL_CAPACITY];
};

void channel_begin(struct channel *, bool keeps_open);
// Gives a descriptor of our own for one of the client's, non-blocking where that leaves the client's as it is.
// -1: there is none. *careful: it may block.
int open_client_end(int fd, int access, bool *careful);
// What the channel waits for; descriptor -1 where that is nothing.
struct pollfd channel_poll(const struct channel *);
// Takes and gives as much as is possible at once.
void channel_move(struct channel *);
// The writer has ended: only what it has written so far is still passed on.
void channel_finish(struct channel *);
bool channel_is_done(const struct channel *);
// Closes an end; what was on its way to a closed end is dropped.
void channel_close_from(struct channel *);
void channel_close_to(struct channel *);

#endif
