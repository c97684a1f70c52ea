// The container's input: whatever those who are attached type, one piece after the other.

#include "monitor.h"

#include <errno.h>
#include <sys/mman.h>

enum { BUFFER_LENGTH = 64 << 10, PAGE = 4096, MOVES_AT_ONCE = 16 };

static struct end to = NO_END;
static enum input kind;
static bool is_closed, is_closing; // closing: once what is in the buffer has been given
static uint8_t buffer[BUFFER_LENGTH] __attribute__((aligned(PAGE)));
static size_t begin, length; // what is in it lies between

void expect_input(enum input expected) { kind = expected; }

void set_input(int fd) {
  end_close(&to);
  to = (struct end){.fd = fd};
}

// Whether anybody's input can ever reach the container.
bool input_is_open(void) { return kind != INPUT_NONE && !is_closed; }

void close_input(void) {
  is_closed = true;
  begin = length = 0;
  end_close(&to);
  for (struct attachment *one = attachments; one; one = one->next) end_close(&one->streams[STDIN]);
}

void end_input(struct attachment *attachment) {
  end_close(&attachment->streams[STDIN]);
  // A terminal has no end that one of those in front of it could bring about.
  if (kind != INPUT_ONCE || output_is_terminal()) return;
  if (begin < length) is_closing = true;
  else close_input();
}

// False where there is nothing, or not yet.
static bool take(struct attachment *from) {
  struct end *in = &from->streams[STDIN];
  uint8_t *typed = buffer + DETACH_KEYS_MAX;
  if (in->fd < 0 || !in->ready) return false;
  ssize_t got = end_read(in, typed, BUFFER_LENGTH - DETACH_KEYS_MAX);
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) {
    end_input(from);
    return false;
  }
  begin = DETACH_KEYS_MAX;
  length = begin + (size_t)got;
  to.ready = POLLOUT;
  if (from->keys.length) {
    bool is_detached;
    begin = 0;
    length = detach_keys_filter(&from->keys, typed, (size_t)got, buffer, &is_detached);
    if (is_detached) attachment_detach(from);
  }
  return begin < length;
}

static bool take_any(void) {
  for (struct attachment *one = attachments; one; one = one->next)
    if (take(one)) return true;
  return false;
}

static bool give(void) {
  ssize_t sent = end_write(&to, buffer + begin, length - begin);
  if (sent < 0 && errno == EAGAIN) return false;
  if (sent < 0) close_input(); // nobody reads it any more
  else begin += (size_t)sent;
  if (begin == length && is_closing) close_input();
  return to.fd >= 0;
}

void poll_input(void) {
  to.ready = 0;
  if (begin < length) poll_for(&to, POLLOUT);
  for (struct attachment *one = attachments; one; one = one->next) {
    one->streams[STDIN].ready = 0;
    if (begin == length && to.fd >= 0) poll_for(&one->streams[STDIN], POLLIN);
  }
}

void move_input(void) {
  for (int moves = 0; moves < MOVES_AT_ONCE; moves++)
    if (begin < length ? !to.ready || !give() : !take_any()) break;
}

void rest_input(void) {
  if (begin == length) madvise(buffer, BUFFER_LENGTH, MADV_DONTNEED);
}
