// The keys that detach: a sequence in what is typed, which does not reach the container.

#ifndef DETACH_KEYS_H
#define DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DETACH_KEYS_MAX = 16 };

struct detach_keys {
  uint8_t keys[DETACH_KEYS_MAX];
  size_t length;  // 0: nothing detaches
  size_t matched; // so many have been typed, and are held back
};

// Takes what was typed and gives what the container gets, into `to`, which has room for DETACH_KEYS_MAX more.
// *is_detached: the sequence was among it; what came behind is dropped.
size_t detach_keys_filter(struct detach_keys *, const uint8_t *typed, size_t length, uint8_t *to, bool *is_detached);

#endif
