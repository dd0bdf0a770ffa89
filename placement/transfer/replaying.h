/*
 * replaying: a replay while it runs, which its files share: replay.c has the order, the
 * names, the providers and the consumers, departed.c what is left of an earlier run, sets.c
 * the providers' inventories, traits and aggregates. Internal to replay.
 */
#ifndef PLACEMENT_TRANSFER_REPLAYING_H
#define PLACEMENT_TRANSFER_REPLAYING_H

#include "placement/transfer/replay.h"
#include "placement/transfer/room.h"
#include "placement/transfer/wave.h"

/* What is known of the other side's provider by now. */
struct standing {
    int64_t generation;
    bool missing; /* it could not be made, or not be renamed or moved */
    bool narrow;  /* its inventories are to be made narrow again */
};

struct replay {
    const struct snapshot *snapshot, *there;
    struct replay_result *result;
    struct writer writer;
    struct room room;
    struct strlist known_traits; /* of the other side, by now; sorted */
    struct standing *standing;   /* of each provider of the snapshot */
    size_t *consumers;           /* their numbers, in the order of writing */
};

/* Providers go by their number in the snapshot. The writer's data is the replay. */
const struct snapshot_provider *replay_provider(const struct writer *writer,
                                                size_t number);
const char *replay_provider_name(const struct writer *writer, size_t number);
/* What the other side had of that provider before; all zero: nothing. */
const struct snapshot_provider *replay_before(const struct replay *r, size_t number);

/* The provider of that uuid, where it should be at the other side by now and is not. */
const struct snapshot_provider *replay_absent(const struct replay *r, const char *uuid);

/* A wave for each depth of the snapshot's providers, since those of one do not depend on
 * each other. */
int replay_by_depth(struct replay *r, const struct snapshot *snapshot, bool upward,
                    const struct wave *wave, struct error *err);

int replay_delete_departed(struct replay *r, struct error *err);
int replay_put_sets(struct replay *r, struct error *err);
/* Of those inventories that stood wider. */
int replay_narrow(struct replay *r, struct error *err);

#endif
