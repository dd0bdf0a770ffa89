/*
 * text_copy: a text into an array of a fixed size. No state.
 */
#ifndef LIB_TEXT_COPY_H
#define LIB_TEXT_COPY_H

#include <stddef.h>

/* Copies `from` with its terminating NUL. A text that does not fit is a bug, and aborts:
 * a part of an identifier would be another identifier. No memory is ever written beyond
 * `size` bytes. */
void text_copy(char *to, size_t size, const char *from);

/* The same for an array itself, not a pointer to it. */
#define text_copy_array(array, from) text_copy((array), sizeof(array), (from))

#endif
