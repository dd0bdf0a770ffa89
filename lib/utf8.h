/*
 * utf8: is a text UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing
 * above U+10FFFF? Python refuses what is not, and json-c lets it through. Stateless.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stddef.h>

/* How many bytes are valid from the beginning: `length` when all are. */
size_t utf8_valid_length(const char *text, size_t length);
/* The same text; where it is not valid, each byte is taken for a character of Latin-1,
 * as HTTP's headers were. The caller frees. */
char *utf8_made_valid(const char *text);

#endif
