// The language between minictr and this program: frames of bytes over a stream socket, all numbers little endian.
//
// Request frame   u32 length of what follows | u32 number of ops | ops
//   op            u8 length of name, name | u8 n, n x u16 errno that is tolerated | u8 number of args, args
//   arg           'i' i64
//                 's' u32 length, bytes, NUL (not counted: there so that C can point at it)
//                 'l' u32 count, then per text: u32 length, bytes, NUL
//
// Answer frame    u32 length of what follows | u8 kind | u32 number of answers | answers
//   kind          1 the last frame for this request; 2 more will follow
//   answer        i64 result | i32 errno (0: none) | i64 elapsed ns | u32 length, data
//
// Event frame     u32 length of what follows | u8 3 | u8 event | what the event tells
//   event         'x' i32 wait status | i32 stream | i32 errno: the watched process has ended and its output has been
//                     passed on, but for that of a stream (0: of all) that could not be written, for which the errno says why
//                 'd' the keys that detach have been typed: the client has its streams and its terminal back
//
// Ops are performed in order until one fails; its answer is then the last one. A tolerated errno is told and does not
// stop. Success of execve shows as the socket closing. src/system/wire.ts is the other end.

#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_LAST = 1, FRAME_PARTIAL = 2, FRAME_EVENT = 3 };
enum { FRAME_LENGTH_MAX = 64 << 20, ARGS_MAX = 12 };

struct arg {
  int64_t number;   // 'i'
  const char *text; // 's': always followed by a NUL
  size_t length;    // 's'
  char **list;      // 'l': ends with a NULL
};

struct request {
  char name[32];
  const uint8_t *tolerated; // u16 each
  int tolerated_count;
  char tags[ARGS_MAX + 1];
  struct arg args[ARGS_MAX];
};

// The part of a frame not looked at yet.
struct cursor {
  const uint8_t *at, *end;
};

// Bytes that grow at the end; `start` marks what has been sent already.
struct bytes {
  uint8_t *at;
  size_t start, length, capacity;
};

// A conversation: one socket, the request that is arriving, the frames that are leaving.
struct wire {
  int socket;
  struct bytes in, out;
};

void bytes_append(struct bytes *, const void *, size_t length);
void bytes_release(struct bytes *);

// How many texts a list has.
size_t list_length(char **list);

bool take_u32(struct cursor *, uint32_t *);
// Reads one op; false where the bytes are not one. Lists are to be released afterwards.
bool take_request(struct cursor *, struct request *);
void release_request(struct request *);
bool tolerates(const struct request *, int error);

enum arrival { ARRIVED, INCOMPLETE, ENDED };
// Reads until a whole frame is in `wire->in` (after its length), waiting for it or not.
enum arrival wire_receive(struct wire *, bool wait);
// Drops the frame received last.
void wire_next(struct wire *);

// Frames are put together in `wire->out`: begin, append, end.
size_t frame_begin(struct wire *, int kind);
void frame_end(struct wire *, size_t begin);
// Sends what is in `wire->out`; false where the other end is gone. Without waiting, the rest stays for the next time.
bool wire_send(struct wire *, bool wait);

#endif
