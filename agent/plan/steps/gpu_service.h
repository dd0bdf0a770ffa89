/*
 * gpu_service: whether a GPU may get new consumers, and if not, why not and what the
 * operator can do, as a plan says it of each of the agent's providers. All that is shown
 * of a GPU (`status`, `gpus`, /metrics, the daemon's problems) uses these texts.
 * agent/plan/providers/service.h decides.
 */
#ifndef AGENT_PLAN_STEPS_GPU_SERVICE_H
#define AGENT_PLAN_STEPS_GPU_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/uuid.h"

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
                          Placement, or set an allocation_ratio that leaves none */
    GPU_UNCLEAN,       /* no new consumers: its units were used, and wait to be cleaned
                          (one_time_use) */
    GPU_WAITING,       /* not yet: Placement has no provider or inventory for it */
    GPU_FOREIGN,       /* the provider is somebody else's, who decides */
    GPU_RETIRED,       /* no new consumers: nothing is configured for it any more */
    GPU_EXCLUDED,      /* no new consumers: the card carries another of its types, and
                          takes one at a time, or has no room beside them */
    GPU_DISABLED,      /* no new consumers: an operator has disabled the type for it,
                          or one has enabled it where units are given away once */
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
    /* The GPU is in service, but so many of its units, or all, are reserved by somebody
     * else: `undrain` gives them back. */
    int64_t others_reserved;
};

/* The name of the state: "active", "drained", "sick", and so on. */
const char *gpu_service_name(enum gpu_service service);

#endif
