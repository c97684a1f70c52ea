// Performing an exec that was planned before: the messages that Node would send, with other words for the command.

#include "kept_exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ID_BYTES = 32 };

static void append_text(struct bytes *bytes, const char *directory, const char *name) {
  uint32_t length = (uint32_t)(strlen(directory) + strlen(name));
  bytes_append(bytes, &length, sizeof length);
  bytes_append(bytes, directory, strlen(directory));
  bytes_append(bytes, name, strlen(name) + 1);
}

static void begin_list(struct bytes *bytes, uint32_t count) {
  bytes_append(bytes, "l", 1);
  bytes_append(bytes, &count, sizeof count);
}

// Where execvp(3) would look for it.
static void append_candidates(struct bytes *bytes, const char *program, char **directories) {
  bool is_path = !*program || strchr(program, '/');
  begin_list(bytes, is_path ? 1 : (uint32_t)list_length(directories));
  if (is_path) append_text(bytes, "", program);
  for (; !is_path && *directories; directories++) {
    struct bytes directory = {0};
    bytes_append(&directory, *directories, strlen(*directories));
    bytes_append(&directory, "/", 2);
    append_text(bytes, (const char *)directory.at, program);
    bytes_release(&directory);
  }
}

// What init is to do, with the command put in its place.
static struct bytes request_for_init(const struct kept *kept) {
  const struct arg *parts = kept->request.args;
  struct bytes frame = {0};
  uint32_t count = (uint32_t)parts[COUNT].number, length = 0;
  bytes_append(&frame, &length, sizeof length);
  bytes_append(&frame, &count, sizeof count);
  bytes_append(&frame, parts[BEFORE].text, parts[BEFORE].length);
  append_candidates(&frame, kept->words[0], parts[DIRECTORIES].list);
  begin_list(&frame, (uint32_t)list_length(kept->words));
  for (char **word = kept->words; *word; word++) append_text(&frame, "", *word);
  bytes_append(&frame, parts[BEHIND].text, parts[BEHIND].length);
  length = (uint32_t)(frame.length - sizeof length);
  memcpy(frame.at, &length, sizeof length);
  return frame;
}

// The result of the one op in a request to the monitor; negative where it has failed.
static int64_t answered(struct wire *control) {
  struct answers answers = {0};
  if (wire_receive(control, true) != ARRIVED || !take_answers(control, &answers, 0)) return -1;
  return answers.error ? -1 : answers.result;
}

// How many requests there are in these bytes; 0 where they do not end where a request does.
static uint32_t requests_in(const struct arg *bytes) {
  struct cursor cursor = {(const uint8_t *)bytes->text, (const uint8_t *)bytes->text + bytes->length};
  uint32_t count = 0, length;
  for (; cursor.at < cursor.end; cursor.at += length, count++)
    if (!take_u32(&cursor, &length) || length > (size_t)(cursor.end - cursor.at)) return 0;
  return count;
}

// The PID of the program, once it has been executed; negative where it has not. That init's socket closes says so: but not before
// all other ops were done.
static int64_t start_program(const struct kept *kept, struct wire *control, struct wire *init) {
  const struct arg *parts = kept->request.args;
  int64_t pid = -1, forks = parts[FORKS].number;
  uint32_t left = requests_in(&parts[SPAWNING]);
  if (!left || !send_all(control, parts[SPAWNING].text, parts[SPAWNING].length)) return -1;
  for (; left; left--)
    if ((pid = answered(control)) < 0) return -1;
  struct bytes request = request_for_init(kept);
  bool is_sent = send_all(init, request.at, request.length);
  bytes_release(&request);
  if (!is_sent) return -1;
  struct answers answers = {0};
  while (wire_receive(init, true) == ARRIVED) {
    bool is_last = init->in.at[sizeof(uint32_t)] == FRAME_LAST;
    if (!take_answers(init, &answers, forks) || is_last) return -1;
  }
  if (answers.count + 1 != (uint32_t)parts[COUNT].number) return -1;
  return forks < 0 ? pid : answers.result;
}

static bool watch(const struct kept *kept, struct wire *control, int64_t pid) {
  const struct arg *watching = &kept->request.args[WATCHING];
  struct bytes request = {0};
  bytes_append(&request, watching->text, watching->length - sizeof pid);
  bytes_append(&request, &pid, sizeof pid);
  bool is_sent = send_all(control, request.at, request.length);
  bytes_release(&request);
  return is_sent && answered(control) >= 0;
}

static struct exec_end await_end(struct wire *control) {
  struct exec_end end = {.how = MONITOR_LOST};
  enum { EVENT_LENGTH = sizeof(uint32_t) + 2 + 3 * sizeof(int32_t) };
  if (wire_receive(control, true) != ARRIVED || control->in.length != EVENT_LENGTH) return end;
  const uint8_t *at = control->in.at + sizeof(uint32_t) + 2;
  memcpy(&end.status, at, sizeof end.status);
  memcpy(&end.stream, at + 4, sizeof end.stream);
  memcpy(&end.error, at + 8, sizeof end.error);
  end.how = PROGRAM_ENDED;
  return end;
}

static void make_id(char id[2 * ID_BYTES + 1]) {
  uint8_t bytes[ID_BYTES] = {0};
  getrandom(bytes, sizeof bytes, 0);
  for (int i = 0; i < ID_BYTES; i++) sprintf(id + 2 * i, "%02x", bytes[i]);
}

int exit_status_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

struct exec_end kept_exec_perform(const struct kept *kept, int control_socket, int init_socket) {
  struct wire control = {.socket = control_socket}, init = {.socket = init_socket};
  char id[2 * ID_BYTES + 1], **events = kept_events(kept);
  struct exec_end end = {.how = NOT_STARTED};
  int64_t pid = start_program(kept, &control, &init);
  if (pid > 0) {
    make_id(id);
    kept_tell(kept, events[2], id, 0);
    end = watch(kept, &control, pid) ? await_end(&control) : (struct exec_end){.how = MONITOR_LOST};
    if (end.how == PROGRAM_ENDED) kept_tell(kept, events[3], id, exit_status_of(end.status));
  }
  bytes_release(&control.in);
  bytes_release(&control.out);
  bytes_release(&init.in);
  bytes_release(&init.out);
  return end;
}
