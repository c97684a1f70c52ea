// The executor: looks ops up by name, checks their args against the signature, performs them, keeps the time.

#include "executor.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void executor_begin(struct executor *executor, int socket, const struct op *const *tables, int monitor) {
  memset(executor, 0, sizeof *executor);
  executor->wire.socket = socket;
  executor->tables = tables;
  executor->monitor = monitor;
  for (int i = 0; i < SLOTS; i++) executor->slots[i] = -1;
}

int slot_get(const struct executor *executor, int64_t slot) {
  if (slot >= 0 && slot < SLOTS && executor->slots[slot] >= 0) return executor->slots[slot];
  errno = EBADF;
  return -1;
}

int slot_put(struct executor *executor, int64_t slot, int fd) {
  if (slot < 0 || slot >= SLOTS) {
    close(fd);
    errno = EBADF;
    return -1;
  }
  if (executor->slots[slot] >= 0) close(executor->slots[slot]);
  executor->slots[slot] = fd;
  return 0;
}

void slots_close(struct executor *executor) {
  for (int slot = 0; slot < SLOTS; slot++) {
    if (executor->slots[slot] >= 0) close(executor->slots[slot]);
    executor->slots[slot] = -1;
  }
}

static const struct op *find_op(const struct op *const *tables, const char *name) {
  for (; *tables; tables++)
    for (const struct op *op = *tables; op->name; op++)
      if (!strcmp(op->name, name)) return op;
  return NULL;
}

static bool fits(const struct request *request, const char *signature) {
  size_t count = strlen(signature);
  if (strlen(request->tags) != count) return false;
  for (size_t i = 0; i < count; i++) {
    char tag = signature[i] == 'b' ? 's' : signature[i];
    if (request->tags[i] != tag) return false;
    // A text that a NUL cuts short would name something else than the caller meant.
    if (signature[i] == 's' && strlen(request->args[i].text) != request->args[i].length) return false;
  }
  return true;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void executor_answer(struct executor *executor, int64_t result, int error, int64_t elapsed_ns) {
  int32_t number = error;
  uint32_t length = (uint32_t)executor->data.length;
  bytes_append(&executor->answers, &result, sizeof result);
  bytes_append(&executor->answers, &number, sizeof number);
  bytes_append(&executor->answers, &elapsed_ns, sizeof elapsed_ns);
  bytes_append(&executor->answers, &length, sizeof length);
  bytes_append(&executor->answers, executor->data.at, length);
  bytes_release(&executor->data);
  executor->answered++;
}

static void frame_answers(struct executor *executor, int kind) {
  size_t begin = frame_begin(&executor->wire, kind);
  bytes_append(&executor->wire.out, &executor->answered, sizeof executor->answered);
  bytes_append(&executor->wire.out, executor->answers.at, executor->answers.length);
  frame_end(&executor->wire, begin);
  bytes_release(&executor->answers);
  executor->answered = 0;
}

bool executor_send_partial(struct executor *executor) {
  if (!executor->answered) return true;
  frame_answers(executor, FRAME_PARTIAL);
  return wire_send(&executor->wire, true);
}

// Performs one op and collects its answer; false where the ones behind it must not be performed.
static bool perform_one(struct executor *executor, const struct request *request) {
  const struct op *op = find_op(executor->tables, request->name);
  int64_t result = -1, begin = now_ns();
  int error = 0;
  executor->handed_over = false;
  if (!op) {
    error = ENOSYS;
  } else if (!fits(request, op->signature)) {
    error = EINVAL;
  } else {
    if (op->send_first) executor_send_partial(executor);
    begin = now_ns();
    errno = 0;
    result = op->perform(executor, request->args);
    if (result < 0) error = errno;
  }
  if (!executor->handed_over) executor_answer(executor, result, error, now_ns() - begin);
  return !error || tolerates(request, error);
}

void executor_perform(struct executor *executor) {
  struct bytes frame = executor->wire.in; // an op may answer, never receive: the frame stays as it is
  struct cursor cursor = {frame.at + 4, frame.at + frame.length};
  struct request request;
  uint32_t count;
  bool go_on = take_u32(&cursor, &count);
  if (!go_on) executor_answer(executor, -1, EINVAL, 0);
  for (uint32_t i = 0; go_on && i < count; i++) {
    go_on = take_request(&cursor, &request);
    if (go_on) go_on = perform_one(executor, &request);
    else executor_answer(executor, -1, EINVAL, 0);
    release_request(&request);
  }
  frame_answers(executor, FRAME_LAST);
  wire_next(&executor->wire);
}
