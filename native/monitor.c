// The role monitor: the parent that stays. It performs ops in the host's namespaces, forks init, relays the
// container's input and output, takes its exit status, puts the client's terminal back, and has the end cleaned up.
//
// One loop waits for all of it. Nothing in the loop blocks but an op that the client asked for.

#include "monitor.h"
#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PTY_DRAIN_MS = 200 };

struct monitor monitor;

// The child's side of spawn_init: stdio is the container's, 3 the conversation, 4 the way to the monitor, nothing else.
static _Noreturn void become_init(const int stdio[3], int pty_socket) {
  default_signals();
  for (int fd = 0; fd <= 2; fd++) dup2(stdio[fd], fd);
  dup3(monitor.init_socket, 3, O_CLOEXEC);
  dup3(pty_socket, 4, O_CLOEXEC);
  syscall(SYS_close_range, 5, ~0u, 0);
  init_role(3, 4);
}

// spawn_init stdin terminal: gives its PID
static int64_t op_spawn_init(struct executor *executor, const struct arg *args) {
  int stdio[3], handover[2];
  if (monitor.init) return errno = EBUSY, -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, handover)) return -1;
  if (!open_container_stdio(stdio, args[0].number, args[1].number)) return -1;
  pid_t pid = fork();
  if (pid == 0) become_init(stdio, handover[1]);
  int error = errno;
  for (int fd = 0; fd <= 2; fd++) close(stdio[fd]);
  close(handover[1]);
  close(monitor.init_socket);
  monitor.init_socket = -1;
  monitor.pty_socket = handover[0];
  monitor.init = pid > 0 ? pid : 0;
  errno = error;
  return pid;
}

// Lets go of everything that is the client's; what the container writes is taken and dropped from now on.
static void disconnect_client(void) {
  disconnect_client_streams();
  close(monitor.executor.wire.socket);
  if (monitor.init_socket >= 0) close(monitor.init_socket);
  monitor.connected = false;
}

static void serve_client(void) {
  enum arrival arrival = wire_receive(&monitor.executor.wire, false);
  if (arrival == ARRIVED) executor_perform(&monitor.executor);
  if (arrival == ENDED) disconnect_client();
}

static void take_signals(void) {
  struct signalfd_siginfo info;
  while (read(monitor.signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;
    // Somebody asks us to end: the container is asked to, and we follow it.
    restore_terminal();
    if (monitor.watched && !monitor.ended) kill(monitor.watched, (int)info.ssi_signo);
    else if (!monitor.watched && monitor.connected) disconnect_client();
  }
  reap();
}

// Waits for the next thing to happen, and deals with all that has.
static void turn(void) {
  struct pollfd fds[3 + CHANNELS];
  struct pollfd *signals = &fds[0], *pty = &fds[1], *client = &fds[2], *channels = &fds[3];
  bool draining = monitor.ended && !output_is_done();
  *signals = (struct pollfd){.fd = monitor.signals, .events = POLLIN};
  *pty = (struct pollfd){.fd = monitor.pty_socket, .events = POLLIN};
  *client = (struct pollfd){.fd = monitor.connected ? monitor.executor.wire.socket : -1, .events = POLLIN};
  if (monitor.executor.wire.out.length) client->events |= POLLOUT;
  for (int i = 0; i < CHANNELS; i++) // poll(2) passes over those without a descriptor
    channels[i] = monitor.watched ? channel_poll(&monitor.channels[i]) : (struct pollfd){.fd = -1};
  int ready = poll(fds, 3 + CHANNELS, draining ? PTY_DRAIN_MS : -1);
  if (ready == 0) give_up_output();
  if (ready <= 0) return;
  for (int i = 0; i < CHANNELS; i++)
    if (channels[i].revents) channel_move(&monitor.channels[i]);
  hang_up_terminal();
  if (signals->revents) take_signals();
  if (pty->revents) take_pty(); // before the client, who may speak of it
  if (client->revents && monitor.connected) serve_client();
}

static void tell_end(void) {
  struct wire *wire = &monitor.executor.wire;
  uint8_t event = 'x';
  int32_t status = monitor.status;
  restore_terminal(); // before the client hears of it: it may write at once
  size_t begin = frame_begin(wire, FRAME_EVENT);
  bytes_append(&wire->out, &event, sizeof event);
  bytes_append(&wire->out, &status, sizeof status);
  frame_end(wire, begin);
}

static void keep(void) {
  bool told = false;
  while (monitor.connected || (monitor.watched && !monitor.ended)) {
    turn();
    if (!monitor.connected) continue;
    if (monitor.ended && !told && output_is_done()) {
      tell_end();
      told = true;
    }
    if (!wire_send(&monitor.executor.wire, false)) disconnect_client();
  }
}

static int open_signals(void) {
  static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  sigset_t set;
  sigemptyset(&set);
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&set, numbers[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static const struct op monitor_ops[] = {
    {"spawn_init", "ii", op_spawn_init, false},
    {0},
};

static const struct op *const tables[] = {
    monitor_ops, stream_ops, exit_ops, COMMON_OPS, NULL,
};

_Noreturn void monitor_role(int control, int init) {
  prctl(PR_SET_NAME, "minictr-monitor");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  setsid(); // fails where the client made us leader of a session already
  if (chdir("/")) _exit(125); // not to hold the client's directory busy
  executor_begin(&monitor.executor, control, tables, -1);
  monitor.connected = true;
  monitor.init_socket = init;
  monitor.pty_socket = -1;
  monitor.signals = open_signals();
  for (int i = 0; i < CHANNELS; i++) channel_begin(&monitor.channels[i], i != STDIN);
  keep();
  if (!monitor.watched) kill_half_made();
  start_orphan_command();
  _exit(0);
}
