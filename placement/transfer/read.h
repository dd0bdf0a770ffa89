/* read: asks one side of a transfer for all that it has: a request for the classes, the
 * traits and the providers each, four for a provider, one for a consumer. */
#ifndef PLACEMENT_TRANSFER_READ_H
#define PLACEMENT_TRANSFER_READ_H

#include "placement/transfer/progress.h"
#include "placement/transfer/side.h"
#include "placement/transfer/snapshot.h"

/* `out` is empty before, and the caller's to clear in either case. A consumer that is
 * deleted while it is read is left out; a provider that is ends it with NOT_FOUND. `err`
 * is not NULL. */
int snapshot_read(struct side *side, struct progress *progress, struct snapshot *out,
                  struct error *err);

#endif
