// What a process is called by those who look at it, inside of containers too: they need not learn where on the host this
// program lies.

#include "title.h"

#include <string.h>

static char *start;
static size_t room;

void keep_title(int argc, char **argv) {
  start = argv[0];
  room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - start);
}

void set_title(const char *title) {
  size_t length = strlen(title);
  memset(start, 0, room);
  memcpy(start, title, length < room ? length : room);
}
