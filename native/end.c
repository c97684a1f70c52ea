// Ends. A client's descriptors are shared with its shell and other programs, so O_NONBLOCK is never set on them: a pipe
// or terminal is opened anew through /proc/self/fd, sockets take MSG_DONTWAIT, files never block. What is left (/dev/tty, say,
// is another terminal or none in our session) is only touched right after poll(2) said that it would not block, and in small
// pieces. That is no promise: a terminal is ready that has room for less than the piece, and others may write to it as well.
// So a signal soon interrupts read(2) or write(2).

#include "end.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

enum {
  CAREFUL_LENGTH = 1024, // a pipe that is ready takes this much (PIPE_BUF)
  CAREFUL_US = 10000,
};

static void interrupt(int signal) {}

// Again and again, as the first signal may come before the call that it is to interrupt. 0: no more.
static void interrupt_every(int microseconds) {
  struct timeval interval = {.tv_usec = microseconds};
  struct itimerval timer = {.it_interval = interval, .it_value = interval};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static bool never_blocks(const struct stat *status) {
  bool is_null = S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3); // /dev/null
  return S_ISREG(status->st_mode) || is_null;
}

struct end end_open(int fd, int access) {
  struct stat status;
  struct end end = NO_END;
  if (fstat(fd, &status)) return end;
  if (!never_blocks(&status) && !S_ISSOCK(status.st_mode)) {
    bool own_possible = S_ISFIFO(status.st_mode) || isatty(fd);
    if (own_possible) end.fd = open(fd_path(fd).text, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (end.fd >= 0) return end;
    end.careful = true;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = interrupt}, NULL);
  }
  end.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return end;
}

void end_close(struct end *end) {
  if (end->fd >= 0) close(end->fd);
  *end = NO_END;
}

static void begin(const struct end *end) {
  if (end->careful) interrupt_every(CAREFUL_US);
}

// What is careful is asked again, and so is what would have waited.
static ssize_t done(struct end *end, ssize_t result) {
  if (end->careful) interrupt_every(0);
  if (result < 0 && errno == EINTR) errno = EAGAIN;
  if (end->careful || (result < 0 && errno == EAGAIN)) end->ready = 0;
  return result;
}

ssize_t end_read(struct end *end, void *to, size_t length) {
  begin(end);
  ssize_t got = recv(end->fd, to, length, MSG_DONTWAIT);
  return done(end, got < 0 && errno == ENOTSOCK ? read(end->fd, to, length) : got);
}

ssize_t end_write(struct end *end, const void *from, size_t length) {
  if (end->careful && length > CAREFUL_LENGTH) length = CAREFUL_LENGTH;
  begin(end);
  ssize_t sent = send(end->fd, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  return done(end, sent < 0 && errno == ENOTSOCK ? write(end->fd, from, length) : sent);
}

static struct pollfd *polled;
static struct end **ends; // of each
static nfds_t count, capacity;

void poll_for(struct end *end, short events) {
  end->ready = 0;
  if (end->fd < 0) return;
  if (count == capacity) {
    capacity += 16;
    polled = realloc(polled, capacity * sizeof *polled);
    ends = realloc(ends, capacity * sizeof *ends);
    if (!polled || !ends) _exit(125);
  }
  polled[count] = (struct pollfd){.fd = end->fd, .events = events};
  ends[count++] = end;
}

int poll_wait(int timeout_ms) {
  int ready = poll(polled, count, timeout_ms);
  for (nfds_t i = 0; i < count; i++)
    if (ready > 0) ends[i]->ready = polled[i].revents;
  count = 0;
  return ready;
}
