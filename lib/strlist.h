/*
 * strlist: an owned, growing list of strings. Plain data; all zero is the empty list.
 * Not thread safe.
 */
#ifndef LIB_STRLIST_H
#define LIB_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"

struct strlist {
    char **items;
    size_t count;
};

void strlist_add(struct strlist *list, const char *text);
void strlist_add_take(struct strlist *list, char *text);
/* Adds unless it is there. True when it was added. */
bool strlist_add_unique(struct strlist *list, const char *text);
/* True when it was there. The order of the others stays. */
bool strlist_remove(struct strlist *list, const char *text);
bool strlist_contains(const struct strlist *list, const char *text);
void strlist_sort(struct strlist *list);
/* The same, each string once; and whether a list in that order has one: for lists that
 * strangers fill. */
void strlist_sort_unique(struct strlist *list);
bool strlist_sorted_contains(const struct strlist *list, const char *text);
/* Same strings in the same order. */
bool strlist_equal(const struct strlist *a, const struct strlist *b);
struct strlist strlist_copy(const struct strlist *list);
/* "a, b, c" with the given separator; "" for the empty list. The caller frees. */
char *strlist_join(const struct strlist *list, const char *separator);
/* Items between separators, stripped of white space; empty items are kept as "". */
struct strlist strlist_split(const char *text, char separator);
/* The same as they are. */
struct strlist strlist_split_exact(const char *text, char separator);
/* Frees what the list holds and leaves it empty; the struct itself is the caller's. */
void strlist_clear(struct strlist *list);

#define _cleanup_strlist_ _cleanup_(strlist_clear)

#endif
