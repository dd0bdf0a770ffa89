#include "agent/plan/world/place.h"

#include <string.h>

#include "lib/xalloc.h"

/* The number of places that a text names. */
#define NAMED_MAX 3

/* NULL: nobody has looked. */
static const struct device_use *seen_use(const struct world *world)
{
    return world->in->use ? world->in->use : world->in->named;
}

/* Who has the parent's place; NULL: nobody is known to, or it has none. */
static const struct used_device *user_of(const struct world *world,
                                         const struct parent *parent)
{
    const struct device_use *use = seen_use(world);
    return use && parent->place_count && !parent->device_count
               ? device_use_find(use, parent->places[0].address)
               : NULL;
}

bool place_is_of(const struct world *world, const struct parent *parent,
                 const char *consumer)
{
    const struct used_device *user = user_of(world, parent);
    return user && used_device_is_only(user, consumer);
}

bool place_is_open_to(const struct world *world, const struct parent *parent,
                      const char *consumer)
{
    return !user_of(world, parent) || place_is_of(world, parent, consumer);
}

/* The consumer's devices that are still to be made. */
static int64_t count_lacking(const struct group *group, const char *consumer)
{
    int64_t count = 0;
    for (size_t i = 0; i < group->want_count; i++)
        if (strcmp(group->wants[i].allocation->consumer, consumer) == 0)
            count += want_missing(&group->wants[i]);
    for (size_t i = 0; i < group->lost_count; i++)
        count += group->lost[i].want &&
                 strcmp(group->lost[i].want->allocation->consumer, consumer) == 0;
    return count;
}

/* Whether a device could be made in it if nobody had it. */
static bool is_offered(const struct managed *managed, const struct parent *parent)
{
    const struct device_type *type = parent_type(parent, managed->desired->type_id);
    return type && type->available > 0 && parent->place_count && !parent->device_count;
}

/* The places after this one that are the consumer's too: of several the last one is
 * chosen first (agent/plan/devices/fit.h). */
static int64_t count_after(const struct world *world, const struct managed *managed,
                           const struct parent *parent, const char *consumer)
{
    const struct gpu *view = &managed->desired->view;
    int64_t count = 0;
    for (const struct parent *p = parent + 1; p < view->parents + view->parent_count;
         p++)
        count += is_offered(managed, p) && place_is_of(world, p, consumer);
    return count;
}

/* Whether a consumer's device is to be made in it, whose guest has it already. A guest
 * may name more places than its consumer lacks devices: the others are taken. */
static bool is_awaited(const struct world *world, const struct managed *managed,
                       const struct parent *parent, const struct used_device *user)
{
    return used_device_is_only(user, user->domain) &&
           count_after(world, managed, parent, user->domain) <
               count_lacking(managed->group, user->domain);
}

/* `parent` is one of the provider's. */
static bool is_taken(const struct world *world, const struct managed *managed,
                     const struct parent *parent)
{
    const struct device_use *use = seen_use(world);
    if (!use || !is_offered(managed, parent))
        return false;
    const struct used_device *user = user_of(world, parent);
    return user ? !is_awaited(world, managed, parent, user) : use->unknown;
}

static bool has_places(const struct managed *managed)
{
    return managed->group && managed->desired && managed->desired->gpu &&
           managed->desired->type_id;
}

int64_t places_taken(const struct world *world, const struct managed *managed)
{
    const struct gpu *view = has_places(managed) ? &managed->desired->view : NULL;
    int64_t count = 0;
    for (size_t i = 0; view && i < view->parent_count; i++)
        if (is_taken(world, managed, &view->parents[i]))
            count +=
                parent_type(&view->parents[i], managed->desired->type_id)->available;
    return count;
}

static char *describe(const struct world *world, const struct parent *parent)
{
    const struct used_device *user = user_of(world, parent);
    _cleanup_free_ char *who =
        user ? used_device_who(user) : xstrdup("who has it cannot be seen");
    return xasprintf("%s: %s", parent->name, who);
}

char *places_text(const struct world *world, const struct managed *managed)
{
    const struct gpu *view = has_places(managed) ? &managed->desired->view : NULL;
    _cleanup_strlist_ struct strlist names = {0};
    size_t count = 0;
    for (size_t i = 0; view && i < view->parent_count; i++)
        if (is_taken(world, managed, &view->parents[i]) && count++ < NAMED_MAX)
            strlist_add_take(&names, describe(world, &view->parents[i]));
    _cleanup_free_ char *listed = strlist_join(&names, ", ");
    return count ? xasprintf("functions are in use without an allocation, %zu (%s%s)",
                             count, listed, count > NAMED_MAX ? ", ..." : "")
                 : NULL;
}
