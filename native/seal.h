// Running from a copy of this program that nobody can write to.

#ifndef SEAL_H
#define SEAL_H

// Goes on as a sealed copy in memory: returns 0 in there; in the original only when that failed, -1 with errno.
int become_sealed(char **argv);

#endif
