/*
 * printable: texts from outside (names of domains, providers and traits, replies of
 * servers) as they may be shown on a terminal, which takes control characters for
 * commands: ESC begins an escape sequence, and so does U+009B, or in an 8-bit terminal
 * the byte 0x9b. Characters that turn the direction of what follows make one name look
 * like another. Stateless.
 */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include <stddef.h>

/* Replaces each control character of the first `length` bytes by one '?', in place: of
 * ASCII, of U+0080 to U+009F, of direction, and what is not UTF-8 at all. Gives the new
 * length, which is at most `length`. */
size_t printable_make(char *text, size_t length);
/* The same in a copy, which the caller frees. NULL gives NULL. */
char *printable_copy(const char *text);

#endif
