/*
 * world: joins everything that plan_make() is given: which providers the agent manages
 * (managed), and for each GPU (group) the allocations on it (wants), the devices that
 * exist (present) and the journal's entries whose device does not exist (lost). The
 * planners work on this, and only this module allocates it. Everything but the arrays
 * is borrowed from struct plan_input.
 *
 * A group is a card; in nova mode, where each parent has a provider, it is a parent.
 */
#ifndef AGENT_PLAN_WORLD_WORLD_H
#define AGENT_PLAN_WORLD_WORLD_H

#include "agent/plan/steps/plan.h"
#include "agent/plan/world/input.h"

/* A provider that the agent manages. */
struct managed {
    const struct desired_provider *desired;   /* NULL: retired, no longer configured */
    const struct observed_provider *observed; /* NULL: not in Placement */
    const struct journal_provider *noted;     /* NULL: not in the journal */
    const char *uuid; /* the existing provider's uuid, else the computed one */
    const char *name;
    const char *gpu; /* the card's name; for a retired provider whose card neither the
                        journal nor the host knows: taken from the provider's name */
    bool hands_off;  /* the provider is Nova's: nothing is done to it or its devices */
    bool read;       /* all that Placement has on it is known; also true where it does
                        not exist and will not be created */
    bool unlisted;   /* retired: it is of a type that the files give its card, and that
                      the card does not list now */
    bool left; /* retired: it was one of its card's types', and the card has others
                  now, or one type again, on its own provider */
    struct group *group;  /* NULL: the GPU is not known */
    struct managed *next; /* the next one that is configured for the same group */
    struct managed *card; /* of a card's type: the provider of the card, which it is
                             below; else NULL */
};

/* An allocation that is to be met with devices. */
struct want {
    struct managed *managed;
    struct group *group;
    const struct provider_allocation *allocation;
    int64_t met; /* units that have a device, or a lost device that is to be made
                    again */
    /* The uuids of devices that are to be made again though nothing notes them, since the
     * consumer's domain names them; not more than are missing. */
    struct strlist named;
    struct strlist devices;
    enum allocation_state state;
    char *reason;
    bool planned, at_nova; /* as in struct allocation_status */
};

/* A device that exists on the host. */
struct present {
    struct group *group;
    const struct device *device;
    const struct gpu *gpu; /* gpu and parent are NULL for a device in transition whose
                              place is not known */
    const struct parent *parent;
    const struct journal_device *entry; /* NULL: the journal does not have it, or has it
                                           as made by hand */
    const struct journal_device *hand;  /* NULL: it was not made by hand */
    /* The journal's device of another kind at the same address, which is not released:
     * the configuration has made one kind of the other under who has it. NULL: none. */
    const struct journal_device *other_kind;
    const struct used_device *use; /* NULL: nobody is known to use it */
    struct want *want;             /* the want that the device meets, or NULL */
    unsigned index;                /* its number among the want's devices */
    bool numbered;                 /* `index` is decided */
    bool computed;                 /* its uuid is the one computed for the want */
    bool stays; /* the want is a migration's: the device meets it but stays its
                   consumer's; index, numbered and computed have no meaning
                   (agent/plan/world/migration.h) */
};

/* An entry of the journal whose device does not exist. */
struct lost {
    struct group *group;
    const struct journal_device *entry;
    const struct used_device *use; /* NULL: nobody is known to name it */
    struct want *want;             /* the want that the device is to be made again for,
                                      or NULL */
    unsigned index;                /* its number among the want's devices */
    bool numbered;                 /* `index` is decided */
    bool stays;                    /* as in struct present */
};

/* A device that is to be made because an operator has ordered it, or had ordered it once
 * and it is lost. */
struct hand {
    const struct journal_device *entry; /* NULL: it was never made */
    const struct order *order;          /* NULL: it is to be made again */
    struct journal_device made;         /* where there is no entry; borrows */
    const struct group *group;          /* where it is made; NULL: it is not, now */
    char *refusal, *waits;              /* why not */
};

struct fit;

