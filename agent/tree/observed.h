/*
 * observed: the agent's part of Placement as it was at one moment: the root provider
 * and its whole tree. Plain data, made by placement_fetch (or by a test). Strings and
 * arrays belong to the struct.
 */
#ifndef AGENT_TREE_OBSERVED_H
#define AGENT_TREE_OBSERVED_H

#include <stdbool.h>

#include "placement/model.h"

struct observed_provider {
    struct provider provider;
    /* Read for the agent's children, and for children that carry a GPU's name; not for
     * the root or for others'. What follows was all true at provider.generation. */
    bool detailed;
    struct class_inventory *inventories;
    size_t inventory_count;
    struct strlist traits; /* sorted */
    struct provider_allocation *allocations;
    size_t allocation_count;
};

struct observed {
    bool root_found; /* false: providers is empty, and these two are what the root would
                        have if the agent made it */
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct observed_provider *providers; /* the root first, then by name */
    size_t provider_count;
    /* Traits that the server is known to have, among those that were asked about
     * (placement_fetch_traits). Sorted. */
    struct strlist known_traits;
    /* Of the classes that were asked about (placement_fetch_root), those that the root
     * itself has inventory of: nova-compute before Stein put VGPU there. */
    struct strlist root_classes;
    bool keeps_some_free; /* the server (before microversion 1.26) does not take
                             `reserved` as large as `total` */
};

void observed_free(struct observed *observed);
DEFINE_CLEANUP(struct observed *, observed_free)

const struct observed_provider *observed_by_uuid(const struct observed *observed,
                                                 const char *uuid);
const struct observed_provider *observed_by_name(const struct observed *observed,
                                                 const char *name);

#endif
