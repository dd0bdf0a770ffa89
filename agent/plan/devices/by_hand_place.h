/*
 * by_hand_place: on which card a device that was ordered by hand is made. Pure.
 */
#ifndef AGENT_PLAN_DEVICES_BY_HAND_PLACE_H
#define AGENT_PLAN_DEVICES_BY_HAND_PLACE_H

#include "agent/plan/world/world.h"

/* The names of the cards that may be tried for the type, in the order of
 * gpu_group_sort(). A card that is drained, or configured for another type, is none of
 * them: it would lose its capacity. The caller clears the list. */
struct strlist by_hand_choices(const struct world *world, const char *type);

/* The parents on which devices may be made: the whole card, or in nova mode the group's
 * parent. Borrows from the group's card. */
struct gpu by_hand_place(const struct world *world, const struct group *group);

/* Why nothing can be made on the card; NULL: it is well. The caller frees. */
char *by_hand_obstacle(const struct gpu *gpu);

/* Why devices made by hand have to wait on this GPU: what is allocated there is served
 * first. NULL: they need not. */
const char *by_hand_waits(const struct world *world, const struct group *group);

#endif
