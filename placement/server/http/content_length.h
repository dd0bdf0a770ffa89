/*
 * content_length: a Content-Length that is no number, before libmicrohttpd has read it:
 * that answers with a page of its own, in HTML and with its header lines twice, and asks
 * nobody. When it tells the target of a request, the header lines that came with it are
 * behind it in the same buffer, which is zero beyond what has come. Where a head comes in
 * pieces, or is long, the page remains. Pure.
 */
#ifndef PLACEMENT_SERVER_HTTP_CONTENT_LENGTH_H
#define PLACEMENT_SERVER_HTTP_CONTENT_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes may be read from `at` on whatever the buffer's size: those of its page
 * of memory. */
size_t content_length_readable(const char *at);

/* Whether a header Content-Length among the complete lines of that head is no number.
 * `head` begins with the version, as the library has left it: with NULs in place of the
 * line's end. Reads `size` bytes at most, and none beyond a NUL or the empty line. */
bool content_length_is_bad(const char *head, size_t size);

#endif
