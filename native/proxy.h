// What the parts of the proxy share: one loop waits for all its sockets, and each socket says what is to be done with it.

#ifndef PROXY_H
#define PROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

// A socket the loop waits for. `ready` is called with what epoll(7) has said of it.
struct watched {
  void (*ready)(struct watched *, uint32_t events);
  int fd;
  uint32_t events; // that are waited for; 0: it is not looked at
};

// A port of the host that is held, and where what comes to it goes.
struct port {
  struct watched watched; // the first member: what the loop knows of it
  int protocol;           // IPPROTO_TCP, IPPROTO_SCTP, IPPROTO_UDP
  union address container;
};

// Room for what is on its way from one socket to another right now.
enum { TRANSFER_MAX = 65536 };
extern uint8_t transfer[TRANSFER_MAX];

extern size_t connections_max; // as many as there are descriptors for
extern size_t connections;     // relayed now

// Waits for these events from now on. False where the kernel has no room for it.
bool watch_for(struct watched *, uint32_t events);
socklen_t length_of(const union address *);

// proxy_stream.c: connections, one socket on either side
void accept_connection(struct watched *port, uint32_t events);
bool open_way(void); // before the first connection. False with errno
void release_ended_connections(void); // after all that has happened at once has been dealt with

// proxy_datagram.c: datagrams, and the answers to them, by who sent the first
void take_datagram(struct watched *port, uint32_t events);
int flows_rest_ms(void); // until a flow may have become old; -1: there are none
void release_old_flows(void);

#endif
