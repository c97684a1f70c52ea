// The role init: a conversation, one request after the other, until it ends or execve makes something else of us.

#include "executor.h"
#include "roles.h"

#include <sys/prctl.h>
#include <unistd.h>

static const struct op *const tables[] = {COMMON_OPS, NULL};

_Noreturn void init_role(int socket, int monitor) {
  static struct executor executor;
  prctl(PR_SET_NAME, "minictr-init");
  // In a PID namespace that was joined there are processes of the other container: with the same user and capabilities
  // they could trace us, and take what is open, before there is a program. execve(2) makes an end of it.
  prctl(PR_SET_DUMPABLE, 0);
  executor_begin(&executor, socket, tables, monitor);
  while (wire_receive(&executor.wire, true) == ARRIVED) {
    executor_perform(&executor);
    if (!wire_send(&executor.wire, true)) break;
  }
  _exit(0);
}
