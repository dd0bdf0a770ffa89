/*
 * content_length: a Content-Length that libmicrohttpd does not read, before it has tried:
 * one that is no number, that is beyond 64 bits, or that has blanks after it, which are
 * none of its value. It answers with a page of its own, in HTML, before 1.0 with the
 * whole head of the reply twice, and asks nobody. When it tells the target of a request,
 * the header lines that came with it are behind it in the same buffer, which is zero
 * beyond what has come. Where a head comes in pieces, or is long, the page remains. Pure.
 */
#ifndef PLACEMENT_SERVER_HTTP_CONTENT_LENGTH_H
#define PLACEMENT_SERVER_HTTP_CONTENT_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes may be read from `at` on whatever the buffer's size: those of its page
 * of memory. */
size_t content_length_readable(const char *at);

enum content_length {
    CONTENT_LENGTH_CLEAR,  /* there is none, or the library reads it */
    CONTENT_LENGTH_PADDED, /* it is a number with blanks after it */
    CONTENT_LENGTH_HUGE,   /* it is a number beyond 64 bits */
    CONTENT_LENGTH_BAD,    /* it is no number */
};
#define CONTENT_LENGTH_SIZE 21 /* 2^64-1 with its NUL */

/* What the worst Content-Length among the complete lines of that head is. Where it is
 * PADDED, `number` gets the first one. `head` begins with the version, as the library
 * has left it: with NULs in place of the line's end. Reads `size` bytes at most, and none
 * beyond a NUL or the empty line. */
enum content_length content_length_look(const char *head, size_t size,
                                        char number[static CONTENT_LENGTH_SIZE]);

#endif
