/*
 * place: whether a device can be made below a parent whose device has a known address (a
 * virtual function, a card; struct parent), or somebody else has that already: a guest
 * whose domain names it, running or only defined, or a process that has it open. There no
 * device can be made, and what cannot be made is no capacity. Where it cannot be seen who
 * has a place, it is as good as taken.
 *
 * The domain may be that of a consumer whose device is to be made (after a reboot, or
 * without the state file): then the place is the consumer's, and nobody else's.
 */
#ifndef AGENT_PLAN_WORLD_PLACE_H
#define AGENT_PLAN_WORLD_PLACE_H

#include "agent/plan/world/world.h"

/* Whether nobody but this consumer is known to have the parent's place; "": nobody at
 * all. True of a parent without a place. */
bool place_is_open_to(const struct world *world, const struct parent *parent,
                      const char *consumer);
/* Whether this consumer's domain, and nobody else, is known to have it. */
bool place_is_of(const struct world *world, const struct parent *parent,
                 const char *consumer);

/* The instances of the type that the driver offers in places of the managed provider's
 * parents that are taken. */
int64_t places_taken(const struct world *world, const struct managed *managed);
/* These places, and who has them, as text: "functions are in use without an allocation, 2
 * (0000:41:00.4: the running domain ... names it, ...)". NULL: none is taken. The caller
 * frees. */
char *places_text(const struct world *world, const struct managed *managed);

#endif
