// Looking for the sequence. What turns out not to be it is passed on as it was typed.

#include "detach_keys.h"

#include <string.h>

size_t detach_keys_filter(struct detach_keys *keys, const uint8_t *typed, size_t length, uint8_t *to, bool *is_detached) {
  size_t given = 0;
  *is_detached = false;
  for (size_t i = 0; i < length; i++) {
    if (keys->matched < keys->length && typed[i] != keys->keys[keys->matched]) {
      memcpy(to + given, keys->keys, keys->matched);
      given += keys->matched;
      keys->matched = 0;
    }
    if (keys->matched < keys->length && typed[i] == keys->keys[keys->matched]) keys->matched++;
    else to[given++] = typed[i];
    *is_detached = keys->length && keys->matched == keys->length;
    if (*is_detached) break;
  }
  if (*is_detached) keys->matched = 0;
  return given;
}
