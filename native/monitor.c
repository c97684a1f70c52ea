// The role monitor: the parent that stays. It performs ops in the host's namespaces, forks init, relays the
// container's input and output, takes its exit status, puts the client's terminal back, and has the end cleaned up.

#include "executor.h"
#include "pty.h"
#include "relay.h"
#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { STDIN, STDOUT, STDERR, CHANNELS };
enum { PTY_DRAIN_MS = 200 };

static struct {
  struct executor executor;
  bool connected;         // the client is there
  int init_socket;        // for init, until it is forked; then -1
  int pty_socket;         // where init hands over a pty; -1 before and after
  int signals;            // signalfd
  pid_t init;             // 0: not forked yet
  pid_t watched;          // 0: none yet
  bool ended;             // the watched process
  bool told;              // the client knows of the end
  int status;             // as of waitpid(2)
  bool raw;               // the client's terminal is in raw mode
  struct termios cooked;  // how it was before
  char *exit_path;        // where the end is recorded, or NULL
  char **orphan_argv, **orphan_env;
  struct channel channels[CHANNELS];
} monitor;

// --- the client's terminal

static void restore_terminal(void) {
  if (monitor.raw) tcsetattr(STDIN_FILENO, TCSANOW, &monitor.cooked);
  monitor.raw = false;
}

// raw_terminal: until the end, whichever comes first: the container's, the client's, or ours
static int64_t op_raw_terminal(struct executor *executor, const struct arg *args) {
  (void)executor, (void)args;
  struct termios raw;
  if (!monitor.raw && tcgetattr(STDIN_FILENO, &monitor.cooked)) return -1;
  raw = monitor.cooked;
  cfmakeraw(&raw);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw)) return -1;
  monitor.raw = true;
  return 0;
}

// resize: gives the pty the size of the client's terminal
static int64_t op_resize(struct executor *executor, const struct arg *args) {
  (void)executor, (void)args;
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) return -1;
  return ioctl(monitor.channels[STDOUT].from, TIOCSWINSZ, &size);
}

// --- the container's input and output

static void connect_client_end(int channel, int fd, int access) {
  struct channel *to = &monitor.channels[channel];
  bool input = channel == STDIN;
  if ((input ? to->to : to->from) < 0) return; // the container has none
  *(input ? &to->from : &to->to) = open_client_end(fd, access, input ? &to->careful_from : &to->careful_to);
  if (input && to->from < 0) channel_close_to(to);
}

static void connect_client(void) {
  connect_client_end(STDIN, STDIN_FILENO, O_RDONLY);
  connect_client_end(STDOUT, STDOUT_FILENO, O_WRONLY);
  connect_client_end(STDERR, STDERR_FILENO, O_WRONLY);
}

// Lets go of everything that is the client's; what the container writes is taken and dropped from now on.
static void disconnect_client(void) {
  restore_terminal();
  channel_close_from(&monitor.channels[STDIN]);
  channel_close_to(&monitor.channels[STDIN]);
  channel_close_to(&monitor.channels[STDOUT]);
  channel_close_to(&monitor.channels[STDERR]);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  close(null);
  close(monitor.executor.wire.socket);
  if (monitor.init_socket >= 0) close(monitor.init_socket);
  monitor.connected = false;
}

static void take_pty(void) {
  int pty = receive_descriptor(monitor.pty_socket);
  if (pty < 0 && errno == EAGAIN) return;
  close(monitor.pty_socket);
  monitor.pty_socket = -1;
  if (pty < 0) return;
  fcntl(pty, F_SETFL, O_RDWR | O_NONBLOCK);
  struct channel *in = &monitor.channels[STDIN], *out = &monitor.channels[STDOUT];
  out->from = pty;
  out->terminal = true;
  if (in->keeps_open) in->to = fcntl(pty, F_DUPFD_CLOEXEC, 3);
  in->keeps_open = false;
  if (monitor.watched && monitor.connected) connect_client();
}

// --- init

static void default_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
}

// The child's side of spawn_init: stdio is the container's, 3 the conversation, 4 the way to the monitor, nothing else.
static _Noreturn void become_init(const int stdio[3], int pty_socket) {
  default_signals();
  for (int fd = 0; fd <= 2; fd++) dup2(stdio[fd], fd);
  dup3(monitor.init_socket, 3, O_CLOEXEC);
  dup3(pty_socket, 4, O_CLOEXEC);
  syscall(SYS_close_range, 5, ~0u, 0);
  init_role(3, 4);
}

