#include "tests/unit/agent/plan/plan_model_dump.h"

#include <string.h>

#include "lib/xalloc.h"

static void dump_provider(const struct model_provider *provider, struct strlist *lines)
{
    for (int i = 0; i < provider->trait_count; i++)
        strlist_add_take(lines,
                         xasprintf("%s: %s", provider->name, provider->traits[i]));
    for (int i = 0; i < provider->inventory_count; i++) {
        const struct inventory *inventory = &provider->inventories[i].inventory;
        strlist_add_take(
            lines, xasprintf("%s: %s total=%ld reserved=%ld max_unit=%ld ratio=%g",
                             provider->name, provider->inventories[i].resource_class,
                             (long)inventory->total, (long)inventory->reserved,
                             (long)inventory->max_unit, inventory->allocation_ratio));
    }
}

static void dump_allocations(const struct model_provider *provider,
                             struct strlist *lines)
{
    for (int i = 0; i < provider->allocation_count; i++)
        strlist_add_take(lines, xasprintf("allocation %s: %s:%s %ld", provider->name,
                                          provider->allocations[i].consumer,
                                          provider->allocations[i].resource_class,
                                          (long)provider->allocations[i].amount));
}

static void dump_device(const struct model_device *device, struct strlist *lines)
{
    strlist_add_take(
        lines,
        xasprintf("device %s on %d.%d of type %d%s%s%s%s%s", device->uuid, device->gpu,
                  device->vf, device->type, device->made_by_agent ? ", ours" : "",
                  device->in_transition ? ", in transition" : "",
                  device->stray ? ", stray" : "", device->group_open ? ", open" : "",
                  device->defined ? ", defined" : ""));
    if (device->parameters[0])
        strlist_add_take(lines, xasprintf("device %s has parameters for %s",
                                          device->uuid, device->parameters));
}

static void dump_domains(const struct model *model, struct strlist *lines)
{
    for (int i = 0; i < model->domain_count; i++)
        strlist_add_take(lines,
                         xasprintf("device %s is named by %s%s",
                                   model->domains[i].device, model->domains[i].uuid,
                                   model->domains[i].running ? ", which runs" : ""));
    for (int i = 0; i < model->server_count; i++)
        strlist_add_take(lines, xasprintf("server %s", model->servers[i]));
}

static void dump_entry(const struct journal_provider *entry, struct strlist *lines)
{
    _cleanup_free_ char *traits = strlist_join(&entry->traits, " ");
    strlist_add_take(lines,
                     xasprintf("noted %s %s: %s", entry->name, entry->gpu, traits));
    for (size_t i = 0; i < entry->inventory_count; i++)
        strlist_add_take(lines,
                         xasprintf("noted %s: %s overruled=%d,%d reserved=%ld ratio=%g "
                                   "max_unit=%ld,%ld",
                                   entry->name, entry->inventories[i].resource_class,
                                   entry->inventories[i].overruled,
                                   entry->inventories[i].follows_use,
                                   (long)entry->inventories[i].operators_reserved,
                                   entry->inventories[i].operators_ratio,
                                   (long)entry->inventories[i].operators_max_unit,
                                   (long)entry->inventories[i].files_max_unit));
}

char *model_dump(const struct model *model)
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (int i = 0; i < model->device_count; i++)
        dump_device(&model->devices[i], &lines);
    dump_domains(model, &lines);
    for (int i = 0; i < model->provider_count; i++) {
        dump_provider(&model->providers[i], &lines);
        dump_allocations(&model->providers[i], &lines);
    }
    for (size_t i = 0; i < model->journal->provider_count; i++)
        dump_entry(&model->journal->providers[i], &lines);
    for (size_t i = 0; i < model->journal->device_count; i++) {
        const struct journal_device *d = &model->journal->devices[i];
        strlist_add_take(&lines,
                         xasprintf("noted %s: %s %s:%s:%u on %s, %s released=%ld%s%s%s",
                                   d->uuid, d->provider, d->consumer, d->resource_class,
                                   d->index, d->parent, d->type_id,
                                   (long)d->released_at, d->adopted ? " adopted" : "",
                                   d->migration[0] ? " for " : "", d->migration));
    }
    strlist_sort(&lines);
    return strlist_join(&lines, "\n");
}