struct group {
    const char *key;       /* the card's name; in nova mode the parent's */
    const struct gpu *gpu; /* NULL: not on the host */
    bool hands_off;
    bool read;       /* all that Placement has on this GPU is known */
    bool unread;     /* a provider of it is in Placement, and was not read */
    bool in_transit; /* one of its devices is in transition */
    size_t strays;   /* devices in transition whose GPU is not known, so that they could
                        be on this one */
    size_t leaving_strays; /* the strays that are being removed */
    bool has_managed;
    /* The managed providers that are not retired: one or, on a card with several types,
     * the card's and then its types'. NULL: there is none. */
    struct managed *configured;
    bool several;       /* the card has several types */
    bool exclusive;     /* the same, and takes one type at a time */
    struct want *wants; /* sorted by consumer, class, provider */
    size_t want_count;
    struct present *present; /* sorted by consumer and index, then those without an
                                entry by address */
    size_t present_count;
    struct lost *lost; /* sorted by consumer and index */
    size_t lost_count;
};

struct world {
    const struct plan_input *in;
    struct plan *plan; /* the plan that is being made */
    bool owner;        /* the agent's mode is owner */
    bool by_card;      /* a group is a card: every mode but nova */
    bool needs_use;    /* a decision depends on who uses the devices, and in->use is
                          NULL */
    struct managed *managed; /* in the order of the desired tree, then retired ones */
    size_t managed_count;
    struct group *groups; /* sorted by key */
    size_t group_count;
    struct want *wants;
    size_t want_count;
    struct present *present;
    size_t present_count;
    struct lost *lost;
    size_t lost_count;
    struct hand *hands;
    size_t hand_count;
    /* One for each group: what is made there by hand. Between by_hand_decide() and
     * by_hand_plan(), which own it; else NULL. */
    struct fit *hand_fits;
};

/* Joins the input, which must stay valid. `plan` is the plan that is being made, and
 * stays the caller's. The caller frees the world with world_free(). */
struct world *world_make(const struct plan_input *in, struct plan *plan);
void world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)

/* True when the root is missing and the agent may create it. */
bool world_creates_root(const struct world *world);
/* True when the device can meet an allocation on this provider: it is of its type, and
 * below a parent that may be used for it. */
bool present_is_of(const struct present *present, const struct managed *managed);
/* The same of any of the providers that are configured for the GPU. */
bool present_is_configured(const struct present *present);
/* True when the agent did not make the device. */
bool present_is_foreign(const struct present *present);
/* True when the device was released, and the grace period is over by a clock that has
 * not gone back since. */
bool present_is_overdue(const struct world *world, const struct present *present);
/* True when the device's entry is of a provider that neither exists nor is about to be
 * made, or that was not read: it cannot be seen who has allocations there. */
bool present_is_out_of_sight(const struct world *world, const struct present *present);
/* The domain that names the device, and runs if one of several does. NULL: none is known
 * to. */
const char *present_domain(const struct present *present);
/* True when a guest, a process or mdevctl has the device, or could have it. */
bool present_is_used(const struct world *world, const struct present *present);
/* The units of the want that have no device yet. */
int64_t want_missing(const struct want *want);
/* The same without those that get a device that the consumer's domain names. */
int64_t want_unnamed(const struct want *want);
/* True when the entry has the consumer and class of the want. */
bool entry_is_for(const struct journal_device *entry, const struct want *want);
/* True when a device of the want has this index. */
bool want_has_index(const struct want *want, unsigned index);
/* The first index, from this one on, that no device of the want has, and that the journal
 * does not note for one of the consumer's. */
unsigned want_free_index(const struct want *want, unsigned from);
/* The uuid of the device that is made as number `index` for a consumer and class on the
 * provider. */
void computed_uuid(const char *provider, const char *consumer,
                   const char *resource_class, unsigned index,
                   char out[UUID_TEXT_SIZE]);
/* The end of the indexes at which a computed uuid can be the want's. */
unsigned want_index_end(const struct want *want);
/* computed_uuid() for the want. */
void want_computed_uuid(const struct want *want, unsigned index,
                        char out[UUID_TEXT_SIZE]);
/* The number of devices in transition below the parent; on the whole card where
 * `parent` is NULL. A device whose parent is not known counts for every parent.
 * `uncounted`: only those that available_instances may not include yet. */
int64_t group_in_transit(const struct group *group, const char *parent, bool uncounted);
/* The uuid by which the agent knows the device: the journal's, else the host's, else,
 * once it is numbered, the one computed for its want. "": it has none. */
void present_identity(const struct present *present, char out[UUID_TEXT_SIZE]);
/* True when the device is not in transition, so that its type and parent are known. */
bool present_is_settled(const struct present *present);
/* Adds a step that concerns the managed provider, which may be NULL. The returned
 * pointer is valid until the next step is added. */
struct step *world_add_step(struct world *world, enum step_kind kind,
                            const struct managed *managed);

#endif
