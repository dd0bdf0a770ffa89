#include "agent/plan/world/ownership.h"

#include <string.h>

#include "lib/xalloc.h"

/* Where several domains name the device, `use` has the one that runs. */
bool use_is_anothers(const struct used_device *use, const char *consumer)
{
    if (!use || !use->domain[0] || strcmp(use->domain, consumer) == 0)
        return false;
    return use->running || !strlist_contains(&use->domains, consumer);
}

enum possession possession_of(const struct world *world, const struct used_device *use,
                              const struct journal_device *entry, const char *consumer)
{
    if (use_is_anothers(use, consumer))
        return POSSESSED_BY_ANOTHER;
    if (use && use->domain[0])
        return POSSESSED;
    if (use && use->group_open)
        return entry && strcmp(entry->consumer, consumer) == 0 ? POSSESSED
                                                               : POSSESSED_BY_ANOTHER;
    return use || !world->in->use || world->in->use->unknown ? POSSESSION_UNKNOWN
                                                             : POSSESSED_BY_NONE;
}

bool changes_hands(const struct world *world, const struct present *present,
                   const struct want *want)
{
    const char *consumer = want->allocation->consumer;
    if (present->stays || (present->computed && !present->entry) ||
        (present->entry && strcmp(present->entry->consumer, consumer) == 0))
        return false;
    return possession_of(world, present->use, present->entry, consumer) != POSSESSED;
}

const char *refusal_of(const struct world *world, const struct present *present)
{
    if (present->other_kind)
        return "the state file has a device of another kind at its address, which a "
               "consumer still has";
    for (size_t i = 0; i < world->in->refused_count; i++)
        if (strcmp(world->in->refused[i].address, present->device->address) == 0)
            return world->in->refused[i].reason;
    return NULL;
}

bool is_server(const struct world *world, const char *consumer)
{
    const struct plan_input *in = world->in;
    return (in->use && strlist_contains(&in->use->domains, consumer)) ||
           (in->servers && strlist_contains(in->servers, consumer));
}

bool is_consumer_here(const struct group *group, const char *consumer)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (strcmp(group->wants[i].allocation->consumer, consumer) == 0)
            return true;
    return false;
}

char *ownership_of_rest(const struct world *world, const struct group *group)
{
    for (size_t i = 0; world->in->use && i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        const struct used_device *use = present->use;
        if (!present->want && refusal_of(world, present))
            return xasprintf("; the device %s is not given on: %s",
                             present->device->address, refusal_of(world, present));
        if (present->want || !use || !(use->domain[0] || use->group_open))
            continue;
        const char *who = use->domain[0]   ? use->domain
                          : present->entry ? present->entry->consumer
                                           : NULL;
        return who ? xasprintf("; the guest of %s has the device %s without an "
                               "allocation here (if this consumer is its migration, "
                               "nothing is missing)",
                               who, present->device->address)
                   : xasprintf("; a process has the device %s without an allocation",
                               present->device->address);
    }
    return xstrdup("");
}
