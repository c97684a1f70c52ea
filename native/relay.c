// Relaying. The client's descriptors are shared with its shell and other programs, so O_NONBLOCK is never set on them:
// a pipe or terminal is opened anew through /proc/self/fd, sockets take MSG_DONTWAIT, files never block. What is left is
// only touched right after poll(2) said that it would not block, and in small pieces.

#include "relay.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  MOVES_AT_ONCE = 16,    // then the others get their turn
  CAREFUL_LENGTH = 1024, // a pipe that is ready takes this much (PIPE_BUF)
};

void channel_begin(struct channel *channel, bool keeps_open) {
  channel->from = channel->to = -1;
  channel->terminal = channel->careful_from = channel->careful_to = false;
  channel->keeps_open = keeps_open;
  channel->start = channel->end = 0;
  channel->budget = SIZE_MAX;
}

int open_client_end(int fd, int access, bool *careful) {
  struct stat status;
  *careful = false;
  if (fstat(fd, &status)) return -1;
  if (!S_ISREG(status.st_mode) && !S_ISSOCK(status.st_mode)) {
    bool own_possible = S_ISFIFO(status.st_mode) || isatty(fd);
    int own = own_possible ? open(fd_path(fd).text, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    if (own >= 0) return own;
    *careful = true;
  }
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void channel_close_from(struct channel *channel) {
  if (channel->from >= 0) close(channel->from);
  channel->from = -1;
}

void channel_close_to(struct channel *channel) {
  if (channel->to >= 0) close(channel->to);
  channel->to = -1;
  channel->start = channel->end = 0;
  if (!channel->keeps_open) channel_close_from(channel);
}

struct pollfd channel_poll(const struct channel *channel) {
  // One end at a time: the other one's hang-up would wake us again and again with nothing to be done.
  if (channel->start < channel->end) return (struct pollfd){.fd = channel->to, .events = POLLOUT};
  return (struct pollfd){.fd = channel->from, .events = POLLIN};
}

static ssize_t read_some(int fd, void *to, size_t length) {
  ssize_t got = recv(fd, to, length, MSG_DONTWAIT);
  return got < 0 && errno == ENOTSOCK ? read(fd, to, length) : got;
}

static ssize_t write_some(int fd, const void *from, size_t length) {
  ssize_t sent = send(fd, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 && errno == ENOTSOCK ? write(fd, from, length) : sent;
}

static bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

static bool take(struct channel *channel) {
  if (channel->from < 0) return false;
  size_t length = channel->budget < CHANNEL_CAPACITY ? channel->budget : CHANNEL_CAPACITY;
  ssize_t got = length ? read_some(channel->from, channel->buffer, length) : 0;
  if (got < 0 && is_temporary(errno)) return false;
  if (got <= 0) { // the end; EIO is how a pty says that nobody holds its other side
    channel_close_from(channel);
    return false;
  }
  channel->start = 0;
  channel->end = (size_t)got;
  if (channel->budget != SIZE_MAX) channel->budget -= (size_t)got;
  return true;
}

static bool give(struct channel *channel) {
  if (channel->to < 0) {
    channel->start = channel->end = 0;
    return true;
  }
  size_t length = channel->end - channel->start;
  if (channel->careful_to && length > CAREFUL_LENGTH) length = CAREFUL_LENGTH;
  ssize_t sent = write_some(channel->to, channel->buffer + channel->start, length);
  if (sent < 0 && is_temporary(errno)) return false;
  if (sent < 0) { // the reader is gone: the writer is to learn of it as if nobody stood between them
    channel_close_to(channel);
    channel_close_from(channel);
  } else {
    channel->start += (size_t)sent;
  }
  return !channel->careful_to;
}

void channel_move(struct channel *channel) {
  bool taken = false;
  for (int moves = 0; moves < MOVES_AT_ONCE; moves++) {
    if (channel->start < channel->end) {
      if (!give(channel)) break;
    } else {
      if (taken && channel->careful_from) break;
      if (!take(channel)) break;
      taken = true;
      if (channel->careful_to && channel->to >= 0) break;
    }
  }
  if (channel_is_done(channel)) channel_close_to(channel);
}

void channel_finish(struct channel *channel) {
  int unread = 0;
  // A pty tells of its end by itself, and what it still holds cannot be counted.
  if (channel->from < 0 || channel->terminal || ioctl(channel->from, FIONREAD, &unread)) return;
  channel->budget = (size_t)unread;
  if (!unread) channel_close_from(channel);
}

bool channel_is_done(const struct channel *channel) { return channel->from < 0 && channel->start == channel->end; }
