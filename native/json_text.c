// Escaping. Most text needs none, so sixteen bytes at a time are copied and looked at; only where one of them needs
// escaping is it dealt with by itself. Docker's readers expect of < > & and the line separators to be escaped as well.

#include "json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int8_t block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

// Of the bytes that cannot stand as they are the first one's place, or 16.
static unsigned first_special(block bytes) {
  block special = (bytes < 0x20) // control characters and, being negative, what is not ASCII
                | (bytes == '\\')
                | ((bytes & ~4) == '"')   // and '&'
                | ((bytes | 2) == '>');   // and '<'
  halves found = (halves)special;
  if (found[0]) return (unsigned)__builtin_ctzll(found[0]) / 8;
  return found[1] ? 8 + (unsigned)__builtin_ctzll(found[1]) / 8 : 16;
}

static bool is_special(uint8_t byte) {
  return byte < 0x20 || byte >= 0x80 || byte == '\\' || (byte & ~4) == '"' || (byte | 2) == '>';
}

// The length of the character that begins here; 0 where it is not UTF-8 (no overlong forms, no surrogates).
static unsigned utf8_length(const uint8_t *at, size_t left) {
  uint8_t lead = at[0], low = 0x80, high = 0xbf;
  unsigned length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || left < length) return 0;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (at[1] < low || at[1] > high) return 0;
  for (unsigned i = 2; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return length;
}

bool is_utf8(const char *text, size_t length) {
  const uint8_t *at = (const uint8_t *)text, *end = at + length;
  while (at < end) {
    unsigned taken = *at < 0x80 ? 1 : utf8_length(at, (size_t)(end - at));
    if (!taken) return false;
    at += taken;
  }
  return true;
}

static char *put(char *to, const char *text) {
  size_t length = strlen(text);
  memcpy(to, text, length);
  return to + length;
}

static char *put_control(char *to, uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  to = put(to, "\\u00");
  *to++ = digits[byte >> 4];
  *to++ = digits[byte & 15];
  return to;
}

// One character that is special; *at moves behind it.
static char *put_special(char *to, const uint8_t **at, const uint8_t *end) {
  const uint8_t *from = *at;
  unsigned length = *from < 0x80 ? 1 : utf8_length(from, (size_t)(end - from));
  *at += length ? length : 1;
  if (!length) return put(to, "\\ufffd");
  if (length == 3 && from[0] == 0xe2 && from[1] == 0x80 && (from[2] & ~1) == 0xa8) // U+2028, U+2029
    return put(to, from[2] & 1 ? "\\u2029" : "\\u2028");
  if (length > 1) {
    memcpy(to, from, length);
    return to + length;
  }
  switch (*from) {
  case '\n': return put(to, "\\n");
  case '\r': return put(to, "\\r");
  case '"': return put(to, "\\\"");
  case '\\': return put(to, "\\\\");
  default: return put_control(to, *from);
  }
}

char *json_line(char *to, const char **text, const char *limit) {
  const uint8_t *at = (const uint8_t *)*text, *end = (const uint8_t *)limit;
  for (bool is_ended = false; at < end && !is_ended;) {
    if (end - at >= 16) {
      block bytes;
      memcpy(&bytes, at, sizeof bytes);
      memcpy(to, &bytes, sizeof bytes);
      unsigned plain = first_special(bytes);
      at += plain;
      to += plain;
      if (plain == 16) continue;
    } else if (!is_special(*at)) {
      *to++ = (char)*at++;
      continue;
    }
    is_ended = *at == '\n';
    to = put_special(to, &at, end);
  }
  *text = (const char *)at;
  return to;
}

char *json_text(char *to, const char *text, size_t length) {
  const char *end = text + length;
  while (text < end) to = json_line(to, &text, end);
  return to;
}
