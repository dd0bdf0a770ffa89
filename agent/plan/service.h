/*
 * service: decides whether a GPU may get new consumers, and if not, why not and what
 * the operator can do. It is decided here, once for each provider and plan: the
 * inventory is held back by it, and all that is shown of a GPU (`status`, `gpus`,
 * /metrics, the daemon's problems) uses these texts.
 *
 * A new state needs a text in service_reason() that says what the operator can do, and
 * its meaning in vgpu-agent(8).
 */
#ifndef AGENT_PLAN_SERVICE_H
#define AGENT_PLAN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/uuid.h"

struct desired_provider;
struct managed;
struct world;

enum gpu_service {
    GPU_ACTIVE,        /* new consumers may come, as far as units are free */
    GPU_DRAINED,       /* no new consumers: an operator has drained it */
    GPU_SICK,          /* no new consumers: it is not well, or not on the host; enum
                          gpu_health says how */
    GPU_MISCONFIGURED, /* no new consumers: it does not offer the type that is
                          configured for it */
    GPU_CHANGING,      /* no new consumers: it still has devices of its former type */
    GPU_TAKEN,         /* no new consumers: devices that are not the agent's leave no
                          room */
    GPU_RESERVED,      /* no new consumers: somebody else has reserved all of it in
                          Placement */
    GPU_UNCLEAN,       /* no new consumers: its units were used, and wait to be cleaned
                          (one_time_use) */
    GPU_WAITING,       /* not yet: Placement has no provider or inventory for it */
    GPU_FOREIGN,       /* the provider is somebody else's, who decides */
    GPU_RETIRED,       /* no new consumers: nothing is configured for it any more */
    GPU_EXCLUDED,      /* no new consumers: the card carries another of its types, and
                          takes one at a time, or has no room beside them */
    GPU_DISABLED,      /* no new consumers: an operator has disabled the type for it */
    GPU_UNUSED,        /* no new consumers: nothing is configured for it, and it has no
                          provider */
};
#define GPU_SERVICES (GPU_UNUSED + 1)

/* The service state of one of the agent's providers. */
struct provider_service {
    char provider[UUID_TEXT_SIZE];
    enum gpu_service service;
    char *reason; /* one line without the GPU's name: the cause, and the command or
                     option that changes it; NULL: there is nothing to say */
    bool wrong;   /* the state is not intended: the plan reports it as a problem */
};

/* The name of the state: "active", "drained", "sick", and so on. */
const char *gpu_service_name(enum gpu_service service);

/* What is wrong with the GPU of a provider that is `sick`, and what the operator can
 * do. The caller frees. */
char *service_sick_reason(const struct desired_provider *desired);

/* ---- for the planner ---- */

/* The state as far as it is known before the inventory is decided. */
enum gpu_service service_of(const struct world *world, const struct managed *managed);
/* True when the GPU gets no new consumers, so that reserved is set to the total. */
bool service_is_held_back(enum gpu_service service);

/* True when a lost device is to be made again with a type other than the configured
 * one: on most cards that leaves no room for the configured one. */
bool managed_makes_other_type(const struct managed *managed);

/* The inventory of the configured class, as decided. */
struct service_inventory {
    int64_t room;            /* units that the host can give */
    int64_t total, reserved; /* 0: there is no inventory */
};

/* Adds the provider's service state to the plan, and a problem if it is not intended.
 * `inventory` is NULL where no inventory is decided. */
void service_add(struct world *world, const struct managed *managed,
                 const struct service_inventory *inventory);
/* Adds a state that only the provider's planner knows. Takes ownership of `reason`. */
void service_add_take(struct world *world, const struct managed *managed,
                      enum gpu_service service, char *reason, bool wrong);

#endif