// A pipe for one of the container's descriptors: gives the container's end, keeps ours in *own.
static int open_pipe(bool input, int *own) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return -1;
  *own = ends[input];
  fcntl(*own, F_SETFL, O_NONBLOCK);
  return ends[!input];
}

static bool open_stdio(int stdio[3], bool input, bool terminal) {
  stdio[0] = input && !terminal ? open_pipe(true, &monitor.channels[STDIN].to) : open("/dev/null", O_RDWR | O_CLOEXEC);
  stdio[1] = terminal ? fcntl(stdio[0], F_DUPFD_CLOEXEC, 3) : open_pipe(false, &monitor.channels[STDOUT].from);
  stdio[2] = terminal ? fcntl(stdio[0], F_DUPFD_CLOEXEC, 3) : open_pipe(false, &monitor.channels[STDERR].from);
  return stdio[0] >= 0 && stdio[1] >= 0 && stdio[2] >= 0;
}

// spawn_init stdin terminal: gives its PID
static int64_t op_spawn_init(struct executor *executor, const struct arg *args) {
  (void)executor;
  bool input = args[0].number, terminal = args[1].number;
  int stdio[3], handover[2];
  if (monitor.init) return errno = EBUSY, -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, handover)) return -1;
  if (!open_stdio(stdio, input, terminal)) return -1;
  // A terminal's input channel has no end before the pty is here: that it is wanted is noted so.
  monitor.channels[STDIN].keeps_open = terminal && input;
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

// --- the watched process

static int exit_status(void) {
  return WIFEXITED(monitor.status) ? WEXITSTATUS(monitor.status) : 128 + WTERMSIG(monitor.status);
}

static void record_exit(void) {
  char text[128], number[16] = "null", *new_path;
  struct timespec now;
  if (!monitor.exit_path || asprintf(&new_path, "%s.tmp", monitor.exit_path) < 0) return;
  clock_gettime(CLOCK_REALTIME, &now);
  if (WIFSIGNALED(monitor.status)) snprintf(number, sizeof number, "%d", WTERMSIG(monitor.status));
  int length = snprintf(text, sizeof text, "{\"exitStatus\":%d,\"signal\":%s,\"finishedAtMs\":%lld}\n", exit_status(),
                        number, now.tv_sec * 1000LL + now.tv_nsec / 1000000);
  int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0 && write(fd, text, (size_t)length) == length && !fsync(fd)) rename(new_path, monitor.exit_path);
  if (fd >= 0) close(fd);
  free(new_path);
}

// Before something is watched nothing is reaped, so that the PID to be watched cannot be another process's meanwhile.
static void reap(void) {
  int status;
  pid_t pid;
  while (monitor.watched && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != monitor.watched || monitor.ended) continue;
    monitor.ended = true;
    monitor.status = status;
    record_exit();
    channel_close_from(&monitor.channels[STDIN]);
    channel_close_to(&monitor.channels[STDIN]);
    channel_finish(&monitor.channels[STDOUT]);
    channel_finish(&monitor.channels[STDERR]);
  }
}

// watch pid: a child of ours; its end is the container's
static int64_t op_watch(struct executor *executor, const struct arg *args) {
  (void)executor;
  siginfo_t info;
  if (monitor.watched) return errno = EBUSY, -1;
  if (waitid(P_PID, (id_t)args[0].number, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
  monitor.watched = (pid_t)args[0].number;
  connect_client();
  reap(); // it may have ended already
  return 0;
}

// signal number
static int64_t op_signal(struct executor *executor, const struct arg *args) {
  (void)executor;
  if (!monitor.watched || monitor.ended) return errno = ESRCH, -1;
  return kill(monitor.watched, (int)args[0].number);
}

// record_exit path
static int64_t op_record_exit(struct executor *executor, const struct arg *args) {
  (void)executor;
  free(monitor.exit_path);
  monitor.exit_path = *args[0].text ? strdup(args[0].text) : NULL;
  return 0;
}

// --- the end

static char **copy_list(char **list) {
  size_t count = 0;
  while (list[count]) count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) copy[i] = strdup(list[i]);
  return copy;
}

static void release_list(char **list) {
  for (char **text = list; text && *text; text++) free(*text);
  free(list);
}

// on_orphan argv env: what is started where the client is gone at the end; none where argv is empty
static int64_t op_on_orphan(struct executor *executor, const struct arg *args) {
  (void)executor;
  release_list(monitor.orphan_argv);
  release_list(monitor.orphan_env);
  monitor.orphan_argv = copy_list(args[0].list);
  monitor.orphan_env = copy_list(args[1].list);
  return 0;
}

static void start_orphan_command(void) {
  if (!monitor.orphan_argv || !monitor.orphan_argv[0] || fork()) return;
  default_signals(); // stdio is /dev/null since the client went
  syscall(SYS_close_range, 3, ~0u, 0);
  execve(monitor.orphan_argv[0], monitor.orphan_argv, monitor.orphan_env);
  _exit(127);
}

static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *children = fopen(path, "re");
  if (children) {
    for (int pid; fscanf(children, "%d", &pid) == 1;) kill(pid, SIGKILL);
    fclose(children);
  } else if (monitor.init) {
    kill(monitor.init, SIGKILL);
  }
}

