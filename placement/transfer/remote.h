/* remote: a Placement over HTTP, with the credentials of a section of the files, as one
 * end of a transfer. */
#ifndef PLACEMENT_TRANSFER_REMOTE_H
#define PLACEMENT_TRANSFER_REMOTE_H

#include "config/placement_config.h"
#include "placement/transfer/side.h"

/* `options`, with the URL in endpoint_override, is borrowed for its whole life. Of a batch
 * at most `connections` calls are under way at once. Sends no request yet. */
int remote_side_new(const struct placement_config *options, size_t connections,
                    struct side **out, struct error *err);

#endif
