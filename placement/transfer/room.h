/*
 * room: inventories in which allocations that exist elsewhere can be made anew. Placement
 * checks an allocation against the inventory when it is made, and not afterwards: an
 * operator may have reserved the provider since, or changed its bounds. Then a wider
 * inventory stands in until the allocations are there. A class that the other side still
 * has allocations of stays as long. No I/O.
 */
#ifndef PLACEMENT_TRANSFER_ROOM_H
#define PLACEMENT_TRANSFER_ROOM_H

#include "placement/transfer/snapshot.h"

struct room_demand;

/* All zero is empty. */
struct room {
    struct room_demand *demands;
    size_t count;
    struct strlist made; /* the uuids of the providers that get more than they keep */
};

struct inventory_set {
    struct class_inventory *items; /* ordered by class */
    size_t count;
};

/* `typed`: the other side knows types of consumers. */
void room_count(struct room *room, const struct snapshot *snapshot,
                const struct snapshot *there, bool typed);
/* What the provider is to have while its allocations are made. `there` is what the other
 * side has of it now. `out` is empty before, and the caller's to clear. */
void room_make(struct room *room, const struct snapshot_provider *provider,
               const struct snapshot_provider *there, struct inventory_set *out);
void room_clear(struct room *room);

/* As snapshot_inventory_equal(). */
bool inventory_set_equal(const struct inventory_set *set,
                         const struct class_inventory *items, size_t count);
void inventory_set_clear(struct inventory_set *set);

#endif
