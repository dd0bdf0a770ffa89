/* read: asks one side of a transfer for all that it has: a request for the classes, the
 * traits and the providers each, one for a trait that is in use, three for a provider, one
 * for a consumer. */
#ifndef PLACEMENT_TRANSFER_READ_H
#define PLACEMENT_TRANSFER_READ_H

#include "placement/transfer/progress.h"
#include "placement/transfer/side.h"
#include "placement/transfer/snapshot.h"

/* `known` is what an earlier reading of that side had, or NULL. What it has of providers
 * whose generation is still the same, and of their consumers, is moved to `out` and not
 * asked for again; that somebody has deleted allocations since, which raises no generation,
 * is not seen. `out` is empty before; both are the caller's to clear in either case. A
 * consumer, a trait or a provider that is deleted while it is read is left out, the
 * provider with its name in `gone`. `err` is not NULL. */
int snapshot_read(struct side *side, struct progress *progress, struct snapshot *known,
                  struct snapshot *out, struct error *err);

#endif
