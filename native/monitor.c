// The role monitor: the parent that stays. It performs ops in the host's namespaces, forks init, relays the
// container's input and output, takes its exit status, puts the client's terminal back, and has the end cleaned up.
//
// One loop waits for all of it. Nothing in the loop blocks but an op that the client asked for.

#include "monitor.h"
#include "monitor_log.h"
#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PTY_DRAIN_MS = 200, REST_MS = 1000 };

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

static void close_all(int count, int *fds) {
  int error = errno;
  for (int i = 0; i < count; i++)
    if (fds[i] >= 0) close(fds[i]);
  errno = error;
}

// spawn_init stdin terminal: gives its PID. stdin: 0 none, 1 that ends with the first one who gives some, 2 that never ends
static int64_t op_spawn_init(struct executor *executor, const struct arg *args) {
  int stdio[3] = {-1, -1, -1}, handover[2];
  if (monitor.init) return errno = EBUSY, -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, handover)) return -1;
  pid_t pid = open_container_stdio(stdio, args[0].number, args[1].number) ? fork() : -1;
  if (pid == 0) become_init(stdio, handover[1]);
  close_all(3, stdio);
  if (pid > 0) expect_input((enum input)args[0].number);
  if (pid < 0) {
    close_container_stdio();
    close_all(2, handover);
    return -1;
  }
  close(handover[1]);
  close(monitor.init_socket);
  monitor.init_socket = -1;
  monitor.pty.fd = handover[0];
  monitor.init = pid;
  return pid;
}

// The client is gone; the container goes on without it. What it had locked meanwhile is nobody's; of one that is half-made still ours.
static void disconnect_client(void) {
  if (monitor.watched) slots_close(&monitor.executor);
  attachment_release(monitor.client);
  end_close(&monitor.control);
  if (monitor.init_socket >= 0) close(monitor.init_socket);
  monitor.init_socket = -1;
}

static void serve_client(void) {
  enum arrival arrival = wire_receive(&monitor.executor.wire, false);
  if (arrival == ARRIVED) executor_perform(&monitor.executor);
  if (arrival == ENDED) disconnect_client();
}

static void take_signals(void) {
  struct signalfd_siginfo info;
  while (read(monitor.signals.fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;
    // Somebody asks us to end: the container is asked to, and we follow it.
    attachment_restore_terminal(monitor.client);
    if (monitor.watched && !monitor.ended) kill(monitor.watched, (int)info.ssi_signo);
    else if (!monitor.watched && monitor.control.fd >= 0) disconnect_client();
  }
  reap();
}

// Waits for the next thing to happen. False where nothing has.
static bool wait_for_any(void) {
  static bool is_resting;
  poll_for(&monitor.signals, POLLIN);
  poll_for(&monitor.pty, POLLIN);
  poll_for(&monitor.control, POLLIN | (monitor.executor.wire.out.length ? POLLOUT : 0));
  poll_listener();
  poll_attachments();
  if (monitor.watched) {
    poll_outputs();
    poll_input();
  }
  bool is_draining = monitor.ended && !monitor.over;
  int patience = is_draining ? PTY_DRAIN_MS : is_resting ? -1 : REST_MS, timeout = until_retry(until_probe(patience));
  int ready = poll_wait(timeout);
  if (ready == 0 && timeout != patience) return false; // something is due, and this no sign of rest
  if (ready == 0 && is_draining) give_up_outputs(); // somebody else holds the other side of the pty open
  is_resting = ready == 0 && !is_draining;
  if (is_resting) {
    rest_outputs();
    rest_input();
    log_rest();
  }
  return ready > 0;
}

// Deals with all that has happened.
static void turn(void) {
  if (!wait_for_any()) return;
  if (monitor.watched) {
    move_outputs();
    move_input();
  }
  if (monitor.signals.ready) take_signals();
  // Before the client, who may speak of it: it may have come since this socket was looked at, and the client's word with it.
  if (monitor.pty.ready || (monitor.control.ready && monitor.pty.fd >= 0)) take_pty();
  if (monitor.control.ready) serve_client();
  serve_attachments();
  log_flush();
}

void tell_client(char event, const void *data, size_t length) {
  struct wire *wire = &monitor.executor.wire;
  if (monitor.control.fd < 0) return;
  size_t begin = frame_begin(wire, FRAME_EVENT);
  bytes_append(&wire->out, &event, 1);
  bytes_append(&wire->out, data, length);
  frame_end(wire, begin);
}

// The container has ended, and all that it wrote is in the log.
static void finish(void) {
  log_flush();
  end_publishing();
  record_exit();
  stop_listening();
  monitor.over = true;
}

static void tell_client_of_end(void) {
  static bool is_told;
  const struct attachment *client = monitor.client;
  int32_t end[] = {monitor.status, client->unwritten, client->why};
  if (is_told || monitor.control.fd < 0 || !has_all_output(client)) return;
  attachment_restore_terminal(monitor.client); // before the client hears of it: it may write at once
  tell_client('x', end, sizeof end);
  is_told = true;
}

// Nobody is there to clean up after the container. What the client had locked goes first: whoever cleans up takes it.
static void leave_to_orphan_command(void) {
  static bool is_left;
  if (is_left) return;
  is_left = true;
  slots_close(&monitor.executor);
  start_orphan_command();
}

static bool is_needed(void) {
  return monitor.control.fd >= 0 || (monitor.watched && !monitor.over) || has_attachments();
}

static void keep(void) {
  do {
    turn();
    accept_due();
    start_due_probe();
    if (monitor.ended && !monitor.over && outputs_are_taken()) finish();
    if (monitor.over) {
      tell_client_of_end();
      do tell_end();
      while (accept_all());
    }
    if (monitor.control.fd >= 0 && !wire_send(&monitor.executor.wire, false)) disconnect_client();
    if (monitor.over) flush_exit();
    if (monitor.over && monitor.control.fd < 0) leave_to_orphan_command();
    if (!monitor.watched && monitor.control.fd < 0) return;
  } while (is_needed());
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
    monitor_ops, stream_ops, log_ops, listen_ops, publish_ops, exit_ops, probe_ops, COMMON_OPS, NULL,
};

_Noreturn void monitor_role(int control, int init) {
  prctl(PR_SET_NAME, "minictr-monitor");
  prctl(PR_SET_DUMPABLE, 0); // nobody without the right to trace any process looks into what is open here
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  setsid(); // fails where the client made us leader of a session already
  if (chdir("/")) _exit(125); // not to hold the client's directory busy
  executor_begin(&monitor.executor, control, tables, -1);
  monitor.control.fd = control;
  monitor.client = attachment_new(-1);
  monitor.client_streams = WANTS_STDIN | WANTS_STDOUT | WANTS_STDERR;
  monitor.init_socket = init;
  monitor.pty = NO_END;
  monitor.signals = (struct end){.fd = open_signals()};
  keep();
  if (!monitor.watched) kill_half_made();
  leave_to_orphan_command();
  _exit(0);
}
