/*
 * observed: the providers of this host in Placement as they were at one moment: the
 * root and its whole tree. Plain data, made by placement_fetch (or by a test). Strings
 * and arrays belong to the struct.
 */
#ifndef AGENT_TREE_OBSERVED_H
#define AGENT_TREE_OBSERVED_H

#include <stdbool.h>

#include "placement/model.h"

struct observed_provider {
    struct provider provider;
    /* Whether the members below were read, which is so for the agent's children and for
     * children with a GPU's name, but not for the root and other services' providers,
     * nor for one that was listed and not found when it was read.
     * They were all true at provider.generation. */
    bool detailed;
    struct class_inventory *inventories;
    size_t inventory_count;
    struct strlist traits; /* sorted */
    struct provider_allocation *allocations;
    size_t allocation_count;
};

struct observed {
    /* false: there are no providers, and the next two members are what the root would
     * have if the agent made it */
    bool root_found;
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct observed_provider *providers; /* the root first, then by name */
    size_t provider_count;
    /* Those of the requested traits (placement_fetch_traits()) that the server has;
     * sorted. */
    struct strlist known_traits;
    /* Those of the requested classes (placement_fetch_root()) that the root itself has
     * inventory of: nova-compute before Stein puts VGPU there. */
    struct strlist root_classes;
    /* The server (before microversion 1.26) refuses `reserved` that is as large as
     * `total`. */
    bool keeps_some_free;
};

void observed_provider_clear(struct observed_provider *provider);
void observed_free(struct observed *observed);
DEFINE_CLEANUP(struct observed *, observed_free)

const struct observed_provider *observed_by_uuid(const struct observed *observed,
                                                 const char *uuid);
const struct observed_provider *observed_by_name(const struct observed *observed,
                                                 const char *name);
/* Whether the consumer has an allocation on one of the providers. */
bool observed_has_consumer(const struct observed *observed, const char *consumer);

#endif
