// What this program can be: an executor by itself, the monitor that keeps a container and forks its executor, or what
// starts a monitor beside Node.

#ifndef ROLES_H
#define ROLES_H

// Performs what comes over the socket until it closes. `monitor`: where a pty is handed over, or -1.
_Noreturn void init_role(int socket, int monitor);
// Holds the conversation on `control`; init's is on `init`, 0, 1 and 2 are the client's.
_Noreturn void monitor_role(int control, int init);
// Starts a monitor (as `name`), then becomes the program argv[0]; returns where that cannot be executed.
void beside_role(char *name, char **argv);

#endif
