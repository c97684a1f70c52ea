// Removing a whole directory tree that may be hostile.

#ifndef REMOVE_TREE_H
#define REMOVE_TREE_H

#include <stdint.h>

// Removes what the path, seen from the open directory, stands for and all below it. There it never follows a link, leaves the
// file system or enters a mount (EXDEV, EBUSY). Gives how many things were removed, or -1 with errno.
int64_t remove_tree(int directory, const char *path);

#endif
