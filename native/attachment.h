// Whoever sees a container's output and types its input: the client that started it, and those that come by the socket.

#ifndef ATTACHMENT_H
#define ATTACHMENT_H

#include "detach_keys.h"
#include "end.h"

#include <stdint.h>
#include <termios.h>

enum { STDIN, STDOUT, STDERR, CHANNELS };
enum { MESSAGE_LENGTH = 64 };
enum { WANTS_STDIN = 1, WANTS_STDOUT = 2, WANTS_STDERR = 4, WANTS_RAW = 8 };

struct attachment {
  struct attachment *next;
  struct end socket;         // none: the first client, who is told over its conversation
  bool is_first;
  struct end streams[CHANNELS];
  size_t taken[CHANNELS];    // how much of an output's buffer it has
  int unwritten, why;        // the first output that could not be written to its end, and the errno; 0: none
  struct detach_keys keys;
  int terminal;              // the one that is raw, or -1
  struct termios cooked;     // how it was before
  struct termios raw;        // how it is meanwhile
  uint8_t message[MESSAGE_LENGTH]; // what has come of one
  size_t message_length;
};

extern struct attachment *attachments; // all of them

struct attachment *attachment_new(int socket);
// Gives it the streams that it wants, of these descriptors.
void attachment_connect(struct attachment *, const int stdio[CHANNELS], int wanted);
// Makes a terminal raw until the streams are let go. -1 with errno.
int attachment_make_raw(struct attachment *, int terminal);
void attachment_restore_terminal(struct attachment *);
// Lets go of the streams: the container goes on without them.
void attachment_let_go(struct attachment *);
// It is gone, or all has been said to it: its input ends.
void attachment_release(struct attachment *);
// Tells it that it is detached, and lets go.
void attachment_detach(struct attachment *);
// Tells it which output could not be written and why, and lets go.
void attachment_fail(struct attachment *);
// Tells those that have all output how the container ended.
void tell_end(void);
bool has_attachments(void); // besides the first client
void poll_attachments(void);

#endif
