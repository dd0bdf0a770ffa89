/*
 * desired: the tree of providers that the agent wants to see in Placement, from
 * configuration and host alone: a pure function. What depends on what Placement has
 * (foreign traits, allocations, an operator's reserved) is plan_make's to join in.
 */
#ifndef AGENT_DESIRED_H
#define AGENT_DESIRED_H

#include "agent/host.h"
#include "config/config.h"
#include "lib/strlist.h"

struct desired_provider {
    char uuid[UUID_TEXT_SIZE]; /* uuid5(root uuid, name) */
    char *name;                /* "<root name>_pci_0000_84_00_0" */
    const struct gpu
        *gpu; /* borrowed from the host; NULL when the GPU is configured but gone */
    char *gpu_name;
    const struct mdev_type_config *type_config; /* borrowed from the configuration */
    char *type_id; /* the configured type as this GPU offers it; NULL when it offers
                      none such */
    char *resource_class;  /* "VGPU" */
    int64_t capacity;      /* devices of the type that exist + that can still be made,
                              capped; 0: no inventory */
    bool sick;             /* reserved = total */
    struct strlist traits; /* ours, sorted; standard ones only as candidates: plan_make
                              drops those unknown to the server */
};

struct desired_tree {
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct desired_provider *providers; /* by GPU, in the host's order */
    size_t provider_count;
    struct strlist problems; /* one line each: a type that no GPU offers, an address
                                that is not there */
};

struct desired_tree *desired_tree_make(const struct config *config,
                                       const struct host *host, const char *root_uuid,
                                       const char *root_name);
void desired_tree_free(struct desired_tree *tree);
DEFINE_CLEANUP(struct desired_tree *, desired_tree_free)

#endif
