// The role attach: hands its own descriptors 0, 1 and 2 to the monitor of a container that runs, tells it of signals and
// of the terminal's size, and ends as the container does (native/monitor_listen.c has the language). It copies nothing
// itself; where it is killed the monitor puts the terminal back, and where the monitor is killed this one does. That the keys
// for it detached it is written, as the letter d, to descriptor 3; so is, as an f and two i32, which output could not be written,
// and the errno.

#include "attachment.h"
#include "roles.h"
#include "unix_socket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NEWS = 3, FAILED = 125, HEADER = 2, REDRAW_MS = 50 };

static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG};

static struct {
  uint8_t wanted;
  uint8_t keys[DETACH_KEYS_MAX];
  size_t key_count;
  bool is_proxy;
} options = {.wanted = WANTS_STDIN | WANTS_STDOUT | WANTS_STDERR, .is_proxy = true};

static bool had_terminal;
static struct termios cooked;

// The numbers of the keys' bytes, with commas between them.
static bool take_keys(const char *text) {
  for (char *end; *text; text = *end ? end + 1 : end) {
    long byte = strtol(text, &end, 10);
    if (end == text || (*end && *end != ',') || byte < 0 || byte > 255) return false;
    if (options.key_count == DETACH_KEYS_MAX) return false;
    options.keys[options.key_count++] = (uint8_t)byte;
  }
  return true;
}

static bool take_option(const char *option) {
  static const char keys[] = "--detach-keys=";
  if (!strcmp(option, "--no-stdin")) options.wanted &= ~WANTS_STDIN;
  else if (!strcmp(option, "--no-stdout")) options.wanted &= ~WANTS_STDOUT;
  else if (!strcmp(option, "--no-stderr")) options.wanted &= ~WANTS_STDERR;
  else if (!strcmp(option, "--tty")) options.wanted |= WANTS_RAW;
  else if (!strcmp(option, "--no-sig-proxy")) options.is_proxy = false;
  else if (!strncmp(option, keys, sizeof keys - 1)) return take_keys(option + sizeof keys - 1);
  else return false;
  return true;
}

static void tell(int socket, uint8_t kind, const void *data, uint8_t length) {
  uint8_t message[HEADER + UINT8_MAX] = {kind, length};
  memcpy(message + HEADER, data, length);
  send(socket, message, (size_t)HEADER + length, MSG_NOSIGNAL);
}

static bool hand_over(int socket) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(CHANNELS * sizeof(int))];
  } control = {0};
  uint8_t text[HEADER + 1 + DETACH_KEYS_MAX] = {'a', (uint8_t)(1 + options.key_count), options.wanted};
  memcpy(text + HEADER + 1, options.keys, options.key_count);
  struct iovec bytes = {.iov_base = text, .iov_len = HEADER + 1 + options.key_count};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(CHANNELS * sizeof(int));
  memcpy(CMSG_DATA(&control.header), (int[]){STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, CHANNELS * sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)bytes.iov_len;
}

static void tell_size(int socket, int more_rows) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) return;
  uint16_t numbers[] = {(uint16_t)(size.ws_row + more_rows), size.ws_col};
  tell(socket, 'r', numbers, sizeof numbers);
}

static int open_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  for (size_t i = 0; options.is_proxy && i < sizeof passed_on / sizeof *passed_on; i++) sigaddset(&set, passed_on[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals(int signals, int socket) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) {
    uint8_t number = (uint8_t)info.ssi_signo;
    if (number != SIGWINCH) tell(socket, 's', &number, 1);
    else if (options.wanted & WANTS_RAW) tell_size(socket, 0);
  }
}

static void restore_terminal(void) {
  if (had_terminal) tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
}

static int end(const uint8_t *message) {
  int32_t status;
  restore_terminal();
  if (message[0] == 'd') return write(NEWS, message, 1) == 1 ? 0 : FAILED; // no status of the container's says this
  if (message[0] == 'f') {
    uint8_t news[1 + 2 * sizeof(int32_t)] = {'f'};
    memcpy(news + 1, message + HEADER, sizeof news - 1);
    return write(NEWS, news, sizeof news) == sizeof news ? 0 : FAILED;
  }
  memcpy(&status, message + HEADER, sizeof status);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// A program draws all anew when its terminal has another size: one row more, until it has had time to see that.
static bool begin_size(int socket) {
  if (!(options.wanted & WANTS_RAW)) return false;
  tell_size(socket, 1);
  return true;
}

// What the monitor says last is what this process ends with.
static int follow(int socket, int signals) {
  uint8_t message[HEADER + UINT8_MAX];
  size_t length = 0;
  bool is_size_due = begin_size(socket);
  for (;;) {
    struct pollfd fds[] = {{.fd = socket, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    int ready = poll(fds, 2, is_size_due ? REDRAW_MS : -1);
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0) tell_size(socket, 0), is_size_due = false;
    if (ready <= 0) continue;
    if (fds[1].revents) take_signals(signals, socket);
    if (!fds[0].revents) continue;
    ssize_t got = recv(socket, message + length, sizeof message - length, 0);
    if (got <= 0) break;
    length += (size_t)got;
    if (length >= HEADER && length >= HEADER + (size_t)message[1]) return end(message);
  }
  restore_terminal();
  fprintf(stderr, "minictr-helper: the monitor of the container was killed\n");
  return FAILED;
}

// Whom nobody waits for does not stay: the input would go to it in place of whoever comes next.
static bool is_waited_for(void) {
  struct pollfd news = {.fd = NEWS};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return poll(&news, 1, 0) == 0; // nobody reads it where that one had ended before
}

int attach_role(char **args) {
  for (char **option = args + 1; *option; option++)
    if (!take_option(*option)) return fprintf(stderr, "minictr-helper: attach: not an option: %s\n", *option), 64;
  if (!is_waited_for()) return FAILED;
  int signals = open_signals(), socket = connect_at(args[0]);
  had_terminal = (options.wanted & WANTS_RAW) && !tcgetattr(STDIN_FILENO, &cooked);
  if (socket < 0 || signals < 0 || !hand_over(socket)) {
    fprintf(stderr, "minictr-helper: cannot attach at %s: %s\n", args[0], strerror(errno));
    return FAILED;
  }
  return follow(socket, signals);
}
