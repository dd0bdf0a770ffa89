/*
 * replay: brings a Placement to what a snapshot has, by calls of its API, in an order
 * in which each can succeed: names of classes and traits; providers, parents first; of
 * each provider the inventories, traits and aggregates; the consumers' allocations; and
 * at last those inventories whose bounds the allocations would not have passed (more is
 * allocated than the capacity, amounts beside min_unit, max_unit or step_size), for
 * which wider ones stood in meanwhile. What is there already is left alone, so that it
 * can be broken off at any moment and run again. Nothing that only the other side has
 * is removed, but from the sets of a provider that both have; where told to, also what
 * is left of an earlier run: the allocations of consumers that are not here any more,
 * and providers in trees of ours.
 *
 * What the other side refuses, or answers with 500, is noted, and the rest goes on. What
 * stands below a provider that was refused, or has something of it, is left out.
 */
#ifndef PLACEMENT_TRANSFER_REPLAY_H
#define PLACEMENT_TRANSFER_REPLAY_H

#include "placement/transfer/progress.h"
#include "placement/transfer/side.h"
#include "placement/transfer/snapshot.h"

struct replay_order {
    const struct snapshot *snapshot;
    const struct snapshot *there; /* what the side had before */
    struct side *side;
    struct progress *progress;
    bool delete_departed;
};

struct replay_result {
    size_t classes, traits, providers, sets, consumers; /* written */
    size_t deleted;
    struct strlist refused;  /* a line for each write that was not taken */
    struct strlist left_out; /* for what was not sent, as its provider is not there */
};

/* -1 when it could not go on: the other side cannot be reached, does not let us write, or
 * fails one write after the other. `result` is the caller's to clear in either case; `err`
 * is not NULL. */
int replay(const struct replay_order *order, struct replay_result *result,
           struct error *err);

void replay_result_clear(struct replay_result *result);

#endif
