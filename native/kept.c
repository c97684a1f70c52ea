// The role kept: performs by itself, without Node, what was planned wholly before, and leaves all else to Node. What is kept may be
// out of date, or something may fail: then nothing has been done that anybody could have noticed, or what every command can go on
// from, and Node begins from the beginning, and says what is wrong.

#include "kept_exec.h"
#include "kept_stop.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_LENGTH = 16 };

// The words behind `PROGRAM FLAG... -- BUNDLE`; the empty list where there is no such thing.
static char **words_for(char **program) {
  char **at = program;
  while (*at && strcmp(*at, "--")) at++;
  return at[0] && at[1] ? at + 2 : at;
}

// The same program with other words behind those up to `end`.
static char **with_words(char **program, char **end, char **words) {
  size_t before = (size_t)(end - program), count = list_length(words);
  char **argv = calloc(before + count + 1, sizeof *argv);
  if (!argv) _exit(125);
  memcpy(argv, program, before * sizeof *argv);
  memcpy(argv + before, words, count * sizeof *argv);
  return argv;
}

// Node has the words for what did not go well: it is started to say them, and ends with the status.
static void have_told(char **program, const struct exec_end *end) {
  char status[NUMBER_LENGTH], stream[NUMBER_LENGTH], error[NUMBER_LENGTH];
  snprintf(status, sizeof status, "%d", exit_status_of(end->status));
  snprintf(stream, sizeof stream, "%d", end->stream);
  snprintf(error, sizeof error, "%d", end->error);
  char *lost[] = {"__exec-ended", NULL}, *unwritten[] = {"__exec-ended", status, stream, error, NULL};
  char **argv = with_words(program, words_for(program), end->how == MONITOR_LOST ? lost : unwritten);
  execv(argv[0], argv);
}

// Whether it is all that there is to do: else the program is to begin.
static bool perform_exec(const struct kept *kept, char **program, int control, int init) {
  struct exec_end end = kept_exec_perform(kept, control, init);
  if (end.how == NOT_STARTED) return false;
  if (end.how == PROGRAM_ENDED && !end.stream) _exit(exit_status_of(end.status));
  have_told(program, &end);
  return true; // there is no Node either
}

// Gives the words for Node, if there is something left to do.
static char **perform_stop(const struct kept *kept, char **program, int control) {
  char **name = kept->words - 1;
  enum stop_end end = kept_stop_perform(kept, control);
  if (end == STOP_TOO_LONG) return with_words(program, name, (char *[]){"--signal", "SIGKILL", *name, NULL});
  if (end == STOP_INCOMPLETE) return program;
  dprintf(STDOUT_FILENO, "%s\n", *name);
  _exit(0);
}

void kept_role(char *name, char **argv) {
  char **program = argv + 2;
  struct kept kept;
  int control, init;
  enum kept_kind kind = kept_find(&kept, argv, words_for(program));
  if (kind != KEPT_NOTHING && start_monitor(name, &control, &init) > 0) {
    if (kind == KEPT_STOP) program = perform_stop(&kept, program, control);
    else if (perform_exec(&kept, program, control, init)) return;
    close(init);
    close(control);
  }
  beside_role(name, program);
}
