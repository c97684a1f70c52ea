// The end of what the monitor keeps: taken by waitpid(2), recorded durably, cleaned up after where the client is gone.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct timespec ended_at;
static char *exit_path;                   // where the end is recorded, or NULL
static FILE *exit_file;                   // the record, until it is on the disk, or NULL
static char *cleaner_path;                // of a file that is locked by whoever cleans up at the end, and goes with it, or NULL
static char **orphan_argv, **orphan_env;  // what is started at the end without a client, or NULL

static bool reaps_early;
// What has ended before anything is watched: init, the process that goes on in its place, and orphans that this one has left.
struct early_end {
  pid_t pid;
  int status;
};
static struct bytes early_ends; // of these

void default_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
}

static void write_exit(FILE *file) {
  int number = WIFSIGNALED(monitor.status) ? WTERMSIG(monitor.status) : 0;
  fprintf(file, "{\"exitStatus\":%d,\"signal\":", number ? 128 + number : WEXITSTATUS(monitor.status));
  if (number) fprintf(file, "%d", number);
  else fputs("null", file);
  fprintf(file, ",\"finishedAtMs\":%lld}\n", ended_at.tv_sec * 1000LL + ended_at.tv_nsec / 1000000);
}

void record_exit(void) {
  char *new_path;
  if (!exit_path || asprintf(&new_path, "%s.tmp", exit_path) < 0) return;
  exit_file = fopen(new_path, "we");
  if (exit_file) {
    write_exit(exit_file);
    if (fflush(exit_file) || rename(new_path, exit_path)) unlink(new_path);
  }
  free(new_path);
}

// Those who wait know by now: the disk takes milliseconds. A record that a power cut leaves empty is none.
void flush_exit(void) {
  if (!exit_file) return;
  fsync(fileno(exit_file));
  fclose(exit_file);
  exit_file = NULL;
}

static void take_end(int status) {
  monitor.ended = true;
  monitor.status = status;
  clock_gettime(CLOCK_REALTIME, &ended_at);
  close_input();
  finish_outputs();
}

// Before something is watched nothing is reaped, so that the PID to be watched cannot be another process's meanwhile; unless
// the client has said that this would keep others waiting.
void reap(void) {
  int status;
  pid_t pid;
  while ((monitor.watched || reaps_early) && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (forget_proxy(pid)) continue;
    if (!monitor.watched) bytes_append(&early_ends, &(struct early_end){pid, status}, sizeof(struct early_end));
    else if (pid != monitor.watched) probe_ended(pid, status);
    else if (!monitor.ended) take_end(status);
  }
}

// reap_early: for a process in the PID namespace of another container. The kernel lets that one's first process end when all
// others are reaped.
static int64_t op_reap_early(struct executor *executor, const struct arg *args) {
  reaps_early = true;
  return 0;
}

static const struct early_end *early_end_of(pid_t pid) {
  const struct early_end *ends = (const struct early_end *)early_ends.at;
  for (size_t i = 0; i < early_ends.length / sizeof *ends; i++)
    if (ends[i].pid == pid) return &ends[i];
  return NULL;
}

// watch pid: a child of ours; its end is the container's. The container is made: locks that were held meanwhile are given back.
static int64_t op_watch(struct executor *executor, const struct arg *args) {
  siginfo_t info;
  const struct early_end *early = early_end_of((pid_t)args[0].number);
  if (monitor.watched) return errno = EBUSY, -1;
  if (!early && waitid(P_PID, (id_t)args[0].number, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
  monitor.watched = (pid_t)args[0].number;
  slots_close(executor);
  attachment_connect(monitor.client, (int[]){STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, monitor.client_streams);
  begin_probes();
  if (early) take_end(early->status);
  bytes_release(&early_ends);
  reap(); // it may have ended just now
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

// cleaner path: of a file in what is to be cleaned up. While somebody has it locked the command for orphans is not started,
// and afterwards only if it is still there; "" for none
static int64_t op_cleaner(struct executor *executor, const struct arg *args) {
  free(cleaner_path);
  cleaner_path = *args[0].text ? strdup(args[0].text) : NULL;
  return 0;
}

char **copy_list(char **list) {
  size_t count = list_length(list);
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) copy[i] = strdup(list[i]);
  return copy;
}

void release_list(char **list) {
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

// Waits for whoever has said, by a lock, that it will clean up. Whether it died before it had: then its file is still there.
static bool is_left_to_us(void) {
  struct stat locked, there;
  int fd = cleaner_path ? open(cleaner_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
  if (fd < 0) return true;
  flock(fd, LOCK_EX);
  return !fstat(fd, &locked) && !stat(cleaner_path, &there) && locked.st_ino == there.st_ino;
}

void start_orphan_command(void) {
  if (!orphan_argv || !orphan_argv[0] || fork()) return;
  default_signals(); // stdio is /dev/null since the client went
  syscall(SYS_close_range, 3, ~0u, 0);
  if (!is_left_to_us()) _exit(0);
  execve(orphan_argv[0], orphan_argv, orphan_env);
  _exit(127);
}

void kill_children(void) {
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
    {"reap_early", "", op_reap_early, false},
    {"watch", "i", op_watch, false},
    {"signal", "i", op_signal, false},
    {"record_exit", "s", op_record_exit, false},
    {"cleaner", "s", op_cleaner, false},
    {"on_orphan", "ll", op_on_orphan, false},
    {0},
};
