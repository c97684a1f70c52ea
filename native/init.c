// The role init: a conversation, one request after the other, until it ends or execve makes something else of us.

#include "executor.h"
#include "roles.h"

#include <sys/prctl.h>
#include <unistd.h>

static const struct op *const tables[] = {COMMON_OPS, NULL};

_Noreturn void init_role(int socket, int monitor) {
  static struct executor executor;
  prctl(PR_SET_NAME, "minictr-init");
  executor_begin(&executor, socket, tables, monitor);
  while (wire_receive(&executor.wire, true) == ARRIVED) {
    executor_perform(&executor);
    if (!wire_send(&executor.wire, true)) break;
  }
  _exit(0);
}
