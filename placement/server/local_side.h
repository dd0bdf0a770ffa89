/*
 * local_side: a database of placementd's as one end of a transfer: the API's own handlers
 * answer, without sockets, as for an administrator. A write is on disk after settle().
 */
#ifndef PLACEMENT_SERVER_LOCAL_SIDE_H
#define PLACEMENT_SERVER_LOCAL_SIDE_H

#include "config/placementd_options.h"
#include "placement/transfer/side.h"

/* Opens the database, which no server may be using, and makes it where there is none.
 * `name` is for messages. The strings of `config` are borrowed for its whole life. */
int local_side_open(const char *path, const char *name,
                    const struct placementd_config *config, struct side **out,
                    struct error *err);

#endif
