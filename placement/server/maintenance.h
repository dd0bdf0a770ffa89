/*
 * maintenance: what an operator does with a database file: see whether it is sound, and
 * copy it. Both also while a server uses it.
 */
#ifndef PLACEMENT_SERVER_MAINTENANCE_H
#define PLACEMENT_SERVER_MAINTENANCE_H

#include "lib/error.h"

/* Checks the pages of the file, the foreign keys, and all that graph_load() checks.
 * ERROR_INVALID with the first fault. */
int maintenance_check(const char *path, struct error *err);

/* Copies the database `path`, as it is at one moment, to `copy`, which must not exist.
 */
int maintenance_back_up(const char *path, const char *copy, struct error *err);

#endif
