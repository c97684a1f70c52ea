// Bytes as the inside of a JSON string, escaped as Go's encoder does for Docker's logs.

#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_EXPANSION = 6, JSON_SLACK = 16 }; // the room that is needed: six bytes for each, and so many more

// Writes the text; gives the end of what was written.
char *json_text(char *to, const char *text, size_t length);
// The same of one line: what *text points to, up to the limit or the end of the line; *text moves behind it.
char *json_line(char *to, const char **text, const char *limit);
// Whether it is UTF-8, without overlong forms and surrogates.
bool is_utf8(const char *text, size_t length);

#endif
