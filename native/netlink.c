// rtnetlink messages. A socket belongs to the network namespace it was made in, so each message takes a new one: the
// namespace may be another one by now.

#include "netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

enum { ANSWER_MAX = 1024 };

void message_put_bytes(struct message *message, const void *from, size_t length) {
  size_t at = message->header.nlmsg_len, end = at + NLMSG_ALIGN(length);
  if (end > MESSAGE_MAX) {
    message->is_full = true;
    return;
  }
  if (length) memcpy(message->bytes + at, from, length);
  message->header.nlmsg_len = (uint32_t)end; // what is between is 0 from the beginning
}

void message_begin(struct message *message, int type, int flags, const void *body, size_t length) {
  memset(message, 0, sizeof *message);
  message->header.nlmsg_len = NLMSG_HDRLEN;
  message->header.nlmsg_type = (uint16_t)type;
  message->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
  message_put_bytes(message, body, length);
}

void message_put(struct message *message, int attribute, const void *value, size_t length) {
  struct rtattr header = {.rta_type = (unsigned short)attribute, .rta_len = (unsigned short)RTA_LENGTH(length)};
  if (length > MESSAGE_MAX) {
    message->is_full = true;
    return;
  }
  message_put_bytes(message, &header, sizeof header);
  message_put_bytes(message, value, length);
}

void message_put_text(struct message *message, int attribute, const char *text) {
  message_put(message, attribute, text, strlen(text) + 1);
}

void message_put_u32(struct message *message, int attribute, uint32_t number) {
  message_put(message, attribute, &number, sizeof number);
}

size_t message_open(struct message *message, int attribute) {
  size_t opened = message->header.nlmsg_len;
  message_put(message, attribute | NLA_F_NESTED, NULL, 0);
  return opened;
}

void message_close(struct message *message, size_t opened) {
  if (message->is_full) return;
  struct rtattr *header = (struct rtattr *)(message->bytes + opened);
  header->rta_len = (unsigned short)(message->header.nlmsg_len - opened);
}

// What the kernel answers: the number of the error, then attributes, one of which may be a text.
struct answer {
  struct nlmsghdr header;
  struct nlmsgerr error;
  uint8_t attributes[ANSWER_MAX];
};

static void take_reason(struct answer *answer, size_t length, struct bytes *reason) {
  if (length < offsetof(struct answer, attributes) || !(answer->header.nlmsg_flags & NLM_F_ACK_TLVS)) return;
  int left = (int)(length - offsetof(struct answer, attributes));
  for (struct rtattr *at = (struct rtattr *)answer->attributes; RTA_OK(at, left); at = RTA_NEXT(at, left))
    if (at->rta_type == NLMSGERR_ATTR_MSG) bytes_append(reason, RTA_DATA(at), strnlen(RTA_DATA(at), RTA_PAYLOAD(at)));
}

// The errno of the answer; 0 where all went well.
static int exchange(int fd, const struct message *message, struct bytes *reason) {
  struct answer answer;
  ssize_t got;
  if (send(fd, message->bytes, message->header.nlmsg_len, 0) < 0) return errno;
  do got = recv(fd, &answer, sizeof answer, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno;
  if ((size_t)got < offsetof(struct answer, attributes) || answer.header.nlmsg_type != NLMSG_ERROR) return EPROTO;
  if (answer.error.error) take_reason(&answer, (size_t)got, reason);
  return -answer.error.error;
}

int message_send(struct message *message, struct bytes *reason) {
  static const int on = 1;
  if (message->is_full) return errno = EMSGSIZE, -1;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on); // the kernel's own words
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on); // and not our message again
  int error = exchange(fd, message, reason);
  close(fd);
  errno = error;
  return error ? -1 : 0;
}

int link_index(const char *name) {
  // The library would cut a name that is too long, and find another interface.
  unsigned index = strlen(name) < IF_NAMESIZE ? if_nametoindex(name) : 0;
  if (!index) errno = ENODEV;
  return index ? (int)index : -1;
}
