/*
 * random_graph: small random graphs of providers, from a seed: the same seed is the
 * same graph, and the same chance afterwards.
 */
#ifndef TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_RANDOM_GRAPH_H
#define TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_RANDOM_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "placement/server/store/store.h"

#define MAX_NODES 7
#define CLASSES 3
#define TRAITS 4 /* the last one is that of sharing providers */
#define AGGREGATES 3

struct world {
    struct store store;
    struct resource_provider *providers[MAX_NODES];
    size_t provider_count;
    struct resource_class *classes[CLASSES];
    struct trait *traits[TRAITS];
    struct aggregate *aggregates[AGGREGATES];
};

void random_seed(uint64_t seed);
/* 0 to limit - 1 */
unsigned random_below(unsigned limit);
bool random_one_in(unsigned n);
/* The store's graph is to be cleared. */
void random_graph_make(struct world *world);

#endif
