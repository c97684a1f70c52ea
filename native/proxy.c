// The role proxy: holds the ports of the host that a container has published, so that nobody else takes them, and relays
// what the kernel's address translation does not carry: what comes to ::1, say, since IPv6 never routes a loopback address.
//
// The arguments are the ports, each "PROTOCOL HOST-ADDRESS PORT CONTAINER-ADDRESS PORT COUNT": so many in a row, on both
// sides. Descriptor 3 is a pipe: an i32 errno goes into it when all ports are held (0), or one cannot be, and which.
//
// The role hold is the same for a container that runs already, whose monitor has begun no proxy: it goes to the background when
// the ports are held, and ends with the container. Two arguments come first: a file for its PID, and the container's PID.

#include "proxy.h"
#include "roles.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BACKLOG = 65535 }; // the kernel takes what net.core.somaxconn allows; SOMAXCONN is what it once was
enum { ANSWER = 3, NOBODY = 65534, EVENTS = 64, DESCRIPTORS_MAX = 1 << 20, DESCRIPTORS_SPARE = 16 };

uint8_t transfer[TRANSFER_MAX];
size_t connections, connections_max;
static int epoll;
static size_t held; // ports

struct range {
  int protocol;
  union address host, container;
  unsigned host_port, container_port, count;
};

socklen_t length_of(const union address *address) {
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

bool watch_for(struct watched *watched, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watched};
  if (events == watched->events) return true;
  // Not waiting for anything is not being there at all: errors and ends would be told all the same, again and again.
  int operation = !events ? EPOLL_CTL_DEL : watched->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll, operation, watched->fd, &event)) return false;
  watched->events = events;
  return true;
}

static bool read_address(const char *text, union address *address) {
  memset(address, 0, sizeof *address);
  address->any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
  if (address->any.sa_family == AF_INET6) return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
  return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1;
}

static int read_protocol(const char *name) {
  if (!strcmp(name, "tcp")) return IPPROTO_TCP;
  if (!strcmp(name, "udp")) return IPPROTO_UDP;
  return !strcmp(name, "sctp") ? IPPROTO_SCTP : -1;
}

static bool read_range(const char *text, struct range *range) {
  char protocol[8], host[48], container[48];
  int fields = sscanf(text, "%7s %47s %u %47s %u %u", protocol, host, &range->host_port, container,
                      &range->container_port, &range->count);
  range->protocol = fields == 6 ? read_protocol(protocol) : -1;
  return range->protocol >= 0 && read_address(host, &range->host) && read_address(container, &range->container) &&
         range->count > 0 && range->host_port + range->count - 1 <= 65535 &&
         range->container_port + range->count - 1 <= 65535;
}

static union address with_port(union address address, unsigned port) {
  // Both kinds have the port in the same place.
  address.v4.sin_port = htons((uint16_t)port);
  return address;
}

