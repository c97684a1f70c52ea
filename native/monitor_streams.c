// The monitor's streams: pipes or a pty to the container, the client's own descriptors 0, 1 and 2 on the other side.

#include "monitor.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static bool is_raw;
static struct termios cooked; // how the client's terminal was before
static bool pty_takes_input;  // once it is there

void restore_terminal(void) {
  if (is_raw) tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
  is_raw = false;
}

// raw_terminal: until the end, whichever comes first: the container's, the client's, or ours
static int64_t op_raw_terminal(struct executor *executor, const struct arg *args) {
  if (!is_raw && tcgetattr(STDIN_FILENO, &cooked)) return -1;
  struct termios raw = cooked;
  cfmakeraw(&raw);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw)) return -1;
  is_raw = true;
  return 0;
}

// resize: gives the pty the size of the client's terminal
static int64_t op_resize(struct executor *executor, const struct arg *args) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) return -1;
  return ioctl(monitor.channels[STDOUT].from, TIOCSWINSZ, &size);
}

// A pipe for one of the container's descriptors: gives the container's end, keeps ours in *own.
static int open_pipe(bool input, int *own) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return -1;
  *own = ends[input];
  fcntl(*own, F_SETFL, O_NONBLOCK);
  return ends[!input];
}

bool open_container_stdio(int stdio[3], bool input, bool terminal) {
  bool piped_input = input && !terminal;
  stdio[0] = piped_input ? open_pipe(true, &monitor.channels[STDIN].to) : open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = STDOUT; fd <= STDERR; fd++)
    stdio[fd] = terminal ? fcntl(stdio[0], F_DUPFD_CLOEXEC, 3) : open_pipe(false, &monitor.channels[fd].from);
  pty_takes_input = input && terminal;
  return stdio[0] >= 0 && stdio[1] >= 0 && stdio[2] >= 0;
}

void take_pty(void) {
  int pty = receive_descriptor(monitor.pty_socket);
  if (pty < 0 && errno == EAGAIN) return;
  close(monitor.pty_socket);
  monitor.pty_socket = -1;
  if (pty < 0) return; // init became a program without one
  fcntl(pty, F_SETFL, O_RDWR | O_NONBLOCK);
  monitor.channels[STDOUT].from = pty;
  monitor.channels[STDOUT].terminal = true;
  if (pty_takes_input) monitor.channels[STDIN].to = fcntl(pty, F_DUPFD_CLOEXEC, 3);
  if (monitor.watched && monitor.connected) connect_client_streams();
}

void connect_client_streams(void) {
  struct channel *in = &monitor.channels[STDIN];
  if (in->to >= 0) in->from = open_client_end(STDIN_FILENO, O_RDONLY, &in->careful_from);
  if (in->from < 0) channel_close_to(in);
  for (int fd = STDOUT; fd <= STDERR; fd++) {
    struct channel *out = &monitor.channels[fd];
    if (out->from >= 0) out->to = open_client_end(fd, O_WRONLY, &out->careful_to);
  }
}

// A terminal whose output has ended takes no input either: with both ends closed it hangs up.
void hang_up_terminal(void) {
  if (monitor.channels[STDOUT].terminal && monitor.channels[STDOUT].from < 0) {
    channel_close_from(&monitor.channels[STDIN]);
    channel_close_to(&monitor.channels[STDIN]);
  }
}

void disconnect_client_streams(void) {
  restore_terminal();
  channel_close_from(&monitor.channels[STDIN]);
  for (int i = 0; i < CHANNELS; i++) channel_close_to(&monitor.channels[i]);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  close(null);
}

void finish_streams(void) {
  channel_close_from(&monitor.channels[STDIN]);
  channel_close_to(&monitor.channels[STDIN]);
  channel_finish(&monitor.channels[STDOUT]);
  channel_finish(&monitor.channels[STDERR]);
}

bool output_is_done(void) {
  return channel_is_done(&monitor.channels[STDOUT]) && channel_is_done(&monitor.channels[STDERR]);
}

// Somebody else holds the other side of the pty open, and nothing has come for a while.
void give_up_output(void) {
  for (int i = STDOUT; i <= STDERR; i++)
    if (monitor.channels[i].start == monitor.channels[i].end) channel_close_from(&monitor.channels[i]);
}

const struct op stream_ops[] = {
    {"resize", "", op_resize, false},
    {"raw_terminal", "", op_raw_terminal, false},
    {0},
};
