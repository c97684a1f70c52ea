// The events of what was planned before: lines that Node has left, with gaps for what is known only now.

#include "kept.h"
#include "json_text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Characters that JSON cannot have (src/containers/kept.ts).
enum { GAP_COMMAND = 1, GAP_ID, GAP_STATUS, GAP_SECONDS, GAP_NANOSECONDS };

static void append_json(struct bytes *bytes, const char *text) {
  size_t length = strlen(text);
  char *escaped = malloc(length * JSON_EXPANSION + JSON_SLACK);
  if (!escaped) return;
  bytes_append(bytes, escaped, (size_t)(json_text(escaped, text, length) - escaped));
  free(escaped);
}

static void append_command(struct bytes *bytes, char **words) {
  for (char **word = words; *word; word++) {
    if (word != words) bytes_append(bytes, " ", 1);
    append_json(bytes, *word);
  }
}

static void append_number(struct bytes *bytes, long long number) {
  char text[32];
  bytes_append(bytes, text, (size_t)snprintf(text, sizeof text, "%lld", number));
}

char **kept_events(const struct kept *kept) { return kept->request.args[strlen(kept->request.tags) - 1].list; }

void kept_tell(const struct kept *kept, const char *lines, const char *id, int status) {
  struct bytes text = {0};
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  for (const char *at = lines; *at; at++) {
    switch (*at) {
    case GAP_COMMAND: append_command(&text, kept->words); break;
    case GAP_ID: bytes_append(&text, id, strlen(id)); break;
    case GAP_STATUS: append_number(&text, status); break;
    case GAP_SECONDS: append_number(&text, now.tv_sec); break;
    case GAP_NANOSECONDS: append_number(&text, now.tv_sec * 1000000000LL + now.tv_nsec); break;
    default: bytes_append(&text, at, 1);
    }
    if (*at == '\n') now.tv_nsec++; // a later line is a later event
  }
  signal(SIGXFSZ, SIG_IGN); // a caller's limit of file sizes is none of the program's end; Node ignores it as well
  // In one write at the end of the file, so that many may do so at once. What is done is done, whether it can be told or not.
  int fd = open(kept_events(kept)[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0 && write(fd, text.at, text.length) < 0) {
  }
  if (fd >= 0) close(fd);
  bytes_release(&text);
}