// A socket that holds the port; -1 with errno.
static int open_port(int protocol, const union address *address) {
  static const int on = 1;
  bool is_datagram = protocol == IPPROTO_UDP;
  int type = is_datagram ? SOCK_DGRAM : SOCK_STREAM;
  int fd = socket(address->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return -1;
  // Each kind of address has its own entry. Connections of an earlier container that still end keep nobody away.
  if (address->any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (!is_datagram) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // An answer must come from the address that was asked.
  if (is_datagram && address->any.sa_family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (is_datagram && address->any.sa_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (bind(fd, &address->any, length_of(address)) == 0 && (is_datagram || listen(fd, BACKLOG) == 0)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static bool hold(const struct range *range, unsigned offset) {
  union address host = with_port(range->host, range->host_port + offset);
  int fd = open_port(range->protocol, &host);
  // A protocol this kernel does not have: nobody can take the port, and there is nothing to relay.
  if (fd < 0 && errno == EPROTONOSUPPORT && range->protocol == IPPROTO_SCTP) return true;
  struct port *port = fd < 0 ? NULL : calloc(1, sizeof *port);
  if (!port) return false;
  port->watched.fd = fd;
  port->watched.ready = range->protocol == IPPROTO_UDP ? take_datagram : accept_connection;
  port->protocol = range->protocol;
  port->container = with_port(range->container, range->container_port + offset);
  held++;
  return watch_for(&port->watched, EPOLLIN);
}

struct answer {
  int32_t error;
  char port[64];
};

// Says what became of it; the port that cannot be held as it stands in the argument, "tcp 0.0.0.0 8080".
static void tell(int error, const char *range, unsigned port) {
  struct answer answer = {.error = error};
  int protocol_and_address = 0;
  sscanf(range, "%*s %*s%n", &protocol_and_address);
  int length = error ? snprintf(answer.port, sizeof answer.port, "%.*s %u", protocol_and_address, range, port) : 0;
  ssize_t written = write(ANSWER, &answer, sizeof answer.error + (size_t)length);
  close(ANSWER);
  if (error || written < 0) _exit(125);
}

static void hold_all(char **ranges) {
  for (; *ranges; ranges++) {
    struct range range;
    if (!read_range(*ranges, &range)) tell(EINVAL, *ranges, 0);
    for (unsigned offset = 0; offset < range.count; offset++)
      if (!hold(&range, offset)) tell(errno, *ranges, range.host_port + offset);
  }
}

// Each connection takes two descriptors.
static void raise_limit(void) {
  struct rlimit limit = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
  if (setrlimit(RLIMIT_NOFILE, &limit) && !getrlimit(RLIMIT_NOFILE, &limit)) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

static void count_connections(void) {
  struct rlimit limit = {0, 0};
  getrlimit(RLIMIT_NOFILE, &limit);
  size_t taken = held + DESCRIPTORS_SPARE;
  connections_max = limit.rlim_cur > taken ? (limit.rlim_cur - taken) / 2 : 0;
}

// Nothing that comes from outside is dealt with as root. False where that cannot be.
static bool become_nobody(void) {
  if (geteuid() != 0) return true;
  return !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY) &&
         !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static _Noreturn void relay(void) {
  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, flows_rest_ms());
    for (int i = 0; i < count; i++) {
      struct watched *watched = events[i].data.ptr;
      watched->ready(watched, events[i].events);
    }
    release_ended_connections();
    release_old_flows();
  }
}

static void hold_for(char **ranges) {
  prctl(PR_SET_NAME, "minictr-proxy");
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);
  raise_limit();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0 || !open_way()) tell(errno, *ranges, 0);
  hold_all(ranges);
  count_connections();
}

_Noreturn void proxy_role(char **ranges) {
  hold_for(ranges);
  if (!become_nobody()) tell(errno, *ranges, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL); // which a change of the user takes back
  tell(0, "", 0);                   // fails where the parent has ended already
  relay();
}

static void end_with_container(struct watched *container, uint32_t events) { _exit(0); }

static bool write_pid(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool is_written = fd >= 0 && dprintf(fd, "%d\n", getpid()) > 0;
  if (fd >= 0) close(fd);
  return is_written;
}

// The file is there before anything is held: whoever waits may be killed at any moment, and what holds ports is to be found.
static _Noreturn void hold_beside(const char *pid_file, const char *container, char **ranges) {
  static struct watched process = {.ready = end_with_container};
  setsid();
  if (!write_pid(pid_file)) tell(errno, *ranges, 0);
  hold_for(ranges);
  process.fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(container, NULL, 10), 0);
  if (process.fd < 0 || !watch_for(&process, EPOLLIN) || !become_nobody()) tell(errno, *ranges, 0);
  tell(0, "", 0);
  relay();
}

int hold_role(const char *pid_file, const char *container, char **ranges) {
  struct answer answer = {.error = EPIPE};
  int ends[2];
  pid_t pid = pipe2(ends, O_CLOEXEC) ? -1 : fork();
  if (pid == 0) {
    if (dup2(ends[1], ANSWER) >= 0) hold_beside(pid_file, container, ranges);
    _exit(125);
  }
  if (pid > 0) {
    close(ends[1]);
    if (read(ends[0], &answer, sizeof answer) < 0) answer.error = errno;
    if (!answer.error) return 0;
    kill(pid, SIGKILL);
    unlink(pid_file);
  } else {
    answer.error = errno;
  }
  dprintf(STDERR_FILENO, "%s\n%s\n", answer.port, strerror(answer.error));
  return 1;
}
