// The container's log: Docker's json-file, one line of JSON for each line that the container writes.

#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include "executor.h"

// Takes what a stream (STDOUT, STDERR) has given; it is in the file after log_flush.
void log_append(int stream, const char *bytes, size_t count);
// The stream has ended: a last line without an end is taken as it is.
void log_finish(int stream);
void log_flush(void);
// Nothing is to be expected for a while: gives memory back.
void log_rest(void);
extern const struct op log_ops[];

#endif
