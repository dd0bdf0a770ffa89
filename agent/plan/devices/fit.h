/*
 * fit: finds the parents for the devices that one plan makes on one GPU. It plans no
 * more devices than the kernel says can be made, less those in transition, which the
 * kernel may not count yet during a slow create. With SR-IOV it plans no more than the
 * card takes, whatever the card's free VFs show. All devices of one plan have the same
 * type: on most cards the first device excludes other types. Devices of another type
 * wait for the next plan, which is made at once (plan->goes_on), after the kernel has
 * shown whether the card takes both types. A card with several types that takes one at
 * a time gets none beside devices of another type, whatever the kernel would make; and
 * each plan that makes devices on a card with several types is followed by another,
 * which lowers what the other types still have.
 */
#ifndef AGENT_PLAN_DEVICES_FIT_H
#define AGENT_PLAN_DEVICES_FIT_H

#include "agent/plan/world/world.h"

struct fitted {
    struct journal_device device; /* owned */
    struct want *want;            /* NULL: it meets no allocation */
};

struct fit {
    struct world *world;
    const struct group *group;
    struct fitted *fitted; /* in the order in which they were added */
    size_t count;
    bool other_types;     /* some device waits for the next plan because it has another
                             type */
    const char *shortage; /* why a device did not fit, where the cause is temporary;
                             else NULL */
};

/* Adds a device as `like` describes it, with backend, address, parent and type filled
 * in. Returns false when it does not fit. `place` is the GPU with only those parents
 * that may be used. The parent that `like` names is preferred; an address that `like`
 * names is required. */
bool fit_add(struct fit *fit, const struct gpu *place, const struct device_type *type,
             const struct journal_device *like, struct want *want);
/* Why the files allow no device of the type on the GPU for the want, which may be NULL;
 * NULL: they do. fit_add() returns false there. The caller frees. */
char *fit_objection(const struct fit *fit, const struct device_type *type,
                    const struct want *want);
/* Drops all fitted devices but the first `count`. */
void fit_cut(struct fit *fit, size_t count);
/* Adds the steps to the plan, and the devices to their wants. Empties `fit`. */
void fit_emit(struct fit *fit);

#endif
