// Writing the log. It must never hold the container up or end it: what cannot be written (a full disk) is dropped. Lines
// are gathered and written together, so that a killed monitor leaves at most one line torn; the next writer begins a new one.

#include "monitor_log.h"
#include "json_text.h"
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  PIECE_LENGTH = 16 << 10, // what is longer becomes several entries, as with Docker
  PIECE_ROOM = JSON_EXPANSION * PIECE_LENGTH + JSON_SLACK + 256,
  BUFFER_LENGTH = 256 << 10,
  STRIDE = 64 << 10, // of the file: where writes end at a multiple of it, the kernel takes large pieces of memory for them
  PAGE = 4096,
};

static char *path; // NULL: there is no log
static int64_t max_bytes, max_files;
static int file = -1;
static int64_t size; // of the file, with what is still in the buffer
static bool is_torn; // the last line in the file has no end

static char buffer[BUFFER_LENGTH] __attribute__((aligned(PAGE)));
static size_t length;

static struct unfinished {
  size_t length;
  char bytes[PIECE_LENGTH];
} unfinished[CHANNELS]; // lines

static const char *const names[CHANNELS] = {NULL, "stdout", "stderr"};
static char ending[64]; // of each entry: the stream, the time
static size_t ending_length;

// Appends to what is there; a line that its writer could not end is ended.
static bool open_file(int how) {
  struct stat status;
  char last = '\n';
  file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | how, 0640);
  if (file < 0) return false;
  size = fstat(file, &status) ? 0 : status.st_size;
  if (size > 0 && pread(file, &last, 1, size - 1) == 1) is_torn = last != '\n';
  else is_torn = false;
  return true;
}

// Writes the first bytes of the buffer; if that fails, all that is in it is dropped.
static void flush(size_t count) {
  size_t done = 0;
  while (done < count && file >= 0) {
    ssize_t written = write(file, buffer + done, count - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += (size_t)written;
  }
  if (done) is_torn = buffer[done - 1] != '\n';
  if (done < count) {
    size -= (int64_t)(length - done);
    length = 0;
  } else {
    length -= done;
    memmove(buffer, buffer + done, length);
  }
}

void log_flush(void) { flush(length); }

static void flush_strides(void) {
  size_t beyond = (size_t)size % STRIDE;
  flush(beyond < length ? length - beyond : length);
}

static char *numbered(int64_t number) {
  char *name;
  if (asprintf(&name, "%s.%lld", path, (long long)number) < 0) _exit(125);
  return name;
}

// path becomes path.1, path.1 becomes path.2, …; the last one is lost.
static void rotate(void) {
  log_flush();
  close(file);
  for (int64_t number = max_files - 1; number > 0; number--) {
    char *to = numbered(number), *from = number > 1 ? numbered(number - 1) : NULL;
    rename(from ? from : path, to);
    free(from);
    free(to);
  }
  open_file(O_TRUNC);
}

// Makes room for one entry; false where there is no file to be had.
static bool prepare(void) {
  if (file < 0 && !open_file(0)) return false;
  if (max_bytes > 0 && size >= max_bytes) rotate();
  if (BUFFER_LENGTH - length < PIECE_ROOM) flush_strides();
  if (is_torn && !length) buffer[length++] = '\n', size++; // otherwise the buffer begins with the rest of the line
  return file >= 0;
}

// One entry: the text up to its end, or to that of the line; gives the end of what is in it.
static const char *write_entry(const char *text, const char *text_end) {
  bool has_file = prepare();
  char *begin = buffer + length, *to = begin;
  memcpy(to, "{\"log\":\"", 8);
  to = json_line(to + 8, &text, text_end);
  memcpy(to, ending, sizeof ending); // all of it: a length that the compiler knows costs it no call
  to += ending_length;
  if (has_file) length += (size_t)(to - begin), size += to - begin;
  return text;
}

// The time as Go's RFC3339Nano: without zeros at the end.
static void set_ending(int stream) {
  struct timespec now;
  struct tm utc;
  char date[32], fraction[16];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  int digits = snprintf(fraction, sizeof fraction, ".%09ld", now.tv_nsec);
  while (digits > 0 && (fraction[digits - 1] == '0' || fraction[digits - 1] == '.')) {
    bool is_point = fraction[--digits] == '.';
    fraction[digits] = 0;
    if (is_point) break;
  }
  int written = snprintf(ending, sizeof ending, "\",\"stream\":\"%s\",\"time\":\"%s%sZ\"}\n", names[stream], date, fraction);
  ending_length = (size_t)written;
}

// Continues a line that has begun before; gives the end of what belongs to it.
static const char *continue_line(struct unfinished *line, const char *bytes, const char *end) {
  size_t room = PIECE_LENGTH - line->length, piece = (size_t)(end - bytes) < room ? (size_t)(end - bytes) : room;
  const char *newline = memchr(bytes, '\n', piece);
  if (newline) piece = (size_t)(newline - bytes) + 1;
  memcpy(line->bytes + line->length, bytes, piece);
  line->length += piece;
  if (newline || piece == room) {
    write_entry(line->bytes, line->bytes + line->length);
    line->length = 0;
  }
  return bytes + piece;
}

void log_append(int stream, const char *bytes, size_t count) {
  if (!path || !count) return;
  set_ending(stream);
  struct unfinished *line = &unfinished[stream];
  const char *end = bytes + count, *newline = memrchr(bytes, '\n', count);
  if (line->length) bytes = continue_line(line, bytes, end);
  // Looking for the end of each line before it is escaped would mean to go through all of it twice.
  while (end - bytes >= PIECE_LENGTH || (newline && bytes <= newline))
    bytes = write_entry(bytes, end - bytes < PIECE_LENGTH ? end : bytes + PIECE_LENGTH);
  if (bytes == end) return;
  line->length = (size_t)(end - bytes);
  memcpy(line->bytes, bytes, line->length);
}

void log_finish(int stream) {
  struct unfinished *line = &unfinished[stream];
  if (path && line->length) {
    set_ending(stream);
    write_entry(line->bytes, line->bytes + line->length);
  }
  line->length = 0;
  log_flush();
}

void log_rest(void) { madvise(buffer, sizeof buffer, MADV_DONTNEED); }

// log_to path max_bytes max_files: "" for no log; 0 bytes for no limit, beyond it path becomes path.1 and so on
static int64_t op_log_to(struct executor *executor, const struct arg *args) {
  log_flush();
  if (file >= 0) close(file);
  file = -1;
  free(path);
  path = *args[0].text ? strdup(args[0].text) : NULL;
  max_bytes = args[1].number;
  max_files = args[2].number;
  return 0;
}

const struct op log_ops[] = {
    {"log_to", "sii", op_log_to, false},
    {0},
};
