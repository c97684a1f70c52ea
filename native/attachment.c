// Attachments: their streams, their terminals, and what they are told.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct attachment *attachments;

struct attachment *attachment_new(int socket) {
  struct attachment *attachment = calloc(1, sizeof *attachment);
  if (!attachment) return NULL;
  attachment->socket = (struct end){.fd = socket};
  attachment->is_first = socket < 0;
  attachment->terminal = -1;
  for (int stream = 0; stream < CHANNELS; stream++) attachment->streams[stream] = NO_END;
  attachment->next = attachments;
  attachments = attachment;
  return attachment;
}

void attachment_connect(struct attachment *attachment, const int stdio[CHANNELS], int wanted) {
  for (int stream = STDOUT; stream <= STDERR; stream++) {
    if (!(wanted & (stream == STDOUT ? WANTS_STDOUT : WANTS_STDERR))) continue;
    attachment->taken[stream] = output_length(stream);
    attachment->streams[stream] = end_open(stdio[stream], O_WRONLY);
  }
  if ((wanted & WANTS_STDIN) && input_is_open()) attachment->streams[STDIN] = end_open(stdio[STDIN], O_RDONLY);
  if (wanted & WANTS_RAW) attachment_make_raw(attachment, stdio[STDIN]);
}

int attachment_make_raw(struct attachment *attachment, int terminal) {
  if (attachment->terminal < 0 && tcgetattr(terminal, &attachment->cooked)) return -1;
  attachment->raw = attachment->cooked;
  cfmakeraw(&attachment->raw);
  if (tcsetattr(terminal, TCSANOW, &attachment->raw)) return -1;
  if (attachment->terminal < 0) attachment->terminal = fcntl(terminal, F_DUPFD_CLOEXEC, 3);
  return 0;
}

// Where the client was killed, a shell may have gone on already and set the terminal as it wants it.
static bool is_still_raw(const struct attachment *attachment) {
  const struct termios *raw = &attachment->raw;
  struct termios now;
  if (tcgetattr(attachment->terminal, &now)) return false;
  return now.c_lflag == raw->c_lflag && now.c_iflag == raw->c_iflag && now.c_oflag == raw->c_oflag;
}

void attachment_restore_terminal(struct attachment *attachment) {
  if (attachment->terminal < 0) return;
  if (is_still_raw(attachment)) tcsetattr(attachment->terminal, TCSANOW, &attachment->cooked);
  close(attachment->terminal);
  attachment->terminal = -1;
}

void attachment_let_go(struct attachment *attachment) {
  attachment_restore_terminal(attachment);
  for (int stream = 0; stream < CHANNELS; stream++) end_close(&attachment->streams[stream]);
  if (!attachment->is_first) return;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  close(null);
}

// A message is its kind, the length of what follows, and that.
static void tell(struct attachment *attachment, uint8_t kind, const void *data, uint8_t length) {
  uint8_t message[2 + UINT8_MAX] = {kind, length};
  memcpy(message + 2, data, length);
  end_write(&attachment->socket, message, 2u + length); // there is room: nothing else is ever told
}

void attachment_detach(struct attachment *attachment) {
  attachment_let_go(attachment); // before anybody hears of it, who may write to the terminal at once
  if (attachment->is_first) tell_client('d', NULL, 0);
  else tell(attachment, 'd', "", 0);
}

void attachment_fail(struct attachment *attachment) {
  int32_t what[] = {attachment->unwritten, attachment->why};
  attachment_let_go(attachment);
  tell(attachment, 'f', what, sizeof what);
}

void attachment_release(struct attachment *attachment) {
  if (attachment->streams[STDIN].fd >= 0) end_input(attachment);
  attachment_let_go(attachment);
  end_close(&attachment->socket);
}

bool has_attachments(void) {
  for (struct attachment *one = attachments; one; one = one->next)
    if (one->socket.fd >= 0) return true;
  return false;
}

void tell_end(void) {
  int32_t status = monitor.status;
  for (struct attachment *one = attachments; one; one = one->next) {
    if (one->socket.fd < 0 || !has_all_output(one)) continue;
    attachment_restore_terminal(one);
    tell(one, 'x', &status, sizeof status);
    attachment_release(one);
  }
}

// Forgets those that have been released.
static void sweep(void) {
  for (struct attachment **link = &attachments; *link;) {
    struct attachment *one = *link;
    if (one->is_first || one->socket.fd >= 0) {
      link = &one->next;
      continue;
    }
    *link = one->next;
    free(one);
  }
}

void poll_attachments(void) {
  sweep();
  for (struct attachment *one = attachments; one; one = one->next) poll_for(&one->socket, POLLIN);
}
