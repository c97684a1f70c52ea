// Ops on addresses and routes, of IPv4 and IPv6 alike (rtnetlink(7), ip-address(8), ip-route(8)).

#include "executor.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

struct address {
  int family;
  size_t length;
  uint8_t bytes[16];
};

// EINVAL where the text is no address.
static int read_address(const char *text, struct address *address) {
  address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
  address->length = address->family == AF_INET6 ? 16 : 4;
  return inet_pton(address->family, text, address->bytes) == 1 ? 0 : (errno = EINVAL, -1);
}

// The address that means everyone on the wire: all bits behind the prefix set. A wire of two has none.
static void put_broadcast(struct message *message, const struct address *address, unsigned prefix_length) {
  uint32_t number;
  if (address->family != AF_INET || prefix_length > 30) return;
  memcpy(&number, address->bytes, sizeof number);
  message_put_u32(message, IFA_BROADCAST, number | htonl(0xffffffffu >> prefix_length));
}

// link address prefix_length
static int begin_address(struct message *message, int type, int flags, const struct arg *args) {
  struct address address;
  unsigned prefix_length = (unsigned)args[2].number;
  int index = link_index(args[0].text);
  if (index < 0 || read_address(args[1].text, &address)) return -1;
  struct ifaddrmsg body = {.ifa_family = (uint8_t)address.family, .ifa_prefixlen = (uint8_t)prefix_length,
                           .ifa_scope = RT_SCOPE_UNIVERSE, .ifa_index = (uint32_t)index};
  message_begin(message, type, flags, &body, sizeof body);
  message_put(message, IFA_LOCAL, address.bytes, address.length);
  message_put(message, IFA_ADDRESS, address.bytes, address.length);
  if (type == RTM_NEWADDR) put_broadcast(message, &address, prefix_length);
  return 0;
}

// add_address link address prefix_length nodad: without asking on the wire first whether somebody has it (IPv6)
static int64_t op_add_address(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_address(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, args)) return -1;
  if (args[3].number) message_put_u32(&message, IFA_FLAGS, IFA_F_NODAD);
  return message_send(&message, &executor->data);
}

// delete_address link address prefix_length
static int64_t op_delete_address(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_address(&message, RTM_DELADDR, 0, args)) return -1;
  return message_send(&message, &executor->data);
}

// The way to a gateway goes on from there; what has none is on the wire itself.
static uint8_t scope_of(int type, bool has_gateway) {
  if (type == RTM_DELROUTE) return RT_SCOPE_NOWHERE; // whichever it has
  return has_gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

// destination prefix_length gateway link: "" for no gateway, or where the gateway tells which link it is
static int begin_route(struct message *message, int type, int flags, const struct arg *args) {
  struct address destination, gateway;
  const char *gateway_text = args[2].text, *link = args[3].text;
  int index = *link ? link_index(link) : 0;
  if (index < 0 || read_address(args[0].text, &destination)) return -1;
  if (*gateway_text && read_address(gateway_text, &gateway)) return -1;
  struct rtmsg body = {.rtm_family = (uint8_t)destination.family, .rtm_dst_len = (uint8_t)args[1].number,
                       .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST,
                       .rtm_scope = scope_of(type, *gateway_text)};
  message_begin(message, type, flags, &body, sizeof body);
  if (body.rtm_dst_len) message_put(message, RTA_DST, destination.bytes, destination.length);
  if (*gateway_text) message_put(message, RTA_GATEWAY, gateway.bytes, gateway.length);
  if (index) message_put_u32(message, RTA_OIF, (uint32_t)index);
  return 0;
}

// add_route destination prefix_length gateway link
static int64_t op_add_route(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_route(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, args)) return -1;
  return message_send(&message, &executor->data);
}

// delete_route destination prefix_length gateway link
static int64_t op_delete_route(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_route(&message, RTM_DELROUTE, 0, args)) return -1;
  return message_send(&message, &executor->data);
}

const struct op address_ops[] = {
    {"add_address", "ssii", op_add_address, false},
    {"delete_address", "ssi", op_delete_address, false},
    {"add_route", "siss", op_add_route, false},
    {"delete_route", "siss", op_delete_route, false},
    {0},
};
