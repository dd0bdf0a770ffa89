/*
 * step: one thing that a plan does. Its kind says who does it, and what follows from it
 * for the other steps: the table in step.c has a row for each kind.
 */
#ifndef AGENT_PLAN_STEP_H
#define AGENT_PLAN_STEP_H

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
    /* Takes from an existing device what was set on it for its former consumer; after that
     * it is this one's. Where the first fails the second does not happen. */
    STEP_HAND_OVER_DEVICE,
    STEP_DELETE_PROVIDER, /* pruning, when asked for */
    /* These change the journal only; plan_note_intention() is all they need. */
    STEP_TAKE_DEVICE,   /* an existing device turns out to be this consumer's */
    STEP_MARK_RELEASED, /* when a device was no longer wanted */
    STEP_FORGET_DEVICE, /* drops an entry whose device is gone and not wanted, or is
                           somebody else's */
    STEP_NOTE_PROVIDER, /* what is ours on a provider, where nothing is to be written */
    STEP_FORGET_PROVIDER,
    STEP_END_REBUILD,
};

struct step {
    enum step_kind kind;
    char *gpu;                     /* NULL: belongs to no GPU */
    char provider[UUID_TEXT_SIZE]; /* "" where it concerns none */
    char *provider_name;
    /* The provider's, on which the decision was made; -1: it is made in this plan. A
     * second write to it in this plan goes on with the generation that the first one
     * got. */
    int64_t generation;
    char *name;                          /* CREATE_TRAIT, CREATE_CLASS */
    struct class_inventory *inventories; /* SET_INVENTORY: the whole set, by class */
    size_t inventory_count;
    struct strlist traits;         /* SET_TRAITS: the whole set, sorted */
    struct journal_provider entry; /* CREATE_PROVIDER, SET_INVENTORY, SET_TRAITS,
                                      NOTE_PROVIDER: what the journal says afterwards */
    struct journal_device device;  /* all steps on devices: the entry */
    int64_t units; /* REMOVE_DEVICE: what its consumer has allocated there all the same;
                      if that is more by now, the device stays */
    char *reason;  /* why: what is so and what is to be, for people */
};

enum step_doer {
    DONE_BY_PLACEMENT, /* a request */
    DONE_BY_WORKER,    /* an operation on a device, in a child process */
    DONE_BY_JOURNAL,   /* plan_note_intention() is all: a change of the journal */
};

/* What is true of each step of the kind. */
struct step_rules {
    const char *name; /* "create device" */
    enum step_doer doer;
    bool shared;       /* belongs to no provider, and others need it: comes first */
    bool stands_alone; /* where it fails, the later steps of its GPU are done all the
                          same */
};

const struct step_rules *step_rules(enum step_kind kind);
/* The name alone. */
const char *step_kind_name(enum step_kind kind);

/* Frees what the step holds. */
void step_clear(struct step *step);

#endif
