#include "agent/plan/providers/prune.h"

#include <string.h>

#include "agent/plan/world/managed.h"
#include "lib/xalloc.h"

/* A device without an entry may have been made for a provider that has its card alone.
 * It is nothing to one of a former type. */
static bool keeps_provider(const struct world *world, const struct managed *managed,
                           const struct present *present)
{
    if (present->entry)
        return strcmp(present->entry->provider, managed->uuid) == 0;
    return !managed->left && present->group == managed->group &&
           present_is_used(world, present);
}

/* Why the GPU's devices prevent the deletion of the provider; NULL: nothing does. The
 * caller frees. */
static char *device_obstacle(struct world *world, const struct managed *managed,
                             bool asked)
{
    const struct group *group = managed->group;
    if (group && group->gpu && group->gpu->health != GPU_OK)
        return xstrdup("its GPU is not well, so that its devices cannot be seen");
    if (group && group->in_transit)
        return xstrdup("a device of its GPU is in transition");
    if (asked && !managed->left && group && group->present_count && !world->in->use)
        world->needs_use = true;
    for (size_t i = 0; i < world->present_count; i++)
        if (keeps_provider(world, managed, &world->present[i]))
            return xasprintf("its GPU still has the device %s",
                             world->present[i].device->address);
    return NULL;
}

static bool is_deleted(const struct plan *plan, const char *provider)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_DELETE_PROVIDER &&
            strcmp(plan->steps[i].provider, provider) == 0)
            return true;
    return false;
}

static bool could_be_deleted(const struct plan *plan, const char *provider)
{
    for (size_t i = 0; i < plan->retired_count; i++)
        if (strcmp(plan->retired[i].uuid, provider) == 0)
            return !plan->retired[i].obstacle;
    return false;
}

/* True when a provider is below this one, and would stay there: until somebody asks,
 * those that could be deleted would not. */
static bool has_children(const struct world *world, const struct managed *managed,
                         bool asked)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++)
        if (strcmp(observed->providers[i].provider.parent, managed->uuid) == 0 &&
            !is_deleted(world->plan, observed->providers[i].provider.uuid) &&
            (asked ||
             !could_be_deleted(world->plan, observed->providers[i].provider.uuid)))
            return true;
    return false;
}

static char *obstacle_to_prune(struct world *world, const struct managed *managed,
                               bool asked)
{
    if (!managed_is_of_our_making(world, managed))
        return xstrdup("the agent did not make it");
    if (managed->observed->allocation_count)
        return xstrdup("it has allocations");
    if (has_children(world, managed, asked))
        return xstrdup("other providers are below it");
    const char *others = managed_find_class(world, managed, false);
    if (others)
        return xasprintf("somebody else has inventory of %s there", others);
    return device_obstacle(world, managed, asked);
}

static const char *reason_of_deletion(const struct managed *managed)
{
    if (!managed->left)
        return "it is to be pruned, no GPU stands behind it, and nobody has anything "
               "of it";
    return managed->group && managed->group->several
               ? "its type is none of its card's any more, and nobody has anything of "
                 "it"
               : "its card has one type again, and nobody has anything of it";
}

bool prune_provider(struct world *world, const struct managed *managed)
{
    bool ordered =
        world->in->prune && strlist_contains(world->in->prune, managed->uuid);
    /* While the state file is rebuilt it is not known who has what. */
    bool asked = ordered || (managed->left && !world->in->journal->rebuilding);
    char *obstacle = obstacle_to_prune(world, managed, asked);
    if (asked && !obstacle) {
        world_add_step(world, STEP_DELETE_PROVIDER, managed)->reason =
            xstrdup(reason_of_deletion(managed));
        return true;
    }
    if (ordered) {
        _cleanup_free_ char *text = xasprintf("not deleted: %s", obstacle);
        managed_problem(world, managed, text);
    }
    struct retired_provider *retired =
        array_add(world->plan->retired, world->plan->retired_count);
    uuid_text_copy(retired->uuid, managed->uuid);
    retired->name = xstrdup(managed->name);
    retired->gpu = xstrdup(managed->gpu);
    retired->resource_class = xstrdup(managed_find_class(world, managed, true));
    retired->obstacle = obstacle;
    return false;
}
