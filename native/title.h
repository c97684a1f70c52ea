// The words by which others see this process: ps(1), /proc/PID/cmdline.

#ifndef TITLE_H
#define TITLE_H

// To be called first, with the words it was started by: their place is the only one there is.
void keep_title(int argc, char **argv);

// Others in their place, as far as there is room.
void set_title(const char *title);

#endif
