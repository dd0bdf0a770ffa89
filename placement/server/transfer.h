/*
 * transfer: `placementd --export` and `--import`: the database to another Placement or a
 * file, and the other way, with progress on standard error and the result on standard
 * output. Each can be broken off and run again.
 */
#ifndef PLACEMENT_SERVER_TRANSFER_H
#define PLACEMENT_SERVER_TRANSFER_H

#include "config/placementd_options.h"

#define TRANSFER_CONNECTIONS 4 /* what a Placement that is in use hardly feels */
#define TRANSFER_MOST_CONNECTIONS 64

struct transfer_options {
    bool delete_departed; /* see replay.h */
    unsigned connections; /* to the other Placement; one request is under way on each */
};

/* `to` is a URL or the path of a file. The database may be in use: what is brought there
 * is what it had at one moment. *same tells whether the other side has all of it and
 * nothing else; it is also set for a file. 0, or -1 when it was broken off. */
int transfer_export(struct placementd_config *config, const char *to,
                    const struct transfer_options *options, bool *same,
                    struct error *err);
/* `from` is a URL or the path of a file. No server may be using the database, which is made
 * when it is not there and all was read. */
int transfer_import(struct placementd_config *config, const char *from,
                    const struct transfer_options *options, bool *same,
                    struct error *err);

#endif
