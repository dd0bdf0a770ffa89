/*
 * text_wrap: lines for people that end before the terminal does. Stateless.
 */
#ifndef LIB_TEXT_WRAP_H
#define LIB_TEXT_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Columns on a terminal: bytes that continue a UTF-8 character take no room. */
size_t text_columns(const char *text);
/* How many bytes the first character has; 0 at the end. */
size_t text_character(const char *text);

/* Writes the words of `text`, `indent` columns in, on as many lines as it takes that
 * none is longer than `width`. A word that is longer stands on a line of its own,
 * whole, so that it can be searched for and copied. Control characters become '?'. What
 * stands in back quotes is one word where a line has room for it. */
void text_wrap(const char *text, size_t indent, size_t width, FILE *out);

/* The same beside `label`, which is in the first columns of the first line, or where it is
 * too long has a line of its own. */
void text_wrap_labelled(const char *label, const char *text, size_t indent,
                        size_t width, FILE *out);

#endif
