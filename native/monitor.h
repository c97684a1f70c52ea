// What the parts of the monitor share: one monitor keeps one container.

#ifndef MONITOR_H
#define MONITOR_H

#include "attachment.h"
#include "end.h"
#include "executor.h"

#include <sys/types.h>

struct monitor {
  struct executor executor;
  struct attachment *client; // who started the container
  int client_streams;        // which ones that one sees (WANTS_…)
  struct end control;  // the conversation with the client; none once that is gone
  int init_socket;     // for init, until it is forked; then -1
  struct end pty;      // where init hands over a pty; none before and after
  struct end signals;  // signalfd
  pid_t init;          // 0: not forked yet
  pid_t watched;       // 0: none yet
  bool ended;          // the watched process
  bool over;           // its output is taken as well, and its end is recorded
  int status;          // how it ended, as of waitpid(2)
};

extern struct monitor monitor;

// monitor.c
void tell_client(char event, const void *data, size_t length);

// monitor_streams.c: the container's ends of its streams, and the client's terminal
bool open_container_stdio(int stdio[3], bool input, bool terminal); // opens the container's ends, keeps ours
void close_container_stdio(void); // our ends, of a container that did not come to be
void take_pty(void);
extern const struct op stream_ops[];

// monitor_output.c: what the container writes goes to the log and to all that are attached
void set_output(int stream, int fd, bool is_terminal);
int terminal_fd(void); // the container's, or -1
bool output_is_terminal(void);
void poll_outputs(void);
void move_outputs(void);
void finish_outputs(void); // the container has ended: what it has written so far is all that is still taken
void give_up_outputs(void);
bool outputs_are_taken(void);
size_t output_length(int stream); // of what is in the buffer
bool has_all_output(const struct attachment *);
void rest_outputs(void);

// monitor_input.c: what those that are attached type goes to the container
enum input { INPUT_NONE, INPUT_ONCE, INPUT_OPEN }; // once: its end is the container's
void expect_input(enum input);
void set_input(int fd);
bool input_is_open(void);
void poll_input(void);
void move_input(void);
void end_input(struct attachment *); // of one that gives no more
void close_input(void);
void rest_input(void);

// monitor_exit.c: the end of the container
void reap(void);
void record_exit(void);
void flush_exit(void);
void kill_half_made(void);
void kill_children(void);
void default_signals(void); // in a child, before it becomes something else
void start_orphan_command(void);
char **copy_list(char **list); // of texts, with NULL at the end
void release_list(char **list);
extern const struct op exit_ops[];

// monitor_publish.c: the process that holds the published ports
void end_publishing(void); // their ports are free afterwards
bool forget_proxy(pid_t);  // where it was that one which has ended, by itself
extern const struct op publish_ops[];
// monitor_probe.c: a command that is started again and again while the container runs
void begin_probes(void);
void start_due_probe(void);
void probe_ended(pid_t, int status); // of any child
int until_probe(int timeout_ms);     // the time to wait where one is due before that (-1: never)
extern const struct op probe_ops[];

// monitor_listen.c: the socket at which others attach, and what they say
void poll_listener(void);
int until_retry(int timeout_ms); // the time to wait where some could not be accepted and that is to be tried before (-1: never)
bool accept_all(void);           // whether anybody has come
void accept_due(void);
void serve_attachments(void);
void stop_listening(void); // nobody else comes; those who have are still told how it ended
extern const struct op listen_ops[];

#endif
