/*
 * json_write: JSON out, as a stream into a buffer. json-c can print a tree, but
 * building one for the replies to large queries costs many times what writing their
 * text costs; so writers emit text, and json-c only reads. Commas and colons come by
 * themselves. Strings must be UTF-8 and are escaped as JSON demands ('/' is left
 * alone), and so are all other control characters, which a terminal could take for
 * commands. Never fails: memory aborts, and wrong nesting is a bug caught by assert().
 */
#ifndef LIB_JSON_WRITE_H
#define LIB_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/strlist.h"

struct json_writer {
    struct buffer out; /* a caller may set its `max`: what no longer fits is dropped */
    unsigned depth;
    bool need_comma;
};

/* All zero is an empty writer. */
void json_write_begin_object(struct json_writer *w);
void json_write_end_object(struct json_writer *w);
void json_write_begin_array(struct json_writer *w);
void json_write_end_array(struct json_writer *w);
/* The name of the member whose value comes next. */
void json_write_key(struct json_writer *w, const char *name);
/* NULL is written as null */
void json_write_string(struct json_writer *w, const char *text);
void json_write_int(struct json_writer *w, int64_t number);
/* The shortest text that reads back as the same double, always with a '.' or an
 * exponent: 1.0, 16.0, 0.1. JSON has no infinity and no NaN: null. */
void json_write_double(struct json_writer *w, double number);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_strings(struct json_writer *w, const struct strlist *list);

/* A member of an object, name and value. */
void json_write_string_member(struct json_writer *w, const char *name,
                              const char *text);
void json_write_int_member(struct json_writer *w, const char *name, int64_t number);
/* null where the number is not known. */
void json_write_known_int_member(struct json_writer *w, const char *name, bool known,
                                 int64_t number);
void json_write_bool_member(struct json_writer *w, const char *name, bool value);

/* Gives the text, NUL-terminated, to the caller (free()) and empties the writer.
 * `length` may be NULL. */
char *json_writer_take(struct json_writer *w, size_t *length);
/* Drops what was written; the writer is empty again. */
void json_writer_clear(struct json_writer *w);

#endif
