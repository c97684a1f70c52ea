// Attaching. A message is its kind, the length of what follows (both one byte), and that:
//
//   'a' flags keys    attach; the descriptors 0, 1 and 2 come with it. flags: WANTS_…; keys: those that detach
//   'w'               wait for the end only
//   'r' u16 u16       the terminal has so many rows and columns
//   's' number        a signal for the container
//   'd'               detach
//
// Told are 'd', detached, 'f' with the i32 channel and errno, when output could not be written to it, and 'x' with the i32 wait status, when the container has ended and all output has been given.
//
// Descriptors may run out (RLIMIT_NOFILE). Whoever comes then waits in the listener's queue until there are some; of many who
// have come at once those who attach last are told EMFILE.

#include "monitor.h"
#include "unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  HEADER = 2,
  STREAMS_ROOM = CHANNELS + 1, // descriptors that an attachment opens: the raw terminal has one more
  OWN_ROOM = 8,                // that are left to the monitor: it still opens the log, and the record of the end
  RETRY_MS = 1000,
};

static struct end listener = NO_END;
static char *path;
static bool is_full; // whoever comes waits

union descriptors {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(CHANNELS * sizeof(int))];
};

// Reads what has come, and the descriptors with it (-1 each where there are none).
static ssize_t receive(struct attachment *from, int stdio[CHANNELS]) {
  union descriptors control;
  struct iovec into = {.iov_base = from->message + from->message_length,
                       .iov_len = MESSAGE_LENGTH - from->message_length};
  struct msghdr message = {
      .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(from->socket.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  memset(stdio, -1, CHANNELS * sizeof *stdio);
  struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS) memcpy(stdio, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  return got;
}

static void resize_terminal(const uint8_t *data) {
  uint16_t rows, columns;
  memcpy(&rows, data, sizeof rows);
  memcpy(&columns, data + sizeof rows, sizeof columns);
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  ioctl(terminal_fd(), TIOCSWINSZ, &size);
}

// Whether so many more descriptors could be opened.
static bool has_room(int count) {
  int held[CHANNELS + STREAMS_ROOM + OWN_ROOM + 1], got = 0;
  while (got < count && (held[got] = fcntl(listener.fd, F_DUPFD_CLOEXEC, 0)) >= 0) got++;
  for (int i = 0; i < got; i++) close(held[i]);
  return got == count;
}

static void attach(struct attachment *from, const uint8_t *data, size_t length, const int stdio[CHANNELS]) {
  from->keys.length = length - 1 < DETACH_KEYS_MAX ? length - 1 : DETACH_KEYS_MAX;
  memcpy(from->keys.keys, data + 1, from->keys.length);
  if (has_room(STREAMS_ROOM + OWN_ROOM)) {
    attachment_connect(from, stdio, data[0]);
  } else {
    from->unwritten = STDOUT;
    from->why = EMFILE;
    attachment_fail(from);
  }
}

static void obey(struct attachment *from, const uint8_t *message, size_t length, const int stdio[CHANNELS]) {
  const uint8_t *data = message + HEADER;
  if (message[0] == 'a' && length >= 1) attach(from, data, length, stdio);
  else if (message[0] == 'r' && length == 4) resize_terminal(data);
  else if (message[0] == 's' && length == 1 && monitor.watched && !monitor.ended) kill(monitor.watched, data[0]);
  else if (message[0] == 'd') attachment_detach(from);
}

static void serve(struct attachment *from) {
  int stdio[CHANNELS];
  ssize_t got = receive(from, stdio);
  if (got > 0) from->message_length += (size_t)got;
  while (from->message_length >= HEADER && from->message_length >= HEADER + (size_t)from->message[1]) {
    size_t length = from->message[1], all = HEADER + length;
    obey(from, from->message, length, stdio);
    memmove(from->message, from->message + all, from->message_length - all);
    from->message_length -= all;
  }
  for (int stream = 0; stream < CHANNELS; stream++)
    if (stdio[stream] >= 0) close(stdio[stream]);
  bool is_gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  if (is_gone || from->message_length == MESSAGE_LENGTH) attachment_release(from);
}

void poll_listener(void) {
  listener.ready = 0;
  if (!is_full) poll_for(&listener, POLLIN);
}

int until_retry(int timeout_ms) {
  return is_full && (timeout_ms < 0 || timeout_ms > RETRY_MS) ? RETRY_MS : timeout_ms;
}

// Those who come when all is over only hear of the end.
static int accept_one(void) {
  if (!monitor.over && !has_room(1 + CHANNELS + STREAMS_ROOM + OWN_ROOM)) return errno = EMFILE, -1;
  return accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

bool accept_all(void) {
  bool has_come = false;
  if (listener.fd < 0) return false;
  for (int socket; (socket = accept_one()) >= 0; has_come = true)
    if (!attachment_new(socket)) close(socket);
  is_full = errno != EAGAIN;
  return has_come;
}

void accept_due(void) {
  if (listener.ready || is_full) accept_all();
}

void serve_attachments(void) {
  for (struct attachment *one = attachments; one; one = one->next)
    if (one->socket.fd >= 0 && one->socket.ready) serve(one);
}

void stop_listening(void) {
  if (path) unlink(path);
}

// listen path: a socket there, in place of one that nobody listens to any more
static int64_t op_listen(struct executor *executor, const struct arg *args) {
  if (listener.fd >= 0) return errno = EBUSY, -1;
  if (unlink(args[0].text) && errno != ENOENT) return -1;
  int fd = listen_at(args[0].text);
  if (fd < 0) return -1;
  listener.fd = fd;
  path = strdup(args[0].text);
  return 0;
}

const struct op listen_ops[] = {
    {"listen", "s", op_listen, false},
    {0},
};
