// The container's output: taken into one buffer, from there into the log and to everybody who is attached. It is taken
// again when all have what is in it: a slow reader holds the container up, one that goes away does not.

#include "monitor.h"
#include "monitor_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  BUFFER_LENGTH = 64 << 10,
  PAGE = 4096,
  MOVES_AT_ONCE = 16,             // then the others get their turn
  TERMINAL_REST_LENGTH = 1 << 20, // so much is taken of a terminal that is written to after the container's end
};

static struct output {
  struct end from;
  bool is_terminal;
  bool is_bounded; // the container has ended: `budget` is what may still be taken, and nobody is waited for
  size_t budget;
  char *bytes;
  size_t length, capacity;
} outputs[CHANNELS] = {[STDOUT] = {.from = NO_END}, [STDERR] = {.from = NO_END}};

static char buffers[CHANNELS][BUFFER_LENGTH] __attribute__((aligned(PAGE)));

void set_output(int stream, int fd, bool is_terminal) {
  end_close(&outputs[stream].from);
  outputs[stream] = (struct output){
      .from = {.fd = fd}, .is_terminal = is_terminal, .bytes = buffers[stream], .capacity = BUFFER_LENGTH};
}

int terminal_fd(void) { return outputs[STDOUT].is_terminal ? outputs[STDOUT].from.fd : -1; }

bool output_is_terminal(void) { return outputs[STDOUT].is_terminal; }

size_t output_length(int stream) { return outputs[stream].length; }

static bool has_all(const struct attachment *attachment, int stream) {
  return attachment->streams[stream].fd < 0 || attachment->taken[stream] == outputs[stream].length;
}

bool has_all_output(const struct attachment *attachment) {
  return has_all(attachment, STDOUT) && has_all(attachment, STDERR);
}

static bool all_have_all(int stream) {
  for (struct attachment *one = attachments; one; one = one->next)
    if (!has_all(one, stream)) return false;
  return true;
}

// The writer has ended, or is to learn that nobody reads.
static void close_output(int stream) {
  end_close(&outputs[stream].from);
  log_finish(stream);
  // A terminal whose output has ended takes no input either: with both ends closed it hangs up.
  if (outputs[stream].is_terminal) close_input();
}

static void make_room(struct output *output) {
  size_t capacity = output->length + (output->budget < BUFFER_LENGTH ? output->budget : BUFFER_LENGTH);
  if (output->length < output->capacity || capacity == output->capacity) return;
  char *bytes = malloc(capacity);
  if (!bytes) _exit(125);
  memcpy(bytes, output->bytes, output->length);
  if (output->bytes != buffers[output - outputs]) free(output->bytes);
  output->bytes = bytes;
  output->capacity = capacity;
}

// Takes a piece, which everybody is worth trying to give it to then.
static bool take(int stream) {
  struct output *output = &outputs[stream];
  if (!output->from.ready) return false;
  if (all_have_all(stream)) {
    output->length = 0;
    for (struct attachment *one = attachments; one; one = one->next) one->taken[stream] = 0;
  }
  if (output->is_bounded) make_room(output);
  size_t room = output->capacity - output->length;
  if (output->is_bounded && room > output->budget) room = output->budget;
  ssize_t got = room ? end_read(&output->from, output->bytes + output->length, room) : 0;
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) { // the end; EIO is how a pty says that nobody holds its other side
    close_output(stream);
    return false;
  }
  log_append(stream, output->bytes + output->length, (size_t)got);
  output->length += (size_t)got;
  if (output->is_bounded) output->budget -= (size_t)got;
  for (struct attachment *one = attachments; one; one = one->next)
    if (!one->streams[stream].careful) one->streams[stream].ready = POLLOUT;
  return true;
}

// False where the reader does not take all.
static bool give(struct attachment *attachment, int stream) {
  struct output *output = &outputs[stream];
  struct end *to = &attachment->streams[stream];
  while (!has_all(attachment, stream)) {
    if (!to->ready) return false;
    ssize_t sent = end_write(to, output->bytes + attachment->taken[stream], output->length - attachment->taken[stream]);
    if (sent >= 0) {
      attachment->taken[stream] += (size_t)sent;
    } else if (errno != EAGAIN) {
      // Of a closed pipe the first client's program is to learn, not the first client.
      bool is_told = errno != EPIPE || !attachment->is_first;
      if (is_told && !attachment->unwritten) attachment->unwritten = stream, attachment->why = errno;
      end_close(to);
      // Who only came by has nothing to wait for; the status of the first client is that of the end.
      if (attachment->unwritten && !attachment->is_first) attachment_fail(attachment);
      // The writer is to learn of it as if nobody stood between them, unless somebody else reads. A log is no reader: who
      // writes without end would fill the disk, long after whoever started it has gone.
      if (attachment->is_first && !has_attachments()) close_output(stream);
    }
  }
  return true;
}

static void move_output(int stream) {
  for (int moves = 0; moves < MOVES_AT_ONCE; moves++) {
    bool all = true;
    for (struct attachment *one = attachments; one; one = one->next) all = give(one, stream) && all;
    if ((!all && !outputs[stream].is_bounded) || !take(stream)) break;
  }
}

void poll_outputs(void) {
  for (int stream = STDOUT; stream <= STDERR; stream++) {
    // One end at a time: the other one's hang-up would wake us again and again with nothing to be done.
    bool all = true;
    for (struct attachment *one = attachments; one; one = one->next) {
      one->streams[stream].ready = 0;
      if (has_all(one, stream)) continue;
      poll_for(&one->streams[stream], POLLOUT);
      all = false;
    }
    outputs[stream].from.ready = 0;
    if (all || outputs[stream].is_bounded) poll_for(&outputs[stream].from, POLLIN);
  }
}

void move_outputs(void) {
  for (int stream = STDOUT; stream <= STDERR; stream++) move_output(stream);
}

void finish_outputs(void) {
  for (int stream = STDOUT; stream <= STDERR; stream++) {
    struct output *output = &outputs[stream];
    int unread = 0;
    if (output->from.fd < 0) continue;
    output->is_bounded = true;
    // A pty tells of its end by itself, and what it still holds cannot be counted.
    if (output->is_terminal) output->budget = TERMINAL_REST_LENGTH;
    else if (!ioctl(output->from.fd, FIONREAD, &unread)) output->budget = (size_t)unread;
    if (!output->budget) close_output(stream);
  }
}

void give_up_outputs(void) {
  for (int stream = STDOUT; stream <= STDERR; stream++)
    if (outputs[stream].from.fd >= 0) close_output(stream);
}

bool outputs_are_taken(void) { return outputs[STDOUT].from.fd < 0 && outputs[STDERR].from.fd < 0; }

void rest_outputs(void) {
  for (int stream = STDOUT; stream <= STDERR; stream++)
    if (all_have_all(stream)) madvise(buffers[stream], BUFFER_LENGTH, MADV_DONTNEED);
}
