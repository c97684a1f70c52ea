// The end of what the monitor keeps: taken by waitpid(2), recorded durably, cleaned up after where the client is gone.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *exit_path;                   // where the end is recorded, or NULL
static char **orphan_argv, **orphan_env;  // what is started at the end without a client, or NULL

void default_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
}

static void write_exit(FILE *file) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int number = WIFSIGNALED(monitor.status) ? WTERMSIG(monitor.status) : 0;
  fprintf(file, "{\"exitStatus\":%d,\"signal\":", number ? 128 + number : WEXITSTATUS(monitor.status));
  if (number) fprintf(file, "%d", number);
  else fputs("null", file);
  fprintf(file, ",\"finishedAtMs\":%lld}\n", now.tv_sec * 1000LL + now.tv_nsec / 1000000);
}

static void record_exit(void) {
  char *new_path;
  if (!exit_path || asprintf(&new_path, "%s.tmp", exit_path) < 0) return;
  FILE *file = fopen(new_path, "we");
  if (file) {
    write_exit(file);
    bool complete = !fflush(file) && !fsync(fileno(file));
    fclose(file);
    if (complete) rename(new_path, exit_path);
  }
  free(new_path);
}

// Before something is watched nothing is reaped, so that the PID to be watched cannot be another process's meanwhile.
void reap(void) {
  int status;
  pid_t pid;
  while (monitor.watched && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != monitor.watched || monitor.ended) continue;
    monitor.ended = true;
    monitor.status = status;
    record_exit();
    finish_streams();
  }
}

// watch pid: a child of ours; its end is the container's
static int64_t op_watch(struct executor *executor, const struct arg *args) {
  siginfo_t info;
  if (monitor.watched) return errno = EBUSY, -1;
  if (waitid(P_PID, (id_t)args[0].number, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
  monitor.watched = (pid_t)args[0].number;
  connect_client_streams();
  reap(); // it may have ended already
  return 0;
}

// signal number: to the watched process
static int64_t op_signal(struct executor *executor, const struct arg *args) {
  if (!monitor.watched || monitor.ended) return errno = ESRCH, -1;
  return kill(monitor.watched, (int)args[0].number);
}

// record_exit path: "" for no longer
static int64_t op_record_exit(struct executor *executor, const struct arg *args) {
  free(exit_path);
  exit_path = *args[0].text ? strdup(args[0].text) : NULL;
  return 0;
}

static char **copy_list(char **list) {
  size_t count = 0;
  while (list[count]) count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) copy[i] = strdup(list[i]);
  return copy;
}

static void release_list(char **list) {
  for (char **text = list; text && *text; text++) free(*text);
  free(list);
}

// on_orphan argv env: what is started where the client is gone at the end; nothing where argv is empty
static int64_t op_on_orphan(struct executor *executor, const struct arg *args) {
  release_list(orphan_argv);
  release_list(orphan_env);
  orphan_argv = copy_list(args[0].list);
  orphan_env = copy_list(args[1].list);
  return 0;
}

void start_orphan_command(void) {
  if (!orphan_argv || !orphan_argv[0] || fork()) return;
  default_signals(); // stdio is /dev/null since the client went
  syscall(SYS_close_range, 3, ~0u, 0);
  execve(orphan_argv[0], orphan_argv, orphan_env);
  _exit(127);
}

static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *children = fopen(path, "re");
  if (children) {
    for (int pid; fscanf(children, "%d", &pid) == 1;) kill(pid, SIGKILL);
    fclose(children);
  } else if (monitor.init) {
    kill(monitor.init, SIGKILL);
  }
}

// The client went before anything was watched: there is no container, only a half-made one.
void kill_half_made(void) {
  do kill_children();
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

const struct op exit_ops[] = {
    {"watch", "i", op_watch, false},
    {"signal", "i", op_signal, false},
    {"record_exit", "s", op_record_exit, false},
    {"on_orphan", "ll", op_on_orphan, false},
    {0},
};
