// What the parts of the monitor share: one monitor keeps one container for one client.

#ifndef MONITOR_H
#define MONITOR_H

#include "executor.h"
#include "relay.h"

#include <sys/types.h>

enum { STDIN, STDOUT, STDERR, CHANNELS };

struct monitor {
  struct executor executor;
  bool connected;         // the client is there
  int init_socket;        // for init, until it is forked; then -1
  int pty_socket;         // where init hands over a pty; -1 before and after
  int signals;            // signalfd
  pid_t init;             // 0: not forked yet
  pid_t watched;          // 0: none yet
  bool ended;             // the watched process
  int status;             // how, as of waitpid(2)
  struct channel channels[CHANNELS];
};

extern struct monitor monitor;

// monitor_streams.c: the container's input and output, the client's terminal
bool open_container_stdio(int stdio[3], bool input, bool terminal); // opens the container's ends, keeps ours
void take_pty(void);
void connect_client_streams(void);
void disconnect_client_streams(void);
void hang_up_terminal(void);
void finish_streams(void); // the container has ended: what is on its way to the client is all that will come
bool output_is_done(void);
void give_up_output(void);
void restore_terminal(void);
extern const struct op stream_ops[];

// monitor_exit.c: the end of the container
void reap(void);
void kill_half_made(void);
void default_signals(void); // in a child, before it becomes something else
void start_orphan_command(void);
extern const struct op exit_ops[];

#endif
