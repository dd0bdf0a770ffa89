/*
 * plan: what is to be done so that Placement and the host become as they should be: an
 * ordered list of steps, made by plan_make() without I/O, clock or log, printed by
 * `vgpu-agent plan`, carried out by plan_execute(). Each step can be run twice. Steps
 * belong to a GPU (or to none); a step that fails stops the later steps of its GPU in
 * this cycle, never those of others.
 */
#ifndef AGENT_PLAN_H
#define AGENT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/desired.h"
#include "agent/device_use.h"
#include "agent/host.h"
#include "agent/journal.h"
#include "agent/observed.h"
#include "config/config.h"

enum step_kind {
    STEP_CREATE_TRAIT,    /* PUT /traits/{name} */
    STEP_CREATE_ROOT,     /* only with create_root = true */
    STEP_CREATE_PROVIDER, /* the child of a GPU */
    STEP_SET_INVENTORY,   /* PUT the whole set, foreign classes kept */
    STEP_SET_TRAITS,      /* PUT the whole set, foreign traits kept */
    STEP_CREATE_DEVICE,
    STEP_REMOVE_DEVICE,
    STEP_MARK_RELEASED, /* the journal notes when a device was no longer wanted (or
                           wanted again: time 0) */
    STEP_FORGET, /* the journal drops an entry whose device is gone and not wanted */
    STEP_DELETE_PROVIDER, /* pruning, when asked for */
};

struct step {
    enum step_kind kind;
    char *gpu; /* NULL: belongs to no GPU */
    char provider[UUID_TEXT_SIZE];
    char *provider_name;
    int64_t generation; /* the provider's, on which the decision was made; -1: made in
                           this plan */
    char *trait;        /* CREATE_TRAIT */
    struct class_inventory *inventories; /* SET_INVENTORY */
    size_t inventory_count;
    struct strlist traits;     /* SET_TRAITS: the whole set; */
    struct strlist own_traits; /* of which these are ours */
    struct journal_device
        device; /* CREATE_DEVICE, REMOVE_DEVICE, MARK_RELEASED, FORGET */
};

/* An allocation on one of our providers and how it stands: also what `vgpu-agent
 * allocations` shows. */
enum allocation_state {
    ALLOCATION_PENDING,   /* devices are still to be made: the plan does it */
    ALLOCATION_READY,     /* all devices are there */
    ALLOCATION_IN_USE,    /* and a guest holds one */
    ALLOCATION_RELEASING, /* no allocation any more; its device waits for the grace
                             period or the guest */
    ALLOCATION_FAILED,    /* cannot be met: `reason` */
};

struct allocation_status {
    char consumer[UUID_TEXT_SIZE];
    char provider[UUID_TEXT_SIZE];
    char *provider_name;
    char *gpu;
    char *resource_class;
    int64_t amount;       /* units; 0 when RELEASING */
    struct strlist mdevs; /* uuids that are (or will be) its devices */
    enum allocation_state state;
    char *reason; /* FAILED, RELEASING; else NULL */
};

struct plan {
    struct step *steps;
    size_t step_count;
    struct allocation_status *allocations;
    size_t allocation_count;
    struct strlist problems; /* what an operator should know: a GPU gone, a child that
                                is Nova's, drift */
};

struct plan_input {
    const struct config *config;
    const struct host *host;
    const struct desired_tree *desired;
    const struct observed *observed;
    const struct journal *journal;
    const struct device_use *use;
    int64_t now; /* seconds since the epoch */
};

struct plan *plan_make(const struct plan_input *input);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* "create trait", ...: one verb for each kind, in tables and logs; JSON uses '_' for '
 * '. */
const char *step_kind_name(enum step_kind kind);
const char *allocation_state_name(enum allocation_state state);

#endif
