/*
 * desired: the tree of providers that the agent wants to see in Placement, from
 * configuration and host alone: a pure function. What depends on what Placement has
 * (foreign traits, allocations, an operator's reserved) is plan_make's to join in.
 *
 * In owner mode there is one provider a card, whose parents (PF, VFs) are folded into
 * it. Where device_addresses names only some VFs of a card, only these are used. In
 * nova mode there is one provider a parent, as Nova makes them. Everything borrowed
 * lives as long as the host and the configuration that were given.
 */
#ifndef AGENT_PLAN_DESIRED_H
#define AGENT_PLAN_DESIRED_H

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/strlist.h"

struct desired_provider {
    char uuid[UUID_TEXT_SIZE]; /* uuid5(root uuid, name) */
    char *name;                /* "<root name>_pci_0000_84_00_0" */
    const struct gpu
        *gpu; /* borrowed from the host; NULL when the GPU is configured but gone */
    char *gpu_name;
    struct gpu view; /* *gpu with only those of its parents that may be used; all but
                        the array `parents` is borrowed */
    const struct mdev_type_config *type_config; /* borrowed from the configuration */
    char *type_id;   /* the configured type as this GPU offers it; NULL when it offers
                        none such */
    char *type_name; /* its NAME; NULL where the driver gives none */
    char *resource_class; /* "VGPU" */
    int64_t capacity;     /* devices of the type that exist + that can still be made;
                             plan_make applies the cap max_instances */
    char *sick; /* why it cannot be trusted: reserved = total; NULL: it is well */
    struct strlist traits; /* ours, sorted; standard ones only as candidates: plan_make
                              drops those unknown to the server */
};

struct desired_tree {
    enum agent_mode mode;
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct desired_provider *providers; /* by GPU, in the host's order; then those whose
                                           GPU is gone */
    size_t provider_count;
    struct strlist problems; /* one line each: a type that no GPU offers, none enabled;
                                not what is wrong with one provider's GPU */
};

struct desired_tree *desired_tree_make(const struct config *config,
                                       const struct host *host, const char *root_uuid,
                                       const char *root_name);
void desired_tree_free(struct desired_tree *tree);
DEFINE_CLEANUP(struct desired_tree *, desired_tree_free)

/* That the files enable nothing though the host has GPUs that could be cut; NULL: it is
 * not so. The caller frees. */
char *desired_nothing_enabled(const struct config *config, const struct host *host);

/* The names of all traits of all providers, once each, sorted: what to ask the server
 * about (placement_fetch_traits). */
struct strlist desired_traits(const struct desired_tree *tree);

#endif
