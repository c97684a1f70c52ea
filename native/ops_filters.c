// Inquiries about the packet filter (nf_tables, over nfnetlink): which chains there are, and whether rules speak of something.
// Nothing is changed by them: that is nft(8)'s business.

#include "executor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 512, ANSWER_MAX = 32768, LINE_MAX_LENGTH = 600, NO_HOOK = -1 };

// The attributes of one chain or rule; false ends the asking.
typedef bool take_function(void *context, uint8_t family, const struct nlattr *first, int length);

#define NEXT(at) ((const struct nlattr *)((const char *)(at) + NLA_ALIGN((at)->nla_len)))
#define EACH_ATTRIBUTE(at, first, length)                                                                        \
  for (const struct nlattr *at = (first), *end = (const void *)((const char *)(first) + (length));               \
       (const char *)at + NLA_HDRLEN <= (const char *)end && at->nla_len >= NLA_HDRLEN &&                        \
       (const char *)at + at->nla_len <= (const char *)end;                                                      \
       at = NEXT(at))

static const void *value_of(const struct nlattr *attribute) {
  return (const char *)attribute + NLA_HDRLEN;
}

static uint32_t number_of(const struct nlattr *attribute) {
  uint32_t number = 0;
  if (attribute->nla_len >= NLA_HDRLEN + sizeof number) memcpy(&number, value_of(attribute), sizeof number);
  return ntohl(number);
}

// Takes what one datagram tells. 1: there is more to come; 0: that was all; -1 with errno.
static int take_all(const char *answer, size_t got, take_function *take, void *context) {
  const struct nlmsghdr *header = (const void *)answer;
  for (int left = (int)got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type == NLMSG_DONE) return 0;
    if (header->nlmsg_type == NLMSG_ERROR) return errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error, -1;
    const struct nfgenmsg *about = NLMSG_DATA(header);
    const char *first = (const char *)about + NLMSG_ALIGN(sizeof *about);
    if (!take(context, about->nfgen_family, (const void *)first, (int)NLMSG_PAYLOAD(header, sizeof *about))) return 0;
  }
  return 1;
}

// Asks for all chains or rules; `table` is "" for those of every table. 0, or -1 with errno.
static int ask_for_all(int type, uint8_t family, const char *table, take_function *take, void *context) {
  static char answer[ANSWER_MAX] __attribute__((aligned(8)));
  struct {
    struct nlmsghdr header;
    struct nfgenmsg about;
    struct nlattr table;
    char name[REQUEST_MAX];
  } request = {.header = {.nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
               .about = {.nfgen_family = family, .version = NFNETLINK_V0}};
  size_t length = strlen(table) + 1;
  int more = 1;
  if (length > REQUEST_MAX) return errno = ENAMETOOLONG, -1;
  request.table.nla_type = NFTA_RULE_TABLE;
  request.table.nla_len = (uint16_t)(NLA_HDRLEN + length);
  memcpy(request.name, table, length);
  size_t named = *table ? NLA_ALIGN(request.table.nla_len) : 0;
  request.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof request.about) + named);
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -1;
  if (send(fd, &request, request.header.nlmsg_len, 0) < 0) more = -1;
  while (more > 0) {
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got >= 0) more = take_all(answer, (size_t)got, take, context);
    else if (errno != EINTR) more = -1;
  }
  int error = errno;
  close(fd);
  errno = error;
  return more;
}

static int hook_of(const struct nlattr *attribute) {
  EACH_ATTRIBUTE(at, value_of(attribute), attribute->nla_len - NLA_HDRLEN)
    if ((at->nla_type & NLA_TYPE_MASK) == NFTA_HOOK_HOOKNUM) return (int)number_of(at);
  return NO_HOOK;
}

// A line for each chain: family, table, name, hook or -1, policy (1 accepts), with tabs between.
static bool take_chain(void *context, uint8_t family, const struct nlattr *first, int length) {
  char line[LINE_MAX_LENGTH];
  const char *table = "", *name = "";
  int hook = NO_HOOK;
  uint32_t policy = 1;
  EACH_ATTRIBUTE(at, first, length) {
    switch (at->nla_type & NLA_TYPE_MASK) {
    case NFTA_CHAIN_TABLE: table = value_of(at); break;
    case NFTA_CHAIN_NAME: name = value_of(at); break;
    case NFTA_CHAIN_HOOK: hook = hook_of(at); break;
    case NFTA_CHAIN_POLICY: policy = number_of(at); break;
    }
  }
  int size = snprintf(line, sizeof line, "%u\t%s\t%s\t%d\t%u\n", family, table, name, hook, policy);
  if (size > 0 && (size_t)size < sizeof line) bytes_append(context, line, (size_t)size);
  return true;
}

// list_chains: the chains of all tables of this network namespace
static int64_t op_list_chains(struct executor *executor, const struct arg *args) {
  return ask_for_all(NFT_MSG_GETCHAIN, AF_UNSPEC, "", take_chain, &executor->data);
}

struct wanted {
  const char *text;
  bool is_found;
};

static bool take_rule(void *context, uint8_t family, const struct nlattr *first, int length) {
  struct wanted *wanted = context;
  wanted->is_found = memmem(first, (size_t)length, wanted->text, strlen(wanted->text)) != NULL;
  return !wanted->is_found;
}

// search_rules family table text: 1 where a rule of the table holds the text, the name of a link say; else 0
static int64_t op_search_rules(struct executor *executor, const struct arg *args) {
  struct wanted wanted = {.text = args[2].text};
  if (ask_for_all(NFT_MSG_GETRULE, (uint8_t)args[0].number, args[1].text, take_rule, &wanted)) return -1;
  return wanted.is_found;
}

const struct op filter_ops[] = {
    {"list_chains", "", op_list_chains, false},
    {"search_rules", "iss", op_search_rules, false},
    {0},
};
