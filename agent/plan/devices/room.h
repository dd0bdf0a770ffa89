/*
 * room: the units that the host can give on a provider: the devices of the configured
 * type that exist, and those that can still be made. Devices that are in use without an
 * allocation are subtracted, also those that others have before they are made
 * (agent/plan/world/place.h) and those that are about to be made by hand
 * (agent/plan/devices/by_hand.h), and so is what is allocated on other (retired)
 * providers of the same card. Devices of another type that still meet an allocation are
 * added.
 *
 * What cannot be known counts as not available: a device in transition takes the room
 * that it may not have been counted in yet, and a lost device that is to be made again
 * with another type takes all of it.
 */
#ifndef AGENT_PLAN_DEVICES_ROOM_H
#define AGENT_PLAN_DEVICES_ROOM_H

#include "agent/plan/world/world.h"

/* The units of a configured provider, those that are allocated among them. It may be
 * less than that, and less than 0. To be called after by_hand_decide(). */
int64_t room_left(const struct world *world, const struct managed *managed);
/* The same without those that were used (one_time_use) by a consumer that is gone. */
int64_t room_clean(const struct world *world, const struct managed *managed);

#endif