// The client went before anything was watched: there is no container, only a half-made one.
static void abandon(void) {
  do kill_children();
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

// --- the loop

static void tell_end(void) {
  uint8_t event = 'x';
  int32_t status = monitor.status;
  restore_terminal(); // before the client hears of it: it may write at once
  size_t begin = frame_begin(&monitor.executor.wire, FRAME_EVENT);
  bytes_append(&monitor.executor.wire.out, &event, sizeof event);
  bytes_append(&monitor.executor.wire.out, &status, sizeof status);
  frame_end(&monitor.executor.wire, begin);
  monitor.told = true;
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

static bool output_is_done(void) {
  return channel_is_done(&monitor.channels[STDOUT]) && channel_is_done(&monitor.channels[STDERR]);
}

// Nothing came for a while although the process has ended: somebody else holds the other side of its pty open.
static void give_up_output(void) {
  for (int i = STDOUT; i <= STDERR; i++)
    if (monitor.channels[i].start == monitor.channels[i].end) channel_close_from(&monitor.channels[i]);
}

// Waits for the next thing to happen, and deals with all that has.
static void turn(void) {
  struct pollfd fds[3 + CHANNELS];
  struct pollfd *pty = &fds[1], *client = &fds[2], *channels = &fds[3];
  bool draining = monitor.ended && !output_is_done();
  bool unsent = monitor.executor.wire.out.length > 0;
  fds[0] = (struct pollfd){.fd = monitor.signals, .events = POLLIN};
  *pty = (struct pollfd){.fd = monitor.pty_socket, .events = POLLIN};
  *client = (struct pollfd){.fd = monitor.connected ? monitor.executor.wire.socket : -1, .events = POLLIN};
  if (unsent) client->events |= POLLOUT;
  for (int i = 0; i < CHANNELS; i++)
    if (!monitor.watched || !channel_poll(&monitor.channels[i], &channels[i])) channels[i].fd = -1, channels[i].events = 0;
  int ready = poll(fds, 3 + CHANNELS, draining ? PTY_DRAIN_MS : -1);
  if (ready == 0 && draining) give_up_output();
  if (ready <= 0) return;
  for (int i = 0; i < CHANNELS; i++)
    if (channels[i].fd >= 0 && channels[i].revents) channel_move(&monitor.channels[i]);
  if (fds[0].revents) take_signals();
  if (pty->fd >= 0 && pty->revents) take_pty(); // before the client, who may speak of it
  if (client->fd >= 0 && client->revents && monitor.connected) serve_client();
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
    {"watch", "i", op_watch, false},
    {"signal", "i", op_signal, false},
    {"resize", "", op_resize, false},
    {"raw_terminal", "", op_raw_terminal, false},
    {"record_exit", "s", op_record_exit, false},
    {"on_orphan", "ll", op_on_orphan, false},
    {0},
};

_Noreturn void monitor_role(int control, int init) {
  static const struct op *tables[8];
  int count = 0;
  tables[count++] = monitor_ops;
  for (const struct op *const *table = common_ops; *table; table++) tables[count++] = *table;
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
  while (monitor.connected || (monitor.watched && !monitor.ended)) {
    turn();
    if (!monitor.connected) continue;
    if (monitor.ended && !monitor.told && output_is_done()) tell_end();
    if (!wire_send(&monitor.executor.wire, false)) disconnect_client();
  }
  if (!monitor.watched) abandon();
  start_orphan_command();
  _exit(0);
}
