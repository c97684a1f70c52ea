// The container's ends of its streams: pipes, or a terminal that init opens; and what the client says of its own.

#include "monitor.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool pty_takes_input; // once it is there

// A pipe for one of the container's descriptors: gives the container's end, keeps ours in *own.
static int open_pipe(bool input, int *own) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return -1;
  *own = ends[input];
  fcntl(*own, F_SETFL, O_NONBLOCK);
  return ends[!input];
}

bool open_container_stdio(int stdio[3], bool input, bool terminal) {
  int own;
  bool piped_input = input && !terminal;
  stdio[0] = piped_input ? open_pipe(true, &own) : open("/dev/null", O_RDWR | O_CLOEXEC);
  if (piped_input && stdio[0] >= 0) set_input(own);
  for (int fd = STDOUT; fd <= STDERR && stdio[fd - 1] >= 0; fd++) {
    stdio[fd] = terminal ? fcntl(stdio[0], F_DUPFD_CLOEXEC, 3) : open_pipe(false, &own);
    if (!terminal && stdio[fd] >= 0) set_output(fd, own, false);
  }
  pty_takes_input = input && terminal;
  return stdio[STDERR] >= 0;
}

void close_container_stdio(void) {
  int error = errno;
  set_input(-1);
  for (int fd = STDOUT; fd <= STDERR; fd++) set_output(fd, -1, false);
  errno = error;
}

void take_pty(void) {
  int pty = receive_descriptor(monitor.pty.fd);
  if (pty < 0 && errno == EAGAIN) return;
  end_close(&monitor.pty);
  if (pty < 0) return; // init became a program without one
  fcntl(pty, F_SETFL, O_RDWR | O_NONBLOCK);
  set_output(STDOUT, pty, true);
  if (pty_takes_input) set_input(fcntl(pty, F_DUPFD_CLOEXEC, 3));
}

// raw_terminal: until the end, whichever comes first: the container's, the client's, or ours
static int64_t op_raw_terminal(struct executor *executor, const struct arg *args) {
  return attachment_make_raw(monitor.client, STDIN_FILENO);
}

// resize: gives the pty the size of the client's terminal
static int64_t op_resize(struct executor *executor, const struct arg *args) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) return -1;
  return ioctl(terminal_fd(), TIOCSWINSZ, &size);
}

// client_streams in out err: which of them the client sees once the container is watched; all, if it says nothing
static int64_t op_client_streams(struct executor *executor, const struct arg *args) {
  monitor.client_streams = (args[0].number ? WANTS_STDIN : 0) | (args[1].number ? WANTS_STDOUT : 0) |
                           (args[2].number ? WANTS_STDERR : 0);
  return 0;
}

// detach_keys bytes: what the client types to leave the container to itself
static int64_t op_detach_keys(struct executor *executor, const struct arg *args) {
  struct detach_keys *keys = &monitor.client->keys;
  if (args[0].length > DETACH_KEYS_MAX) return errno = E2BIG, -1;
  memcpy(keys->keys, args[0].text, args[0].length);
  keys->length = args[0].length;
  return 0;
}

const struct op stream_ops[] = {
    {"resize", "", op_resize, false},
    {"raw_terminal", "", op_raw_terminal, false},
    {"client_streams", "iii", op_client_streams, false},
    {"detach_keys", "b", op_detach_keys, false},
    {0},
};
