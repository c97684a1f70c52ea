// Sending what is kept, and taking the answers: the side of the conversation that is otherwise Node's (src/system/executor.ts).

#include "kept.h"

#include <string.h>

bool send_all(struct wire *wire, const void *bytes, size_t length) {
  bytes_append(&wire->out, bytes, length);
  return wire_send(wire, true);
}

bool take_answers(struct wire *wire, struct answers *answers, int64_t kept_at) {
  const uint8_t *at = wire->in.at + sizeof(uint32_t), *end = wire->in.at + wire->in.length;
  struct cursor cursor = {at + 1, end};
  uint32_t count, length;
  if (at == end || *at == FRAME_EVENT || !take_u32(&cursor, &count)) return false;
  for (; count && end - cursor.at >= 24; count--) {
    int64_t result;
    int32_t error;
    memcpy(&result, cursor.at, sizeof result);
    memcpy(&error, cursor.at + 8, sizeof error);
    cursor.at += 20;
    if (!take_u32(&cursor, &length) || length > (size_t)(end - cursor.at)) return false;
    cursor.at += length;
    if (answers->count++ == kept_at) answers->result = result;
    answers->error = error;
  }
  wire_next(wire);
  return count == 0;
}
