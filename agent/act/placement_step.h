/*
 * placement_step: carries out one step of a plan that is a request to Placement.
 * Stateless.
 */
#ifndef AGENT_ACT_PLACEMENT_STEP_H
#define AGENT_ACT_PLACEMENT_STEP_H

#include "agent/plan/steps/plan.h"
#include "placement/client/client.h"

/* Sends the step's request. `generation` is the provider's last known generation; a
 * write updates it. *made: the step has made a trait or a class. When Placement already
 * is as the step wants it, the step succeeds. Returns 0, or -1 with the client's
 * errors, and with CONFLICT when a provider that was to be created exists already: it
 * must be read first. */
int placement_step(struct placement_client *client, const struct step *step,
                   const char *root_uuid, int64_t *generation, bool *made,
                   struct error *err);

/* Checks, right before the step removes a device, whether the removal is still right.
 * Returns 0 when the device's consumer has no more allocated than when the removal was
 * decided. Fails with CONFLICT when it has more or the provider does not exist any
 * more, and with the client's errors when it could not be asked. Other consumers'
 * allocations do not matter. */
int placement_step_is_due(struct placement_client *client, const struct step *step,
                          struct error *err);

#endif
