// Stopping a container as it was planned when it was started: the messages that Node would send, and the events between them. Each
// of them leaves the container in a state from which any other command goes on, as it does after one that was killed.

#include "kept_stop.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// How the last op of a request went: 0, its errno, or -1 where the request did not get so far.
static int ask(struct wire *control, const struct arg *request) {
  struct answers answers = {0};
  uint32_t count;
  memcpy(&count, request->text + sizeof count, sizeof count);
  if (!send_all(control, request->text, request->length)) return -1;
  bool is_last = false;
  while (!is_last) {
    if (wire_receive(control, true) != ARRIVED) return -1;
    is_last = control->in.at[sizeof(uint32_t)] == FRAME_LAST;
    if (!take_answers(control, &answers, -1)) return -1;
  }
  return answers.count < count ? -1 : answers.error;
}

// The first of the requests, and those behind it, whose answers nobody waits for.
static bool ask_first(struct wire *control, const struct arg *requests) {
  uint32_t length;
  struct arg first = *requests;
  memcpy(&length, requests->text, sizeof length);
  if (length > requests->length - sizeof length) return false;
  first.length = sizeof length + length;
  if (ask(control, &first)) return false;
  return send_all(control, requests->text + first.length, requests->length - first.length);
}

// The status that the monitor has written down since; -1 where it has not, or where there is more to be told about the end.
static int recorded_status(char **record) {
  static const char begin[] = "{\"exitStatus\":";
  char *file = record[0], *former = record[1], *memory = record[2], *nothing = record[3];
  struct bytes text = {0};
  int status = -1;
  if (*memory && !holds(memory, nothing)) return -1;
  if (!has_stamp(file, former) && read_file(file, &text) && text.length > sizeof begin) {
    bytes_append(&text, "", 1);
    const char *number = (char *)text.at + sizeof begin - 1;
    if (!strncmp((char *)text.at, begin, sizeof begin - 1) && isdigit((unsigned char)*number)) status = atoi(number);
  }
  bytes_release(&text);
  return status;
}

enum stop_end kept_stop_perform(const struct kept *kept, int socket) {
  const struct arg *parts = kept->request.args;
  char **events = kept_events(kept), **record = parts[RECORD].list;
  struct wire control = {.socket = socket};
  if (ask(&control, &parts[LOCKING]) || !is_unchanged(parts[UNCHANGED].list)) return STOP_INCOMPLETE;
  if (ask(&control, &parts[MARKING])) return STOP_INCOMPLETE;
  kept_tell(kept, events[2], "", 0);
  int error = ask(&control, &parts[ASKING]);
  if (error == ETIMEDOUT) return STOP_TOO_LONG;
  if (error || ask(&control, &parts[ENDING])) return STOP_INCOMPLETE;
  int status = recorded_status(record);
  if (status < 0 || !has_stamp(record[4], record[5])) return STOP_INCOMPLETE;
  kept_tell(kept, events[3], "", status);
  if (!ask_first(&control, &parts[UNDOING])) return STOP_INCOMPLETE;
  kept_tell(kept, events[4], "", 0);
  return STOPPED;
}
