/*
 * managed: the providers that are ours to work on: those that the desired tree
 * names, whether Placement has them or not, and those that Placement has, that were
 * ours, and that nothing is configured for any more.
 */
#ifndef AGENT_PLAN_MANAGED_H
#define AGENT_PLAN_MANAGED_H

#include "agent/plan/world.h"

/* Fills world->subjects: in the order of the desired tree, then retired ones. */
void managed_find(struct world *world);
/* NULL: the provider is not ours to work on. */
const struct managed *managed_of(const struct world *world,
                                 const struct observed_provider *provider);
/* The name of a provider is that which Nova gives to a parent of the GPU. */
bool managed_is_nova_name(const struct world *world, const char *name,
                          const struct gpu *gpu);
/* Adds a problem of the provider, once. */
void managed_problem(struct world *world, const struct managed *managed,
                     const char *text);
/* It is not in Placement, and can be made. */
bool managed_is_new(const struct managed *managed);
/* Allocated of the class, over all consumers. */
int64_t managed_allocated(const struct managed *managed, const char *resource_class);
/* The agent answers for the class on this provider, which Placement has. */
bool managed_has_class(const struct world *world, const struct managed *managed,
                       const char *resource_class);

#endif
