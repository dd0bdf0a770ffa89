/*
 * transfer: `placementd --export` and `--import`: the database to another Placement or a
 * file, and the other way, with progress on standard error and the result on standard
 * output. Each can be broken off and run again.
 */
#ifndef PLACEMENT_SERVER_TRANSFER_H
#define PLACEMENT_SERVER_TRANSFER_H

#include "config/placementd_options.h"

/* `to` is a URL or the path of a file. The database may be in use: what is brought there
 * is what it had at one moment. *same tells whether the other side has all of it and
 * nothing else; it is also set for a file. `delete_departed`: see replay.h. 0, or -1 when it was broken off. */
int transfer_export(struct placementd_config *config, const char *to,
                    bool delete_departed, bool *same, struct error *err);
/* `from` is a URL or the path of a file. No server may be using the database. */
int transfer_import(struct placementd_config *config, const char *from,
                    bool delete_departed, bool *same, struct error *err);

#endif
