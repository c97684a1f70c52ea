// Ops on links: the network interfaces of a namespace, made, changed and removed (rtnetlink(7), ip-link(8)).

#include "executor.h"
#include "netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

// What every op that makes or changes a link begins with, and where its own arguments begin: "" for a text, 0 for an MTU
// and -1 for all others stand for what is not said.
enum { NAME, MAC, MTU, MASTER, ALIAS, UP, HAIRPIN, NETNS, OWN };
#define SETTINGS "sbissiii"

static struct ifinfomsg link_of(int index, int64_t up) {
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
  if (up >= 0) link.ifi_change = IFF_UP;
  if (up > 0) link.ifi_flags = IFF_UP;
  return link;
}

// What can be said of a link in the message that makes it.
static int put_settings(struct executor *executor, struct message *message, const struct arg *args) {
  if (args[MAC].length) message_put(message, IFLA_ADDRESS, args[MAC].text, args[MAC].length);
  if (args[MTU].number) message_put_u32(message, IFLA_MTU, (uint32_t)args[MTU].number);
  if (*args[MASTER].text) {
    int master = link_index(args[MASTER].text);
    if (master < 0) return -1;
    message_put_u32(message, IFLA_MASTER, (uint32_t)master);
  }
  if (args[NETNS].number >= 0) {
    int netns = slot_get(executor, args[NETNS].number);
    if (netns < 0) return -1;
    message_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns);
  }
  return 0;
}

static int begin_new_link(struct executor *executor, struct message *message, const struct arg *args) {
  struct ifinfomsg link = link_of(0, args[UP].number);
  message_begin(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  message_put_text(message, IFLA_IFNAME, args[NAME].text);
  return put_settings(executor, message, args);
}

// How a port of a bridge behaves is data of the bridge's, not of the link's own kind.
static void put_hairpin(struct message *message, uint8_t hairpin) {
  size_t info = message_open(message, IFLA_LINKINFO);
  message_put_text(message, IFLA_INFO_SLAVE_KIND, "bridge");
  size_t data = message_open(message, IFLA_INFO_SLAVE_DATA);
  message_put(message, IFLA_BRPORT_MODE, &hairpin, sizeof hairpin);
  message_close(message, data);
  message_close(message, info);
}

// What the kernel takes only of a link that is there: the alias, and of a port that is in its bridge, the hairpin mode.
static int64_t change_link(struct executor *executor, int index, const char *alias, int64_t hairpin) {
  struct message message;
  struct ifinfomsg link = link_of(index, -1);
  message_begin(&message, RTM_NEWLINK, 0, &link, sizeof link);
  if (*alias) message_put(&message, IFLA_IFALIAS, alias, strlen(alias));
  if (hairpin >= 0) put_hairpin(&message, (uint8_t)hairpin);
  return message_send(&message, &executor->data);
}

static int64_t send_new_link(struct executor *executor, struct message *message, const struct arg *args) {
  const char *alias = args[ALIAS].text;
  int64_t hairpin = args[HAIRPIN].number;
  if (message_send(message, &executor->data)) return -1;
  int index = *alias || hairpin >= 0 ? link_index(args[NAME].text) : 0; // else it may be in another namespace
  return index <= 0 ? index : change_link(executor, index, alias, hairpin);
}

// create_bridge SETTINGS
static int64_t op_create_bridge(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_new_link(executor, &message, args)) return -1;
  size_t info = message_open(&message, IFLA_LINKINFO);
  message_put_text(&message, IFLA_INFO_KIND, "bridge");
  message_close(&message, info);
  return send_new_link(executor, &message, args);
}

