// What this program can be: an executor by itself, the monitor that keeps a container and forks its executor, what
// starts a monitor beside Node, what attaches to a container that runs, what holds a container's ports of the host, or what
// waits to become another program.

#ifndef ROLES_H
#define ROLES_H

#include <stdbool.h>
#include <sys/types.h>

// Performs what comes over the socket until it closes. `monitor`: where a pty is handed over, or -1.
_Noreturn void init_role(int socket, int monitor);
// Holds the conversation on `control`; init's is on `init`, 0, 1 and 2 are the client's.
_Noreturn void monitor_role(int control, int init);
// Starts a monitor (as `name`), then becomes the program argv[0], in front of which a small process stays; returns where it
// cannot be executed.
void beside_role(char *name, char **argv);
// Forks a monitor (as `name`) and gives its PID, or -1, and where to talk with it and with the init that it will fork.
pid_t start_monitor(char *name, int *control, int *init);
// As beside_role, for argv[2] and what follows; but what is known wholly is performed here, and ends this process. argv[0] and
// argv[1] are the root and the run root unless the words behind the program say otherwise.
void kept_role(char *name, char **argv);
// Forks, and stays in front of the child: ends with the status that the child says on descriptor `told_at`, or as it ends. True in
// the child; false where there is none, in the one process that there is.
bool stand_in_front(int told_at);
// Sleeps args[0] milliseconds, then becomes the program args[1] with the rest; returns, with errno, where it cannot.
void later_role(char **args);
// Attaches at the socket args[0] of a monitor; the rest are options. Gives the exit status.
int attach_role(char **args);
// Holds the ports, says so on descriptor 3, and relays what comes to them, until the parent ends.
_Noreturn void proxy_role(char **ranges);
// Leaves a process in the background that does the same until the container's process of this PID ends, and its PID in the file.
// Gives an exit status.
int hold_role(const char *pid_file, const char *container, char **ranges);

#endif
