/*
 * plan: the steps that bring Placement and the host into the desired state, as an
 * ordered list. plan_make() (agent/plan/planner.h) makes it, `vgpu-agent plan` prints
 * it, plan_execute() carries it out. Each step can be run twice. A step belongs to a GPU
 * or to none. One that fails at Placement stops the later steps of its GPU in this
 * cycle, never those of other GPUs. Steps on devices come last, and the failure of one
 * does not stop the others.
 *
 * A plan may be interrupted after any step: the next plan leads to the same state.
 * agent/plan/steps/journal_notes.h notes in the journal what it has to know: all
 * intentions before the first step, and each step's result after it.
 */
#ifndef AGENT_PLAN_STEPS_PLAN_H
#define AGENT_PLAN_STEPS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/plan/steps/gpu_service.h"
#include "agent/plan/steps/step.h"
#include "lib/cleanup.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

/* An allocation on one of the agent's providers and its state. `vgpu-agent allocations`
 * shows it as well. */
enum allocation_state {
    ALLOCATION_PENDING,   /* devices are still to be made: the plan makes them, or waits
                             for what is in transition (`reason`) */
    ALLOCATION_READY,     /* all devices exist */
    ALLOCATION_IN_USE,    /* all devices exist, and a guest uses one; only known when
                             plan_input.use is given */
    ALLOCATION_MIGRATING, /* the allocation is a migration's: the server that it moves
                             still has its devices, which stand for it, so it gets none
                             (`reason`) */
    ALLOCATION_RELEASING, /* the allocation is gone; its devices wait for the grace
                             period or the guest */
    ALLOCATION_FAILED,    /* the allocation cannot be met (`reason`) */
};

struct allocation_status {
    char consumer[UUID_TEXT_SIZE];
    char provider[UUID_TEXT_SIZE];
    char *provider_name;
    char *gpu;
    char *resource_class;
    int64_t amount;         /* units; 0 when RELEASING */
    struct strlist devices; /* the uuids of its devices, also of those that are still to
                               be made */
    enum allocation_state state;
    char *reason; /* NULL: READY or IN_USE */
    bool planned; /* PENDING: this plan makes all of its devices, and nothing is
                     wrong */
    bool at_nova; /* PENDING in nova mode: nova-compute makes its devices, and nothing
                     is wrong */
};

/* A provider of the agent's that nothing is configured for any more, or whose GPU is
 * gone. */
struct retired_provider {
    char uuid[UUID_TEXT_SIZE];
    char *name, *gpu;
    char *resource_class; /* that the agent has inventory of there; NULL: none */
    char *obstacle; /* why it cannot be deleted now, as far as that was checked; NULL:
                       it can be deleted */
};

/* A card in mode nova-pci, as it will be once the plan has been carried out: what [pci]
 * of nova.conf has to say of it. */
struct pci_card {
    char *gpu;
    char *type_id; /* NULL: none of its functions has a type of the cut's; then the next
                      four members are empty */
    char *type_name; /* NULL: the driver gives none */
    char *resource_class;
    struct strlist traits;
    bool live_migratable;
    bool managed; /* libvirt binds vfio-pci to the functions for their guests */
    struct strlist functions; /* the virtual functions that have the type */
    struct strlist all;       /* all of its virtual functions */
    char *waits;              /* why that is not yet what is configured; NULL: it is */
};

enum order_state {
    ORDER_MET,     /* there is nothing to do for it */
    ORDER_PLANNED, /* a step of the plan carries it out */
    ORDER_WAITS,   /* `reason`; a later plan may carry it out */
    ORDER_REFUSED, /* `reason` */
};

/* How an operator's order for a device stands. */
struct order_result {
    char *device; /* as struct order has it */
    enum order_state state;
    char *reason; /* NULL: MET or PLANNED */
};

struct plan {
    /* True: the plan cannot be made without knowing who uses the devices, and all other
     * members are empty. The caller then calls device_use_scan(), and plan_make() again
     * with its result. Never true when no device is surplus and every device is known,
     * so that an idle cycle needs no scan. */
    bool needs_use;
    /* True: Placement's root is not the one that the state file belongs to. Until an
     * operator adopts the new root, the plan is made as if Placement could not be
     * read. */
    bool other_root;
    char root[UUID_TEXT_SIZE]; /* the root provider of the plan, and of the state file
                                  from now on; "": no root was found, or another one */
    char *root_name;           /* NULL where `root` is "" */
    struct step *steps;
    size_t step_count;
    struct allocation_status *allocations; /* sorted by provider, consumer, class */
    size_t allocation_count;
    struct retired_provider *retired; /* the retired providers that this plan does not
                                         delete */
    size_t retired_count;
    struct provider_service *services; /* one for each provider of the agent's; none
                                          where Placement was not read or has no root */
    size_t service_count;
    struct pci_card *cards; /* mode nova-pci; in the order of the bus */
    size_t card_count;
    struct order_result *orders; /* one for each order */
    size_t order_count;
    struct strlist problems; /* what an operator should know, for instance a GPU that is
                                gone, a child that is Nova's, drift. They contain no
                                numbers that change. */
    bool goes_on;    /* once this plan's devices are made or removed, others that wait
                        for them may fit: look again at once */
    int64_t wake_at; /* when the next grace period ends, in seconds since the epoch; 0:
                        nothing waits for the clock */
};

/* Drops all steps of other kinds than `kind`. */
void plan_keep_only(struct plan *plan, enum step_kind kind);
/* Drops all steps but those that give this consumer its devices: that make one, or clear
 * one for it. False when these steps alone do not give it all that it has allocated:
 * something else has to happen before. */
bool plan_keep_consumer(struct plan *plan, const char *consumer);
/* Drops all steps but those that carry out orders, and those that lower the inventories
 * of their GPUs. */
void plan_keep_orders(struct plan *plan);
/* The service state of a provider, by its uuid; NULL: the plan has none. Borrowed. */
const struct provider_service *plan_service(const struct plan *plan,
                                            const char *provider);
/* Frees what the plan owns, and leaves it empty. */
void plan_clear(struct plan *plan);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

#endif
