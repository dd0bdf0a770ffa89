/*
 * utf8: whether a text is UTF-8 as RFC 3629 defines it: no overlong forms, no
 * surrogates, nothing above U+10FFFF. json-c and most clients do not check; Python, and
 * so OpenStack's services, refuse such texts. Stateless.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stddef.h>

/* How many bytes from the beginning are valid UTF-8: `length` when all are. */
size_t utf8_valid_length(const char *text, size_t length);
/* A copy in which each byte that is not part of valid UTF-8 is taken for a character of
 * Latin-1, the old encoding of HTTP headers. The caller frees it. */
char *utf8_made_valid(const char *text);

#endif
