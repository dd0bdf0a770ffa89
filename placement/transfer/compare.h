/* compare: what differs between two snapshots, in words. Stateless. */
#ifndef PLACEMENT_TRANSFER_COMPARE_H
#define PLACEMENT_TRANSFER_COMPARE_H

#include "placement/transfer/snapshot.h"

struct comparison {
    struct strlist differences; /* a line each */
    /* Generations are each server's own, and no difference. How many are not the same,
     * of providers and consumers that both have. */
    size_t provider_generations, consumer_generations;
};

/* `mine` is what was to be brought to the other side, `there` what that has now. Names of
 * classes and traits that are not an operator's own come with a release and are not
 * compared. The caller clears `out`. */
void snapshot_compare(const struct snapshot *mine, const struct snapshot *there,
                      struct comparison *out);
void comparison_clear(struct comparison *comparison);

#endif
