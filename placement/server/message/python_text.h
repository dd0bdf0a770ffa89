/*
 * python_text: texts as Python prints them, since upstream's error messages quote what
 * was wrong in that way and its clients' tests look at them. Stateless.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_PYTHON_TEXT_H
#define PLACEMENT_SERVER_MESSAGE_PYTHON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/strlist.h"

/* repr() of a string: 'text', or "it's". The caller frees. */
char *python_repr(const char *text);
/* The beginning of that, when the text has more than `most` bytes: those and the rest
 * of a character, between quotes. */
char *python_repr_cut(const char *text, size_t most);
/* ['a', 'b']. The caller frees. */
char *python_repr_list(const struct strlist *list);

/* What Python's int() takes: blanks around, a sign, single '_' between digits. False
 * when it is no number; too large ones become the largest. */
bool python_int(const char *text, int64_t *out);

#endif
