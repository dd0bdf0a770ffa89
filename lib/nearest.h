/*
 * nearest: which of the known names was probably meant by one that is not known, for
 * "did you mean ...?" in messages. Stateless.
 */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

#include <stddef.h>

#include "lib/strlist.h"

#define NEAREST_MOST 3

/* Adds to `out` up to NEAREST_MOST of the `count` names that are a slip of the finger
 * away from `word` (letters missing, wrong, too many or swapped; case does not count),
 * or that begin with it, the nearest first. Of names that differ in their numbers only,
 * those with two digits swapped: other numbers are other things. None may be. Names of
 * over 63 characters are compared by their first 63. */
void nearest_names(const char *word, const char *const *names, size_t count,
                   struct strlist *out);

#endif
