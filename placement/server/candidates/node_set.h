/*
 * node_set: a set of providers, by address, in an open hash table. All zero is the
 * empty set. Adding and asking cost the same however many there are. Not thread safe.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_NODE_SET_H
#define PLACEMENT_SERVER_CANDIDATES_NODE_SET_H

#include <stdbool.h>
#include <stddef.h>

struct node;

struct node_set {
    const struct node **slots; /* NULL where free */
    size_t slot_count, count;  /* slots: a power of two, at most 2/3 in use */
};

/* True when it was not in the set yet. */
bool node_set_add(struct node_set *set, const struct node *node);
bool node_set_contains(const struct node_set *set, const struct node *node);
void node_set_clear(struct node_set *set);

#endif
