// Unix sockets whose path may be longer than an address can be: they are reached through their open directory.

#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

// A stream socket that listens there, for root alone, without waiting in accept(2); -1 with errno.
int listen_at(const char *path);
// One that is connected to who listens there; -1 with errno.
int connect_at(const char *path);

#endif