// create_veth SETTINGS peer_name peer_mac peer_mtu peer_netns: both ends at once, the peer where it belongs
static int64_t op_create_veth(struct executor *executor, const struct arg *args) {
  struct message message;
  const struct arg *name = &args[OWN], *mac = &args[OWN + 1], *mtu = &args[OWN + 2], *netns = &args[OWN + 3];
  int peer_netns = netns->number < 0 ? 0 : slot_get(executor, netns->number);
  if (peer_netns < 0 || begin_new_link(executor, &message, args)) return -1;
  size_t info = message_open(&message, IFLA_LINKINFO);
  message_put_text(&message, IFLA_INFO_KIND, "veth");
  size_t data = message_open(&message, IFLA_INFO_DATA);
  size_t peer = message_open(&message, VETH_INFO_PEER);
  struct ifinfomsg link = link_of(0, -1);
  message_put_bytes(&message, &link, sizeof link);
  message_put_text(&message, IFLA_IFNAME, name->text);
  if (mac->length) message_put(&message, IFLA_ADDRESS, mac->text, mac->length);
  if (mtu->number) message_put_u32(&message, IFLA_MTU, (uint32_t)mtu->number);
  if (netns->number >= 0) message_put_u32(&message, IFLA_NET_NS_FD, (uint32_t)peer_netns);
  message_close(&message, peer);
  message_close(&message, data);
  message_close(&message, info);
  return send_new_link(executor, &message, args);
}

// A link that shares its parent's wire.
static int begin_child_link(struct executor *executor, struct message *message, const struct arg *args) {
  int parent = link_index(args[OWN].text);
  if (parent < 0 || begin_new_link(executor, message, args)) return -1;
  message_put_u32(message, IFLA_LINK, (uint32_t)parent);
  return 0;
}

// create_macvlan SETTINGS parent mode: mode as of MACVLAN_MODE_…
static int64_t op_create_macvlan(struct executor *executor, const struct arg *args) {
  struct message message;
  if (begin_child_link(executor, &message, args)) return -1;
  size_t info = message_open(&message, IFLA_LINKINFO);
  message_put_text(&message, IFLA_INFO_KIND, "macvlan");
  size_t data = message_open(&message, IFLA_INFO_DATA);
  message_put_u32(&message, IFLA_MACVLAN_MODE, (uint32_t)args[OWN + 1].number);
  message_close(&message, data);
  message_close(&message, info);
  return send_new_link(executor, &message, args);
}

// create_ipvlan SETTINGS parent mode flags: as of IPVLAN_MODE_… and IPVLAN_F_…
static int64_t op_create_ipvlan(struct executor *executor, const struct arg *args) {
  struct message message;
  uint16_t mode = (uint16_t)args[OWN + 1].number, flags = (uint16_t)args[OWN + 2].number;
  if (begin_child_link(executor, &message, args)) return -1;
  size_t info = message_open(&message, IFLA_LINKINFO);
  message_put_text(&message, IFLA_INFO_KIND, "ipvlan");
  size_t data = message_open(&message, IFLA_INFO_DATA);
  message_put(&message, IFLA_IPVLAN_MODE, &mode, sizeof mode);
  message_put(&message, IFLA_IPVLAN_FLAGS, &flags, sizeof flags);
  message_close(&message, data);
  message_close(&message, info);
  return send_new_link(executor, &message, args);
}

// set_link SETTINGS new_name: what is said of it; "" keeps the name. In a new namespace it has the new name at once.
static int64_t op_set_link(struct executor *executor, const struct arg *args) {
  struct message message;
  int index = link_index(args[NAME].text);
  if (index < 0) return -1;
  struct ifinfomsg link = link_of(index, args[UP].number);
  message_begin(&message, RTM_NEWLINK, 0, &link, sizeof link);
  if (*args[OWN].text) message_put_text(&message, IFLA_IFNAME, args[OWN].text);
  if (put_settings(executor, &message, args) || message_send(&message, &executor->data)) return -1;
  if (!*args[ALIAS].text && args[HAIRPIN].number < 0) return 0;
  return change_link(executor, index, args[ALIAS].text, args[HAIRPIN].number);
}

// delete_link name
static int64_t op_delete_link(struct executor *executor, const struct arg *args) {
  struct message message;
  int index = link_index(args[0].text);
  if (index < 0) return -1;
  struct ifinfomsg link = link_of(index, -1);
  message_begin(&message, RTM_DELLINK, 0, &link, sizeof link);
  return message_send(&message, &executor->data);
}

const struct op link_ops[] = {
    {"create_bridge", SETTINGS, op_create_bridge, false},
    {"create_veth", SETTINGS "sbii", op_create_veth, false},
    {"create_macvlan", SETTINGS "si", op_create_macvlan, false},
    {"create_ipvlan", SETTINGS "sii", op_create_ipvlan, false},
    {"set_link", SETTINGS "s", op_set_link, false},
    {"delete_link", "s", op_delete_link, false},
    {0},
};
