/*
 * fit: finds the parents for the devices that one plan makes on one GPU. Never
 * more than the kernel says can be made, less what is in transition (during a slow
 * create the kernel does not count it yet), and with SR-IOV never more than the card
 * takes, whatever its free VFs say. All of one type: on most cards the first device
 * excludes other types, so what comes second waits for the next look, which comes at
 * once (plan->goes_on): then the kernel says whether the types stand beside each other.
 */
#ifndef AGENT_PLAN_FIT_H
#define AGENT_PLAN_FIT_H

#include "agent/plan/world.h"

struct fitted {
    struct journal_device device; /* owned */
    struct want *want;            /* NULL: for none */
};

struct fit {
    struct world *world;
    const struct group *group;
    struct fitted *fitted; /* in order */
    size_t count;
    bool other_types; /* some device was left to the next look for its type's sake */
    const char *shortage; /* why there was no place, where that will pass; else NULL */
};

/* Adds a device as `like` says, with kind, address, parent and type filled in; false when
 * there is no place. `place` is the GPU with the parents that may be used; a parent that
 * `like` names is preferred, at an address that it names the device must be. */
bool fit_add(struct fit *fit, const struct gpu *place, const struct device_type *type,
             const struct journal_device *like, struct want *want);
/* Takes back all but the first `count`. */
void fit_cut(struct fit *fit, size_t count);
/* Adds the steps to the plan, and the devices to their wants. Empties `placing`. */
void fit_emit(struct fit *fit);

/* The type of a device that was lost, as the GPU offers it now: by its name, which
 * stays the same over driver upgrades; ids do not. */
const struct device_type *fit_old_type(const struct gpu *place,
                                       const struct journal_device *entry);

#endif
