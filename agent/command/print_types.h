/*
 * print_types: the output of `types`: for programs, and wide, a row for each type of
 * each card; for people one table for all cards that offer the same types.
 */
#ifndef AGENT_COMMAND_PRINT_TYPES_H
#define AGENT_COMMAND_PRINT_TYPES_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/table.h"

/* Which types to show. All zero: all. Borrowed. */
struct asked_types {
    const struct gpu *gpu;
    const char *type; /* as type_is_called() accepts it */
};

/* Whether a card of the host offers one of these types. */
bool host_offers(const struct host *host, const struct asked_types *asked);

/* Where there are no such types, people get the reason. -1 when standard output
 * failed. */
int print_types(const struct host *host, const struct asked_types *asked,
                const char *sysfs_root, enum output_format format);

#endif
