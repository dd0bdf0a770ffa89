/*
 * random_spec: random requests for allocation candidates in a random_graph, as data and
 * as the query string that asks for it.
 */
#ifndef TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_RANDOM_SPEC_H
#define TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_RANDOM_SPEC_H

#include "tests/unit/placement/server/candidates/random_graph.h"

#define MAX_GROUPS 3
#define MAX_SLOTS 4

struct any {
    unsigned bits; /* of traits or aggregates; 0: not asked */
};

struct group {
    const char *suffix;
    int64_t amounts[CLASSES]; /* 0: not asked */
    struct any required[2], member_of[2];
    unsigned forbidden, not_member_of;
    struct resource_provider *in_tree;
};

struct spec {
    int microversion;
    struct group groups[MAX_GROUPS];
    size_t group_count;
    bool isolate;
    unsigned root_required, root_forbidden;
    bool same_subtree; /* of all groups with a suffix */
};

/* The group asks for a resource, a trait, or an aggregate. */
bool random_group_asks(const struct group *group);
struct spec random_spec_make(const struct world *world);
/* The caller frees. */
char *random_spec_query(const struct world *world, const struct spec *spec);

#endif
