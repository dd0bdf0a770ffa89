/*
 * observed: the agent's part of Placement as it was at one moment: the root provider
 * and its whole tree. Plain data, made by placement_fetch (or by a test). Strings and
 * arrays belong to the struct.
 */
#ifndef AGENT_OBSERVED_H
#define AGENT_OBSERVED_H

#include <stdbool.h>

#include "placement/model.h"

struct observed_provider {
    struct provider provider;
    /* Read for the agent's children, and for children that carry a name of ours; not
     * for the root or for others'. */
    bool detailed;
    struct class_inventory *inventories;
    size_t inventory_count;
    struct strlist traits; /* sorted */
    struct provider_allocation *allocations;
    size_t allocation_count;
};

struct observed {
    bool root_found; /* false: providers is empty */
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct observed_provider *providers; /* the root first, then by name */
    size_t provider_count;
    /* The server's traits among those that we asked about: all CUSTOM_ and HW_GPU_
     * names. Sorted. */
    struct strlist known_traits;
};

void observed_free(struct observed *observed);
DEFINE_CLEANUP(struct observed *, observed_free)

const struct observed_provider *observed_by_uuid(const struct observed *observed,
                                                 const char *uuid);
const struct observed_provider *observed_by_name(const struct observed *observed,
                                                 const char *name);

#endif
