/*
 * origin: finds the provider of a device that a domain names and that neither the host
 * nor the journal has any more. A domain's XML gives only the uuid, and Nova moves a
 * server's allocation to a migration's uuid before the domain gives up its devices. So
 * the server's allocation tells the provider only where all of these conditions hold:
 *
 * - every provider of the agent's was read;
 * - the server lacks devices on exactly one provider: it has more units there than its
 *   domain has devices;
 * - its domain names no more absent devices than are lacking there, and no other domain
 *   names one of them;
 * - no allocation on another provider can be its migration's: each of them belongs to a
 *   consumer that is known to be a server (agent/plan/world/ownership.h).
 */
#ifndef AGENT_PLAN_WORLD_ORIGIN_H
#define AGENT_PLAN_WORLD_ORIGIN_H

#include "agent/plan/world/world.h"

/* True when the device, which somebody names, could be one of the agent's, is not on the
 * host, and no running domain names it. Devices that mdevctl defines are left out, since
 * mdevctl starts them. */
bool origin_is_unmade(const struct world *world, const struct used_device *used);

/* The provider on which all absent devices of the domain were; borrowed. NULL: it
 * cannot be known; *why, unless `why` is NULL, then gives the reason as the end of a
 * sentence (the caller frees). */
const struct observed_provider *origin_of(const struct world *world, const char *domain,
                                          char **why);

/* Adds to want->named, for the units of the want that are missing, the uuids of devices
 * that are neither on the host nor in the journal, and that the domain of the want's
 * consumer, and no other, names: those that were on the want's provider, by this rule, or
 * because their uuid is computed for the want. */
void origin_find_absent(const struct world *world, struct want *want);

#endif
