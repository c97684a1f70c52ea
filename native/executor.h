// The executor: performs the ops of a request one after another and collects the answers.

#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "wire.h"

enum { SLOTS = 64 };

struct executor;

// Returns the op's result, or -1 with errno set.
typedef int64_t op_function(struct executor *, const struct arg *);

// signature: one letter per arg: i number, s text, b bytes (may hold NULs), l list of texts.
struct op {
  const char *name;
  const char *signature;
  op_function *perform;
  bool send_first; // the answers so far are sent before it, as there may be no chance afterwards
};

struct executor {
  struct wire wire;
  const struct op *const *tables; // each ends with a NULL name, the list of them with NULL
  int monitor;                    // init: where the pty goes, and the sign that there is a monitor; else -1
  int slots[SLOTS];               // open descriptors by the caller's numbers; -1: free
  uint32_t answered;              // answers collected, not yet sent
  struct bytes answers;
  struct bytes data;              // what the op being performed gives back besides its result
  bool handed_over;               // the op's answer has been sent by another process (fork)
};

void executor_begin(struct executor *, int socket, const struct op *const *tables, int monitor);
// Performs the request that has arrived in executor->wire.in, puts the answers into executor->wire.out.
void executor_perform(struct executor *);
// Adds an answer; sends all that was collected as a frame of which more follow.
void executor_answer(struct executor *, int64_t result, int error, int64_t elapsed_ns);
bool executor_send_partial(struct executor *);

// The descriptor in a slot; -1 with errno EBADF where there is none.
int slot_get(const struct executor *, int64_t slot);
// Keeps a descriptor under a number, in place of what was there. Gives 0, or -1 with errno (then the descriptor is closed).
int slot_put(struct executor *, int64_t slot, int fd);
// Closes all of them.
void slots_close(struct executor *);

// The ops of every executor; roles may have more.
#define COMMON_OPS \
  name_ops, attribute_ops, content_ops, mount_ops, namespace_ops, credential_ops, process_ops, terminal_ops, cgroup_ops, \
  lock_ops, running_ops, link_ops, address_ops, program_ops, filter_ops
extern const struct op name_ops[], attribute_ops[], content_ops[], mount_ops[], namespace_ops[], credential_ops[],
    process_ops[], terminal_ops[], cgroup_ops[], lock_ops[], running_ops[], link_ops[], address_ops[], program_ops[],
    filter_ops[];

#endif
