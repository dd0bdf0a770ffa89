/*
 * head: whether the head of a request has something that libmicrohttpd does not tell
 * of. Before 1.0 it takes the value of a header up to the first NUL in it, and of a
 * header that is folded over two lines it adds the second one to the name. It leaves
 * the head where it came in, with NULs in place of what ended names, values and lines,
 * so that what lies between the headers can be looked at. A NUL before a bare line feed
 * looks there as the end of a line does; it is seen only where the lines are still as
 * they came, with head_has_nul(). In a head that comes in pieces, or is long, it is
 * not: what is taken is then the value without it. Pure.
 */
#ifndef PLACEMENT_SERVER_HTTP_HEAD_H
#define PLACEMENT_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct head {
    const char *at, *end; /* where the last text ended, where the head does */
    bool unclear;         /* there is more than what was told */
};

/* Whether a NUL was sent in a header line. `head` begins with the version and the NULs
 * in place of its line's end, and is zero beyond what has come. Reads `size` bytes at
 * most, and none behind the empty line. */
bool head_has_nul(const char *head, size_t size);

/* `version` ("HTTP/1.1") is where it came in, before the headers; `end` is that of the
 * empty line. Both are borrowed. */
void head_begin(struct head *head, const char *version, const char *end);
/* The next header, in the order in which they came. */
void head_take(struct head *head, const char *name, const char *value);
/* All have been taken. True where there was more between them. */
bool head_is_unclear(struct head *head);

#endif
