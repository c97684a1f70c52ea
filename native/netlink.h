// rtnetlink(7): a message to the kernel's network, put together attribute by attribute, answered by a number.
//
// A message is a header, a fixed structure that depends on its type, and attributes: length, type, value, each aligned
// to four bytes. An attribute's value may be attributes again.

#ifndef NETLINK_H
#define NETLINK_H

#include "wire.h"

#include <linux/rtnetlink.h>

enum { MESSAGE_MAX = 2048 };

struct message {
  union {
    struct nlmsghdr header;
    uint8_t bytes[MESSAGE_MAX];
  };
  bool is_full; // something did not fit
};

// `body` is the fixed structure of the type: struct ifinfomsg, ifaddrmsg, rtmsg.
void message_begin(struct message *, int type, int flags, const void *body, size_t length);
// Adds bytes as they are; further ones begin at the next multiple of four.
void message_put_bytes(struct message *, const void *, size_t length);
void message_put(struct message *, int attribute, const void *value, size_t length);
void message_put_text(struct message *, int attribute, const char *);
void message_put_u32(struct message *, int attribute, uint32_t);
// What is put between them is the attribute's value. Gives what the end is to be called with.
size_t message_open(struct message *, int attribute);
void message_close(struct message *, size_t opened);

// Sends the message and waits until the kernel has done it. 0, or -1 with errno; then `reason` gets the kernel's own words
// for it, where it has some.
int message_send(struct message *, struct bytes *reason);

// The number of the interface of this name; -1 with errno ENODEV where there is none.
int link_index(const char *name);

#endif
