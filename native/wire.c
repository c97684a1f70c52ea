// Frames: taking requests apart, with every length checked, and putting answers together.

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void bytes_append(struct bytes *bytes, const void *from, size_t length) {
  if (bytes->capacity - bytes->length < length) {
    size_t capacity = bytes->capacity * 2;
    if (capacity < bytes->length + length) capacity = bytes->length + length;
    if (capacity < 512) capacity = 512;
    bytes->at = realloc(bytes->at, capacity);
    if (!bytes->at) _exit(125); // nothing can be told without memory
    bytes->capacity = capacity;
  }
  if (length) memcpy(bytes->at + bytes->length, from, length);
  bytes->length += length;
}

void bytes_release(struct bytes *bytes) {
  free(bytes->at);
  *bytes = (struct bytes){0};
}

size_t list_length(char **list) {
  size_t length = 0;
  while (list[length]) length++;
  return length;
}

static bool take(struct cursor *cursor, void *to, size_t length) {
  if ((size_t)(cursor->end - cursor->at) < length) return false;
  memcpy(to, cursor->at, length); // both supported architectures are little endian
  cursor->at += length;
  return true;
}

bool take_u32(struct cursor *cursor, uint32_t *number) { return take(cursor, number, sizeof *number); }

static bool take_text(struct cursor *cursor, const char **text, size_t *text_length) {
  uint32_t length;
  if (!take_u32(cursor, &length)) return false;
  size_t left = (size_t)(cursor->end - cursor->at);
  if (left <= length || cursor->at[length] != 0) return false;
  *text = (const char *)cursor->at;
  *text_length = length;
  cursor->at += length + 1;
  return true;
}

static bool take_list(struct cursor *cursor, char ***list) {
  uint32_t count;
  if (!take_u32(cursor, &count)) return false;
  if (count > (size_t)(cursor->end - cursor->at) / 5) return false; // 5: the length and the NUL of an empty text
  char **texts = calloc(count + 1, sizeof *texts);
  if (!texts) return false;
  *list = texts;
  for (uint32_t i = 0; i < count; i++) {
    const char *text;
    size_t length;
    if (!take_text(cursor, &text, &length) || strlen(text) != length) return false;
    texts[i] = (char *)text;
  }
  return true;
}

static bool take_arg(struct cursor *cursor, char *tag, struct arg *arg) {
  if (!take(cursor, tag, 1)) return false;
  switch (*tag) {
  case 'i': return take(cursor, &arg->number, sizeof arg->number);
  case 's': return take_text(cursor, &arg->text, &arg->length);
  case 'l': return take_list(cursor, &arg->list);
  default: return false;
  }
}

bool take_request(struct cursor *cursor, struct request *request) {
  uint8_t length, tolerated, args;
  memset(request, 0, sizeof *request);
  if (!take(cursor, &length, 1) || length >= sizeof request->name) return false;
  if (!take(cursor, request->name, length)) return false;
  if (!take(cursor, &tolerated, 1) || (size_t)(cursor->end - cursor->at) < tolerated * 2u) return false;
  request->tolerated = cursor->at;
  request->tolerated_count = tolerated;
  cursor->at += tolerated * 2;
  if (!take(cursor, &args, 1) || args > ARGS_MAX) return false;
  for (int i = 0; i < args; i++)
    if (!take_arg(cursor, &request->tags[i], &request->args[i])) return false;
  return true;
}

void release_request(struct request *request) {
  for (int i = 0; i < ARGS_MAX; i++) free(request->args[i].list);
}

bool tolerates(const struct request *request, int error) {
  for (int i = 0; i < request->tolerated_count; i++) {
    uint16_t tolerated;
    memcpy(&tolerated, request->tolerated + 2 * i, sizeof tolerated);
    if (tolerated == error) return true;
  }
  return false;
}

enum arrival wire_receive(struct wire *wire, bool wait) {
  for (;;) {
    uint32_t length = 0;
    size_t have = wire->in.length, want = sizeof length;
    if (have >= want) {
      memcpy(&length, wire->in.at, sizeof length);
      if (length > FRAME_LENGTH_MAX) return ENDED;
      want += length;
      if (have == want) return ARRIVED;
    }
    uint8_t chunk[4096];
    size_t ask = want - have < sizeof chunk ? want - have : sizeof chunk;
    ssize_t got = recv(wire->socket, chunk, ask, wait ? 0 : MSG_DONTWAIT);
    if (got > 0) bytes_append(&wire->in, chunk, (size_t)got);
    else if (got < 0 && errno == EINTR) continue;
    else if (got < 0 && errno == EAGAIN) return INCOMPLETE;
    else return ENDED;
  }
}

void wire_next(struct wire *wire) { bytes_release(&wire->in); }

size_t frame_begin(struct wire *wire, int kind) {
  size_t begin = wire->out.length;
  uint32_t length = 0;
  uint8_t byte = (uint8_t)kind;
  bytes_append(&wire->out, &length, sizeof length);
  bytes_append(&wire->out, &byte, 1);
  return begin;
}

void frame_end(struct wire *wire, size_t begin) {
  uint32_t length = (uint32_t)(wire->out.length - begin - sizeof length);
  memcpy(wire->out.at + begin, &length, sizeof length);
}

bool wire_send(struct wire *wire, bool wait) {
  struct bytes *out = &wire->out;
  while (out->start < out->length) {
    int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
    ssize_t sent = send(wire->socket, out->at + out->start, out->length - out->start, flags);
    if (sent >= 0) out->start += (size_t)sent;
    else if (errno == EINTR) continue;
    else if (errno == EAGAIN) return true;
    else return false;
  }
  bytes_release(out);
  return true;
}
