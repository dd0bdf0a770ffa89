/*
 * provider_set: a set of providers, or of other things of the graph, by address, in an
 * open hash table. All zero is the empty set. Adding and asking cost the same however
 * many there are. Not thread safe.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_PROVIDER_SET_H
#define PLACEMENT_SERVER_CANDIDATES_PROVIDER_SET_H

#include <stdbool.h>
#include <stddef.h>

struct provider_set {
    const void **slots;       /* NULL: free */
    size_t slot_count, count; /* slots: a power of two, at most 2/3 in use */
};

/* Adds `thing`. True when it was not in the set yet. */
bool provider_set_add(struct provider_set *set, const void *thing);
bool provider_set_contains(const struct provider_set *set, const void *thing);
void provider_set_clear(struct provider_set *set);

#endif
