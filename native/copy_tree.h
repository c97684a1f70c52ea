// Copying a directory into an empty one, wholly or not at all.

#ifndef COPY_TREE_H
#define COPY_TREE_H

#include <stdint.h>

// Copies what is in the open directory `source`, and its own attributes, into the empty directory `name` of the open
// directory `holder`. Gives how many things were copied, or -1 with errno; ENOTEMPTY where `name` has entries.
int64_t copy_tree(int source, int holder, const char *name);

#endif
