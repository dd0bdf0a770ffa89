/*
 * service: decides whether a GPU may get new consumers, and if not, why not and what
 * the operator can do (agent/plan/steps/gpu_service.h). It is decided here, once for
 * each provider and plan: the inventory is held back by it, and whatever is shown of a
 * GPU uses these texts.
 *
 * A new state needs a text in service_reason() that says what the operator can do, and
 * its meaning in vgpu-agent(8).
 */
#ifndef AGENT_PLAN_PROVIDERS_SERVICE_H
#define AGENT_PLAN_PROVIDERS_SERVICE_H

#include "agent/plan/world/world.h"

/* The state as far as it is known before the inventory is decided. */
enum gpu_service service_of(const struct world *world, const struct managed *managed);
/* True when the GPU gets no new consumers, so that reserved is set to the total. */
bool service_is_held_back(enum gpu_service service);

/* The inventory of the configured class, as decided. */
struct service_inventory {
    int64_t room;            /* units that the host can give */
    int64_t total, reserved; /* 0: there is no inventory */
    int64_t others_reserved; /* units of `reserved` that somebody else has reserved, as
                                far as the state file tells */
    double ratio;            /* allocation_ratio, which the agent leaves as it is */
};

/* Adds the provider's service state to the plan, and a problem if it is not intended.
 * `inventory` is NULL where no inventory is decided. */
void service_add(struct world *world, const struct managed *managed,
                 const struct service_inventory *inventory);
/* Adds a state that only the provider's planner knows. Takes ownership of `reason`. */
void service_add_take(struct world *world, const struct managed *managed,
                      enum gpu_service service, char *reason, bool wrong);

#endif
