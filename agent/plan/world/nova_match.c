#include "agent/plan/world/nova_match.h"

#include <string.h>

#include "agent/plan/world/ownership.h"

static bool is_of(const struct want *want, const char *domain)
{
    return strcmp(want->allocation->consumer, domain) == 0;
}

static struct want *want_of(const struct group *group, const char *domain)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (is_of(&group->wants[i], domain) && want_missing(&group->wants[i]) > 0)
            return &group->wants[i];
    return NULL;
}

static void match_domains(struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++) {
        struct present *present = &group->present[i];
        present->want =
            present_domain(present) ? want_of(group, present_domain(present)) : NULL;
        if (present->want)
            present->want->met++;
    }
}

static bool is_migrated(const struct group *group, const struct present *present)
{
    return !present->want && present_domain(present) &&
           !is_consumer_here(group, present_domain(present));
}

static bool may_be_migration(const struct world *world, const struct want *want)
{
    return want_missing(want) > 0 && !is_server(world, want->allocation->consumer);
}

/* During a resize or a migration the source's allocation belongs to the migration, and
 * the guest's domain still has the device, which stands for that allocation. When the
 * numbers of such devices and units differ, they cannot be matched. */
static void match_migrations(const struct world *world, struct group *group)
{
    int64_t devices = 0, units = 0;
    for (size_t i = 0; i < group->present_count; i++)
        devices += is_migrated(group, &group->present[i]);
    for (size_t i = 0; i < group->want_count; i++)
        if (may_be_migration(world, &group->wants[i]))
            units += want_missing(&group->wants[i]);
    size_t at = 0;
    for (size_t i = 0; devices == units && i < group->present_count; i++) {
        struct present *present = &group->present[i];
        if (!is_migrated(group, present))
            continue;
        while (!may_be_migration(world, &group->wants[at]))
            at++;
        present->want = &group->wants[at];
        present->stays = true;
        present->want->met++;
    }
}

void match_nova_devices(struct world *world, struct group *group)
{
    size_t concerned = group->want_count;
    if (!world->by_card)
        concerned += group->present_count + group->lost_count;
    if (!world->in->use && concerned)
        world->needs_use = true;
    match_domains(group);
    match_migrations(world, group);
}
