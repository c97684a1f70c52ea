// Datagrams: what one sender sends to one address of the host is a flow. It has a socket of its own towards the container,
// so that the answers that come back there are known to be for that sender.

#include "proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 256, OLD_SECONDS = 90, LOOK_SECONDS = 10 };

// The address of the host that was asked, as the kernel tells it and takes it again.
union asked {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct flow {
  struct watched watched; // the first member; the socket towards the container
  struct port *port;
  union address client;
  union asked asked;
  size_t asked_length;
  time_t used_at;
  struct flow *next;
};

static struct flow *buckets[BUCKETS];
static size_t flows;
static time_t looked_at;

static time_t now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

static struct flow **bucket_of(const union address *client) {
  const uint8_t *bytes = (const uint8_t *)client;
  unsigned sum = 0;
  for (size_t i = 0; i < length_of(client); i++) sum = sum * 31 + bytes[i];
  return &buckets[sum % BUCKETS];
}

static struct flow *find_flow(const struct port *port, const union address *client, const struct msghdr *message) {
  for (struct flow *flow = *bucket_of(client); flow; flow = flow->next)
    if (flow->port == port && !memcmp(&flow->client, client, length_of(client)) &&
        flow->asked_length == message->msg_controllen &&
        !memcmp(&flow->asked, message->msg_control, flow->asked_length))
      return flow;
  return NULL;
}

// An answer of the container's goes to the sender, from the address that was asked.
static void take_answer(struct watched *watched, uint32_t events) {
  struct flow *flow = (struct flow *)watched;
  ssize_t length = recv(watched->fd, transfer, sizeof transfer, 0);
  if (length < 0) return; // also that nobody listens there yet
  struct iovec from = {.iov_base = transfer, .iov_len = (size_t)length};
  struct msghdr message = {.msg_name = &flow->client, .msg_namelen = length_of(&flow->client), .msg_iov = &from,
                           .msg_iovlen = 1, .msg_control = &flow->asked, .msg_controllen = flow->asked_length};
  sendmsg(flow->port->watched.fd, &message, 0);
  flow->used_at = now_seconds();
}

static struct flow *open_flow(struct port *port, const union address *client, const struct msghdr *message) {
  const union address *container = &port->container;
  if (connections + flows >= connections_max) return NULL;
  int fd = socket(container->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct flow *flow = fd < 0 ? NULL : calloc(1, sizeof *flow);
  if (flow) flow->watched = (struct watched){.fd = fd, .ready = take_answer};
  if (!flow || connect(fd, &container->any, length_of(container)) || !watch_for(&flow->watched, EPOLLIN)) {
    if (fd >= 0) close(fd);
    free(flow);
    return NULL;
  }
  flow->port = port;
  flow->client = *client;
  flow->asked_length = message->msg_controllen;
  memcpy(&flow->asked, message->msg_control, flow->asked_length);
  struct flow **bucket = bucket_of(client);
  flow->next = *bucket;
  *bucket = flow;
  flows++;
  return flow;
}

// Only the address goes back, not by which interface it came: the way to the sender may be another one.
static void forget_interface(struct msghdr *message) {
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  if (!header) return;
  if (header->cmsg_level == IPPROTO_IP) ((struct in_pktinfo *)CMSG_DATA(header))->ipi_ifindex = 0;
  struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(header);
  if (header->cmsg_level == IPPROTO_IPV6 && !IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) info->ipi6_ifindex = 0;
}

void take_datagram(struct watched *watched, uint32_t events) {
  struct port *port = (struct port *)watched;
  union address client = {0};
  union asked asked = {0};
  struct iovec into = {.iov_base = transfer, .iov_len = sizeof transfer};
  struct msghdr message = {.msg_name = &client, .msg_namelen = sizeof client, .msg_iov = &into, .msg_iovlen = 1,
                           .msg_control = &asked, .msg_controllen = sizeof asked};
  ssize_t length = recvmsg(watched->fd, &message, 0);
  if (length < 0) return;
  forget_interface(&message);
  struct flow *flow = find_flow(port, &client, &message);
  if (!flow) flow = open_flow(port, &client, &message);
  if (!flow) return; // lost, as datagrams may be
  flow->used_at = now_seconds();
  send(flow->watched.fd, transfer, (size_t)length, 0);
}

int flows_rest_ms(void) { return flows ? LOOK_SECONDS * 1000 : -1; }

void release_old_flows(void) {
  time_t now = flows ? now_seconds() : looked_at;
  if (now - looked_at < LOOK_SECONDS) return;
  looked_at = now;
  for (int i = 0; i < BUCKETS; i++)
    for (struct flow **at = &buckets[i]; *at;) {
      struct flow *flow = *at;
      if (now - flow->used_at < OLD_SECONDS) {
        at = &flow->next;
        continue;
      }
      *at = flow->next;
      close(flow->watched.fd);
      free(flow);
      flows--;
    }
}
