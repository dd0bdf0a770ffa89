/*
 * query: the part of a URL after '?', decoded ("%41", '+' as a blank) into names and
 * values in their order; a name may come more than once.
 *
 * Plain data; the strings belong to the query. Stateless.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_QUERY_H
#define PLACEMENT_SERVER_MESSAGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define QUERY_MAX_ITEMS 1000

struct query_item {
    const char *name, *value; /* UTF-8; "" where the text has none */
};

struct query {
    struct query_item *items;
    size_t count;
    char *storage;
};

/* `text` may be NULL. ERROR_INVALID with upstream's words when it is not UTF-8 (or
 * holds NUL, or more than QUERY_MAX_ITEMS). */
int query_parse(const char *text, struct query *out, struct error *err);
void query_clear(struct query *query);

/* The last value of that name, NULL when there is none: the one that counts where a
 * name is meant to come once. */
const char *query_last(const struct query *query, const char *name);
size_t query_count(const struct query *query, const char *name);

/* A path with its %XX decoded, each byte for a character of Latin-1 as in WSGI: only
 * refusals show those beyond ASCII, and so do as upstream's. The caller frees; NULL
 * when there is a NUL in it. */
char *query_decode_path(const char *path);

#endif
