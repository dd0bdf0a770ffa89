/*
 * maintenance: what an operator does with a database file: see whether it is sound, and
 * copy it. Both also while a server uses it.
 */
#ifndef PLACEMENT_SERVER_MAINTENANCE_H
#define PLACEMENT_SERVER_MAINTENANCE_H

#include "lib/error.h"

/* The pages, the foreign keys, and all that graph_load() looks at. ERROR_INVALID with
 * the first fault. */
int maintenance_check(const char *path, struct error *err);

/* Copies `path` as it is at one moment to `copy`, which must not be there yet. */
int maintenance_back_up(const char *path, const char *copy, struct error *err);

#endif
