/*
 * world: everything that plan_make() is given, joined: which providers are ours
 * (subjects), and per GPU (group) the allocations on them (wants), the devices that
 * exist (held) and the journal's entries whose device does not (lost). The planners
 * below plan_make work on this, and only here is it allocated. Everything but the
 * arrays is borrowed from struct plan_input.
 *
 * A group is a card; in nova mode, where each parent has a provider, it is a parent.
 */
#ifndef AGENT_PLAN_WORLD_H
#define AGENT_PLAN_WORLD_H

#include "agent/plan/plan.h"

/* A provider that is ours to work on. */
struct managed {
    const struct desired_provider *desired;   /* NULL: retired, no longer configured */
    const struct observed_provider *observed; /* NULL: not in Placement */
    const struct journal_provider *noted;     /* NULL: not in the journal */
    const char *uuid; /* of the one that exists, else computed */
    const char *name;
    const char *gpu; /* the card's name; of a retired one that nobody remembers, what
                        the provider's name says */
    bool hands_off;  /* it is Nova's: nothing is done to it or its devices */
    bool read;       /* what Placement has on it is known: all, or that there is nothing
                        and will be nothing */
    struct group *group; /* NULL: its GPU is not known */
};

/* An allocation that is to be met with devices. */
struct want {
    struct managed *managed;
    struct group *group;
    const struct provider_allocation *allocation;
    int64_t met; /* units that have a device, or a lost one that is to be made again */
    struct strlist devices;
    enum allocation_state state;
    char *reason;
    bool planned, at_nova; /* as in struct allocation_status */
};

/* A device that exists. */
struct present {
    struct group *group;
    const struct device *device;
    const struct gpu *gpu; /* both NULL: in transition, nobody knows where */
    const struct parent *parent;
    const struct journal_device *entry; /* NULL: the agent does not know it */
    const struct used_device *use;      /* NULL: nobody is known to hold it */
    struct want *want;                  /* which it meets, */
    unsigned index;                     /* as which of its devices */
    bool numbered;                      /* (once that is decided); */
    bool computed;                      /* its uuid shows that it was made for it */
    bool stays; /* it only stands for the want, a migration's, and stays its consumer's:
                   index and the two after it say nothing (agent/plan/migration.h) */
};

/* An entry of the journal without a device. */
struct lost {
    struct group *group;
    const struct journal_device *entry;
    const struct used_device *use; /* NULL: nobody is known to name it */
    struct want *want;             /* for which it is to be made again, */
    unsigned index;                /* as which of its devices */
    bool numbered;                 /* (once that is decided) */
    bool stays;                    /* as of a device that is held */
};

struct group {
    const char *key;       /* the card's name; in nova mode the parent's */
    const struct gpu *gpu; /* NULL: not on the host */
    bool hands_off;
    bool read;       /* what Placement has on this GPU is known */
    bool in_transit; /* some device of it is in transition */
    size_t strays;   /* devices in transition that could be on it as on any other */
    size_t leaving_strays; /* of these */
    bool has_managed;
    struct managed *configured; /* the one that is not retired, or NULL */
    struct want *wants;         /* by consumer, class, provider */
    size_t want_count;
    struct present *present; /* by consumer and index, then unknown ones by address */
    size_t present_count;
    struct lost *lost; /* by consumer and index */
    size_t lost_count;
};

struct world {
    const struct plan_input *in;
    struct plan *plan; /* that is being made */
    bool owner;        /* mode */
    bool needs_use;    /* something depends on who uses the devices, and in->use is NULL
                        */
    struct managed *managed; /* in the order of the desired tree, then retired ones */
    size_t managed_count;
    struct group *groups; /* by key */
    size_t group_count;
    struct want *wants;
    size_t want_count;
    struct present *present;
    size_t present_count;
    struct lost *lost;
    size_t lost_count;
};

struct world *world_make(const struct plan_input *in, struct plan *plan);
void world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)

/* The root is missing and the agent may make it. */
bool world_creates_root(const struct world *world);
/* The device can meet an allocation of the GPU's configured type: it is of that type
 * and below a parent that may be used. */
bool present_is_configured(const struct present *present);
/* The agent did not make it. */
bool present_is_foreign(const struct present *present);
/* Its entry was released, and the grace period is over by a clock that has not gone
 * back since. */
bool present_is_overdue(const struct world *world, const struct present *present);
/* Its entry is of a provider that is neither in the tree nor about to be made: who has
 * allocations there cannot be seen. */
bool present_is_out_of_sight(const struct world *world, const struct present *present);
/* A guest, a process or mdevctl has it, or could have. */
bool present_is_used(const struct world *world, const struct present *present);
int64_t want_missing(const struct want *want);
/* The entry is of the consumer and class that the want is of. */
bool entry_is_for(const struct journal_device *entry, const struct want *want);
/* Some device of the want has this index. */
bool want_has_index(const struct want *want, unsigned index);
/* The journal says so of a device that is not the want's, or not any more, and will go
 * on saying it. */
bool want_notes_index(const struct want *want, unsigned index);
/* The uuid of the device of a consumer and class that is made as number `index` on the
 * provider. */
void computed_uuid(const char *provider, const char *consumer,
                   const char *resource_class, unsigned index,
                   char out[UUID_TEXT_SIZE]);
/* The same for the want. */
void want_computed_uuid(const struct want *want, unsigned index,
                        char out[UUID_TEXT_SIZE]);
/* Devices in transition below the parent; NULL: on the card. One of which nobody knows
 * the parent could be anywhere. `uncounted`: only those that available_instances may
 * not know of yet. */
int64_t group_in_transit(const struct group *group, const char *parent, bool uncounted);
/* The uuid by which the agent knows the device: the journal's, else the host's, else, once
 * it is numbered, the one computed for the want that it meets. "" where it has none. */
void held_identity(const struct present *present, char out[UUID_TEXT_SIZE]);
/* Not in transition: type and parent are known. */
bool present_is_settled(const struct present *present);
/* Adds a step that concerns the subject, which may be NULL. Good until the next one. */
struct step *world_add_step(struct world *world, enum step_kind kind,
                            const struct managed *managed);

#endif
