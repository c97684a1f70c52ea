// The role exec: performs an exec like one before it by itself, without Node, and leaves all others to Node. What is kept of the
// one before may be out of date, or the program missing: then nothing has been done yet that anybody could have noticed, and Node
// begins from the beginning, and says what is wrong.

#include "kept_exec.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBER_LENGTH = 16 };

static size_t count_of(char **words) {
  size_t count = 0;
  while (words[count]) count++;
  return count;
}

// The words behind `PROGRAM FLAG... -- BUNDLE`; the empty list where there is no such thing.
static char **words_for(char **program) {
  char **at = program;
  while (*at && strcmp(*at, "--")) at++;
  return at[0] && at[1] ? at + 2 : at;
}

// Node has the words for what did not go well: it is started to say them, and ends with the status.
static void have_told(char **program, const struct kept_end *end) {
  char status[NUMBER_LENGTH], stream[NUMBER_LENGTH], error[NUMBER_LENGTH];
  snprintf(status, sizeof status, "%d", exit_status_of(end->status));
  snprintf(stream, sizeof stream, "%d", end->stream);
  snprintf(error, sizeof error, "%d", end->error);
  char *lost[] = {"__exec-ended", NULL}, *unwritten[] = {"__exec-ended", status, stream, error, NULL};
  char **words = end->how == MONITOR_LOST ? lost : unwritten;
  size_t before = (size_t)(words_for(program) - program), count = count_of(words);
  char **argv = calloc(before + count + 1, sizeof *argv);
  if (!argv) return;
  memcpy(argv, program, before * sizeof *argv);
  memcpy(argv + before, words, count * sizeof *argv);
  execv(argv[0], argv);
}

void exec_role(char *name, char **argv) {
  char **program = argv + 2;
  struct kept_exec kept;
  if (kept_find(&kept, argv, words_for(program))) {
    int control, init;
    struct kept_end end = {.how = NOT_STARTED};
    if (start_monitor(name, &control, &init) > 0) {
      end = kept_perform(&kept, control, init);
      close(init);
      close(control);
    }
    if (end.how == PROGRAM_ENDED && !end.stream) _exit(exit_status_of(end.status));
    if (end.how != NOT_STARTED) {
      have_told(program, &end);
      return; // there is no Node either
    }
    kept_release(&kept);
  }
  beside_role(name, program);
}
