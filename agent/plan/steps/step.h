/*
 * step: one step of a plan. The table in step.c has a row for each kind: who carries it
 * out, and what its failure means for the other steps.
 */
#ifndef AGENT_PLAN_STEPS_STEP_H
#define AGENT_PLAN_STEPS_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/state/journal.h"
#include "lib/strlist.h"
#include "lib/uuid.h"
#include "placement/model.h"

enum step_kind {
    STEP_CREATE_TRAIT,    /* PUT /traits/{name} */
    STEP_CREATE_CLASS,    /* PUT /resource_classes/{name} */
    STEP_CREATE_ROOT,     /* only with create_root = true */
    STEP_CREATE_PROVIDER, /* the child of a GPU */
    STEP_SET_INVENTORY,   /* PUT the whole set, foreign classes kept */
    STEP_SET_TRAITS,      /* PUT the whole set, foreign traits kept */
    STEP_REMOVE_DEVICE,
    STEP_CREATE_DEVICE,
    /* Clears from an existing device what was set on it for its former consumer; the
     * device is the new consumer's only after that has succeeded. */
    STEP_HAND_OVER_DEVICE,
    STEP_SET_PARAMETERS,  /* writes the parameters of a device that exists */
    STEP_DELETE_PROVIDER, /* pruning, only when it was asked for */
    /* The following kinds change the journal only; plan_note_intention() carries them
     * out. */
    STEP_TAKE_DEVICE,   /* notes that an existing device is this consumer's */
    STEP_MARK_RELEASED, /* notes when a device was no longer wanted */
    STEP_FORGET_DEVICE, /* drops an entry whose device is gone and not wanted, or
                           belongs to somebody else */
    STEP_NOTE_PROVIDER, /* notes what is the agent's on a provider where nothing is to
                           be written */
    STEP_FORGET_PROVIDER,
    STEP_END_REBUILD,
};

struct step {
    enum step_kind kind;
    char *gpu;                     /* NULL: belongs to no GPU */
    char provider[UUID_TEXT_SIZE]; /* "": the step concerns no provider */
    char *provider_name;
    /* The provider's generation on which the decision was made; -1: the provider is
     * created in this plan. A second write to the provider in this plan uses the
     * generation that the first write returned. */
    int64_t generation;
    char parent[UUID_TEXT_SIZE]; /* CREATE_PROVIDER: what it is below; "": the root */
    char *name;                  /* CREATE_TRAIT, CREATE_CLASS */
    struct class_inventory *inventories; /* SET_INVENTORY: the whole set, by class */
    size_t inventory_count;
    struct strlist traits;         /* SET_TRAITS: the whole set, sorted */
    struct journal_provider entry; /* CREATE_PROVIDER, SET_INVENTORY, SET_TRAITS,
                                      NOTE_PROVIDER: what the journal says afterwards */
    struct journal_device device;  /* all steps on devices: the journal's entry */
    /* Steps on a device that exists: the addresses of its further functions, which
     * guests have as devices of their own. */
    struct strlist functions;
    /* CREATE_DEVICE for a function of a cut: the domain that names the function, "" for
     * none. It is no obstacle. */
    char holder[UUID_TEXT_SIZE];
    /* The parameters that the device gets: CREATE_DEVICE, HAND_OVER_DEVICE,
     * SET_PARAMETERS. NULL: none. */
    char *parameters;
    /* REMOVE_DEVICE, FORGET_DEVICE: the unit waits to be cleaned afterwards. */
    bool spends;
    int64_t units; /* REMOVE_DEVICE: the units that its consumer still has allocated
                      there; if it has more by the time of the removal, the device
                      stays. A function of a cut (agent/plan/devices/cut.h) stays if
                      anything is allocated there by then */
    bool ordered;  /* an operator has ordered it (agent/plan/devices/by_hand.h) */
    char *reason;  /* why the step is needed: the current and the desired state, for
                      people */
};

enum step_doer {
    DONE_BY_PLACEMENT, /* a request to Placement */
    DONE_BY_WORKER,    /* an operation on a device, in a child process */
    DONE_BY_JOURNAL,   /* plan_note_intention() alone: a change of the journal */
};

/* The rules for all steps of one kind. */
struct step_rules {
    const char *name; /* "create device" */
    enum step_doer doer;
    bool shared;       /* belongs to no provider and others need it: such steps come
                          first */
    bool stands_alone; /* its failure does not stop the later steps of its GPU */
};

const struct step_rules *step_rules(enum step_kind kind);
/* The name of the kind, as in the rules. */
const char *step_kind_name(enum step_kind kind);

/* Frees what the step owns, not the step itself. */
void step_clear(struct step *step);

#endif
