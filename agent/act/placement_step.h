/*
 * placement_step: carries out one step of a plan that is a request to Placement.
 * Stateless.
 */
#ifndef AGENT_ACT_PLACEMENT_STEP_H
#define AGENT_ACT_PLACEMENT_STEP_H

#include "agent/plan/plan.h"
#include "placement/client/client.h"

/* `generation` is the provider's, as last known; a write gives the new one. What is
 * already as the step wants it is success. The client's errors; also CONFLICT when a
 * provider that was to be made is there already: it must be looked at first. */
int placement_step(struct placement_client *client, const struct step *step,
                   const char *root_uuid, int64_t *generation, struct error *err);

/* Right before the step removes a device: 0 when its consumer still has no more
 * allocated than when that was decided. CONFLICT when it has, or the provider is not
 * there any more; else why it could not be asked. Other consumers' allocations do not
 * matter. */
int placement_step_is_due(struct placement_client *client, const struct step *step,
                          struct error *err);

#endif
