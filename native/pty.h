// A pseudo terminal: opened by init from the container's own devpts, its controlling end handed to the monitor.

#ifndef PTY_H
#define PTY_H

// Receives a descriptor that was handed over; -1 with errno, ECONNRESET where the other end is gone.
int receive_descriptor(int socket);

#endif
