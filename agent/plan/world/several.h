/*
 * several: the rules for cards with several types, each of which has a provider below
 * the card's own: what the devices of one type leave for the others, and which types get
 * nothing now because the card takes one at a time.
 */
#ifndef AGENT_PLAN_WORLD_SEVERAL_H
#define AGENT_PLAN_WORLD_SEVERAL_H

#include "agent/plan/world/world.h"

/* The number of units for which devices of other types than the provider's are to be
 * made. */
int64_t want_to_be_made_of_others(const struct want *want,
                                  const struct managed *managed);
/* gpu_limit_beside() with what the journal knows of devices in transition. */
int64_t group_limit_beside(const struct group *group, const char *type_id);
/* True when the card takes one type at a time, and has devices of another type than
 * this one. */
bool group_has_other_type(const struct group *group, const char *type_id);
/* True when the provider's type gets nothing now, because the card takes one type at a
 * time: it has devices of another type or, while it is empty, the first device that is
 * to be made is of another type. */
bool managed_is_excluded(const struct managed *managed);
/* True when the card takes its types beside each other, and has devices of other ones
 * of them. */
bool managed_is_crowded_out(const struct managed *managed);
/* The type that the card carries, as text: "'nvidia-35' (2 devices)". "": none yet. The
 * caller frees. */
char *group_carries(const struct group *group);

#endif
