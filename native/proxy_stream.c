// Connections: each has two sides, and what one side sends goes to the other, until both have ended.

#include "proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct side {
  struct watched watched; // the first member: what the loop knows of it
  struct connection *connection;
  struct side *other;
  bool has_ended;   // it sends no more
  uint8_t *waiting; // what it could not take yet; then nothing more is read from the other
  size_t waiting_at, waiting_end;
};

struct connection {
  struct side client, container;
  bool is_open; // towards the container
  bool is_over;
  struct connection *next_over;
};

static struct connection *over;

// The pipe by which bytes go from one socket to another, empty whenever a connection has had its turn.
static struct {
  int in, out;
  int length;
} way;

bool open_way(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return false;
  way.out = ends[0];
  way.in = ends[1];
  // The more goes at once the better; a kernel that does not allow it has its usual length.
  fcntl(way.in, F_SETPIPE_SZ, 1 << 20);
  way.length = fcntl(way.in, F_GETPIPE_SZ);
  return true;
}

// What could not be handed on is nobody else's.
static void empty_way(void) {
  while (read(way.out, transfer, sizeof transfer) > 0) continue;
}

// Both sides are closed at once. Those of a connection that was cut, by resetting them: their ends hear that not all came.
static void end(struct connection *connection, bool is_cut) {
  static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  if (connection->is_over) return;
  struct side *sides[] = {&connection->client, &connection->container};
  for (int i = 0; i < 2; i++) {
    if (is_cut) setsockopt(sides[i]->watched.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(sides[i]->watched.fd); // and the loop waits for it no more
    free(sides[i]->waiting);
  }
  connection->is_over = true;
  connection->next_over = over; // the loop may have something to tell of it still
  over = connection;
  connections--;
}

void release_ended_connections(void) {
  while (over) {
    struct connection *next = over->next_over;
    free(over);
    over = next;
  }
}

// The errno that waits at a socket.
static int error_of(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) ? errno : error;
}

// False where the connection is cut.
static bool send_waiting(struct side *to) {
  size_t left = to->waiting_end - to->waiting_at;
  ssize_t sent = send(to->watched.fd, to->waiting + to->waiting_at, left, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  to->waiting_at += (size_t)sent;
  if (to->waiting_at == to->waiting_end) {
    free(to->waiting);
    to->waiting = NULL;
  }
  return true;
}

// This side did not take what is in the pipe. Out of it that goes: the pipe is everybody's.
static bool keep_waiting(struct side *to, size_t length) {
  to->waiting = malloc(length);
  if (!to->waiting) return false;
  to->waiting_at = 0;
  to->waiting_end = 0;
  while (to->waiting_end < length) {
    ssize_t got = read(way.out, to->waiting + to->waiting_end, length - to->waiting_end);
    if (got <= 0) return false;
    to->waiting_end += (size_t)got;
  }
  return true;
}

// Once for each time the loop comes by, so that nobody keeps the others waiting. By way of a pipe: the kernel hands on the
// pages that hold the bytes, which are never copied here. False where the connection is cut.
static bool move(struct side *from) {
  struct side *to = from->other;
  ssize_t got = splice(from->watched.fd, NULL, way.in, NULL, (size_t)way.length, SPLICE_F_NONBLOCK);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    from->has_ended = true;
    return true;
  }
  while (got > 0) {
    ssize_t sent = splice(way.out, NULL, to->watched.fd, NULL, (size_t)got, SPLICE_F_NONBLOCK);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent <= 0) return keep_waiting(to, (size_t)got);
    got -= sent;
  }
  return true;
}

// Waits for what the side can do next.
static bool watch(struct side *side) {
  bool can_move = side->connection->is_open && !side->has_ended && !side->other->waiting;
  return watch_for(&side->watched, (can_move ? EPOLLIN : 0) | (side->waiting ? EPOLLOUT : 0));
}

static void go_on(struct connection *connection) {
  struct side *client = &connection->client, *container = &connection->container;
  if (client->has_ended && container->has_ended && !client->waiting && !container->waiting) end(connection, false);
  else if (!watch(client) || !watch(container)) end(connection, true);
}

static void side_ready(struct watched *watched, uint32_t events) {
  struct side *side = (struct side *)watched;
  struct connection *connection = side->connection;
  if (connection->is_over) return;
  bool is_whole = !(events & EPOLLERR) || !error_of(watched->fd);
  if (is_whole && side->waiting && (events & EPOLLOUT)) is_whole = send_waiting(side);
  if (is_whole && !side->has_ended && !side->other->waiting && (events & (EPOLLIN | EPOLLHUP))) {
    is_whole = move(side);
    // All that it sent has been given on: its end as well. The other direction goes on.
    if (is_whole && side->has_ended) shutdown(side->other->watched.fd, SHUT_WR);
    if (!is_whole) empty_way();
  }
  if (is_whole) go_on(connection);
  else end(connection, true);
}

static void connected(struct watched *watched, uint32_t events) {
  struct side *container = (struct side *)watched;
  struct connection *connection = container->connection;
  if (connection->is_over) return;
  if (error_of(watched->fd)) {
    end(connection, true);
    return;
  }
  connection->is_open = true;
  watched->ready = side_ready;
  go_on(connection);
}

static void set_side(struct side *side, struct side *other, struct connection *connection, int fd) {
  static const int on = 1;
  side->watched = (struct watched){.fd = fd, .ready = side_ready};
  side->connection = connection;
  side->other = other;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // whoever sends has waited as long as it wanted to
}

static void open_connection(int client, int container, const struct port *port) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection) {
    close(client);
    close(container);
    return;
  }
  set_side(&connection->client, &connection->container, connection, client);
  set_side(&connection->container, &connection->client, connection, container);
  connection->container.watched.ready = connected;
  connections++;
  int result = connect(container, &port->container.any, length_of(&port->container));
  if ((result && errno != EINPROGRESS) || !watch_for(&connection->container.watched, EPOLLOUT)) end(connection, true);
}

void accept_connection(struct watched *watched, uint32_t events) {
  struct port *port = (struct port *)watched;
  int client = accept4(watched->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  int container = -1;
  if (client >= 0 && connections < connections_max)
    container = socket(port->container.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, port->protocol);
  if (container >= 0) open_connection(client, container, port);
  else if (client >= 0) close(client);
  // What cannot be accepted is told again at once: the kernel is out of memory, and gets a moment.
  else if (errno != EAGAIN && errno != ECONNABORTED) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}
