/*
 * print_types: what `types` shows: for programs, and wide, a row for each type of each
 * card; for people one table for all cards that offer the same.
 */
#ifndef AGENT_COMMAND_PRINT_TYPES_H
#define AGENT_COMMAND_PRINT_TYPES_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/table.h"

/* All zero: everything. Borrowed. */
struct asked_types {
    const struct gpu *gpu;
    const char *type; /* as type_is_called() takes it */
};

/* Some card of the host has some of them. */
bool host_offers(const struct host *host, const struct asked_types *asked);

/* Where there are none, people read why. -1 when standard output failed. */
int print_types(const struct host *host, const struct asked_types *asked,
                const char *sysfs_root, enum output_format format);

#endif
