/*
 * service: may somebody new come onto a GPU, and if not, why not and what mends it. It is
 * decided here, once for each provider and plan: the inventory is held back by it, and
 * all that is shown of a GPU (`status`, `gpus`, /metrics, the daemon's problems) says it
 * with these words.
 *
 * Whoever adds a state says in service_reason() what mends it, and in vgpu-agent(8) what
 * it means.
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
    GPU_ACTIVE,        /* yes, as far as units are free */
    GPU_DRAINED,       /* no: an operator wants nobody new on it */
    GPU_SICK,          /* no: it is not well, or not there; enum gpu_health says how */
    GPU_MISCONFIGURED, /* no: it does not offer the type that is configured for it */
    GPU_CHANGING,      /* no: devices of its former type are still on it */
    GPU_TAKEN,         /* no: what is not the agent's has left no room on it */
    GPU_RESERVED,      /* no: somebody else has reserved all of it in Placement */
    GPU_WAITING,       /* not yet: Placement has no provider or inventory of it */
    GPU_FOREIGN,       /* the provider is somebody else's, who says */
    GPU_RETIRED,       /* no: nothing is configured for it any more */
    GPU_UNUSED,        /* no: nothing is configured for it; it has no provider */
};
#define GPU_SERVICES (GPU_UNUSED + 1)

/* Of one provider of ours. */
struct provider_service {
    char provider[UUID_TEXT_SIZE];
    enum gpu_service service;
    char *reason; /* one line without the GPU's name: what is so, and the command or
                     option that mends it; NULL: there is nothing to say */
    bool wrong;   /* it is not as it is meant to be: the plan names it as a problem */
};

/* "active", "drained", "sick", ... */
const char *gpu_service_name(enum gpu_service service);

/* What is wrong with the GPU of a provider that is `sick`, and what mends it. The caller
 * frees. */
char *service_sick_reason(const struct desired_provider *desired);

/* ---- for the planner ---- */

/* As far as it is known before the inventory is decided. */
enum gpu_service service_of(const struct world *world, const struct managed *managed);
/* Nobody new may come onto it, so that reserved becomes total. */
bool service_is_held_back(enum gpu_service service);

/* What was lost is made again of a type other than the configured one: on most cards
 * that ends the room for the configured one. */
bool managed_makes_other_type(const struct managed *managed);

/* What the inventory of the configured class comes to. */
struct service_inventory {
    int64_t room;            /* what the host can give of it */
    int64_t total, reserved; /* 0: there is no inventory */
};

/* Adds what is so to the plan, and what is wrong to its problems. `inventory` is NULL
 * where none is decided. */
void service_add(struct world *world, const struct managed *managed,
                 const struct service_inventory *inventory);
/* The same where only the planner of the provider knows: takes `reason`. */
void service_add_take(struct world *world, const struct managed *managed,
                      enum gpu_service service, char *reason, bool wrong);

#endif
