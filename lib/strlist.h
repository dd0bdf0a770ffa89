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
/* Adds the string unless the list has it. True when it was added. */
bool strlist_add_unique(struct strlist *list, const char *text);
/* Removes the first such string, and keeps the order of the others. True when there was
 * one. */
bool strlist_remove(struct strlist *list, const char *text);
bool strlist_contains(const struct strlist *list, const char *text);
void strlist_sort(struct strlist *list);
/* strlist_sort_unique() sorts and drops repeated strings. strlist_sorted_contains()
 * looks a string up in a sorted list, in logarithmic time: for lists whose length
 * clients choose. */
void strlist_sort_unique(struct strlist *list);
bool strlist_sorted_contains(const struct strlist *list, const char *text);
/* Whether both lists have the same strings in the same order. */
bool strlist_equal(const struct strlist *a, const struct strlist *b);
struct strlist strlist_copy(const struct strlist *list);
/* "a, b, c" with the given separator; "" for the empty list. The caller frees. */
char *strlist_join(const struct strlist *list, const char *separator);
/* The items between separators, with white space around them removed; empty items are
 * kept as "". */
struct strlist strlist_split(const char *text, char separator);
/* The same, with white space kept. */
struct strlist strlist_split_exact(const char *text, char separator);
/* Frees what the list holds and leaves it empty; the struct itself is the caller's. */
void strlist_clear(struct strlist *list);

#define _cleanup_strlist_ _cleanup_(strlist_clear)

#endif
