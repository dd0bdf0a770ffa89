/*
 * plan: what is to be done so that Placement and the host become as they should be: an
 * ordered list of steps, made by plan_make() without I/O, clock or log, printed by
 * `vgpu-agent plan`, carried out by plan_execute(). Each step can be run twice. Steps
 * belong to a GPU (or to none); one that fails at Placement stops the later steps of
 * its GPU in this cycle, never those of others. Steps on devices come last, and each is
 * for itself.
 *
 * A plan may be cut off after any step: the next one ends in the same state. What the
 * journal has to know is noted by agent/plan/journal_notes.h, in two strokes: all intentions
 * before the first step, and each step's result after it.
 */
#ifndef AGENT_PLAN_PLAN_H
#define AGENT_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/host/device_use.h"
#include "agent/host/host.h"
#include "agent/plan/desired.h"
#include "agent/plan/service.h"
#include "agent/plan/step.h"
#include "agent/state/journal.h"
#include "agent/tree/observed.h"
#include "config/config.h"

/* An allocation on one of our providers and how it stands: also what `vgpu-agent
 * allocations` shows. */
enum allocation_state {
    ALLOCATION_PENDING, /* devices are still to be made: the plan does it, or waits for
                           what is in transition (`reason`) */
    ALLOCATION_READY,   /* all devices are there */
    ALLOCATION_IN_USE,  /* and a guest holds one; seen only when plan_input.use is given
                         */
    ALLOCATION_MIGRATING, /* a migration's: the server that it moves still has its
                             devices, which stand for it; it gets none (`reason`) */
    ALLOCATION_RELEASING, /* no allocation any more; its devices wait for the grace
                             period or the guest */
    ALLOCATION_FAILED,    /* cannot be met: `reason` */
};

struct allocation_status {
    char consumer[UUID_TEXT_SIZE];
    char provider[UUID_TEXT_SIZE];
    char *provider_name;
    char *gpu;
    char *resource_class;
    int64_t amount;         /* units; 0 when RELEASING */
    struct strlist devices; /* uuids that are (or will be) its devices */
    enum allocation_state state;
    char *reason; /* NULL where it is READY or IN_USE */
    bool planned; /* PENDING: this plan makes them all, nothing is wrong */
    bool at_nova; /* PENDING in nova mode: nova-compute makes it, nothing is wrong */
};

/* A provider of ours that nothing is configured for any more, or whose GPU is gone. */
struct retired_provider {
    char uuid[UUID_TEXT_SIZE];
    char *name, *gpu;
    char *obstacle; /* why it cannot be deleted now, as far as that was looked at; NULL:
                       it can */
};

struct plan {
    /* True: the plan cannot be made without knowing who uses the devices, and all else
     * in here is empty. Call device_use_scan(), and plan_make() again with it. Never
     * when nothing is surplus and every device is known: an idle cycle needs no scan.
     */
    bool needs_use;
    /* Placement's root is not the one that the state file belongs to: until an operator
     * adopts it the plan is made as if Placement could not be read. */
    bool other_root;
    char root[UUID_TEXT_SIZE]; /* that the plan is for, and the state file from now on;
                                  "": none was found, or another one */
    char *root_name;           /* NULL where that is "" */
    struct step *steps;
    size_t step_count;
    struct allocation_status *allocations; /* by provider, consumer, class */
    size_t allocation_count;
    struct retired_provider *retired; /* those that this plan does not delete */
    size_t retired_count;
    struct provider_service *services; /* of our providers; none where Placement was not
                                          read or has no root */
    size_t service_count;
    struct strlist problems; /* what an operator should know: a GPU gone, a child that
                                is Nova's, drift. Without numbers that change. */
    bool goes_on;    /* once its devices are made, others may find a place that wait for
                        them: look again at once */
    int64_t wake_at; /* when a grace period ends next, seconds since the epoch; 0:
                        nothing waits for the clock */
};

/* A device that could not be cleared when it was to be handed over: nobody else gets
 * it. Borrowed. */
struct refused_device {
    const char *uuid;
    const char *reason;
};

struct plan_input {
    const struct config *config;
    const struct host *host; /* with host_mark_in_transition() for each device whose
                                create or remove has not returned */
    /* Both NULL: Placement could not be read, or was not asked. Then the plan only puts
     * devices back that the journal has and the host lost (a reboot), and that are
     * still wanted. */
    const struct desired_tree *desired;
    const struct observed *observed;
    const struct journal *journal;
    const struct device_use *use;         /* NULL: not looked at, see needs_use */
    const struct strlist *drained;        /* GPUs that get nobody new; NULL: none */
    const struct strlist *servers;        /* consumers whose devices were asked for: no
                                      migrations; NULL: none */
    const struct refused_device *refused; /* in the cycle that this plan is for */
    size_t refused_count;
    const struct strlist *prune; /* uuids of providers to delete, if they are no
                                      longer configured and free; NULL: none */
    int64_t keep_until; /* no device is removed before, since Placement may not know all
                           allocations yet; in the unit of `now`, 0: it does */
    int64_t now;        /* seconds since the epoch, by a clock that only goes forward:
                    agent/state/boot_clock.h */
};

struct plan *plan_make(const struct plan_input *input);
/* Drops all steps of other kinds. */
void plan_keep_only(struct plan *plan, enum step_kind kind);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

#endif
