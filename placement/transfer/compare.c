#include "placement/transfer/compare.h"

#include <stdarg.h>
#include <string.h>

#include "lib/xalloc.h"

static void add(struct comparison *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct comparison *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    strlist_add_take(&out->differences, xvasprintf(format, list));
    va_end(list);
}

/* ---- sets of names ---- */

static void add_missing(const char *what, const struct strlist *has,
                        const struct strlist *lacks, bool custom_only,
                        const char *where, struct comparison *out)
{
    for (size_t i = 0; i < has->count; i++)
        if ((!custom_only || snapshot_is_custom(has->items[i])) &&
            !strlist_sorted_contains(lacks, has->items[i]))
            add(out, "%s %s: %s", what, has->items[i], where);
}

static void compare_names(const char *what, const struct strlist *mine,
                          const struct strlist *there, bool custom_only,
                          struct comparison *out)
{
    add_missing(what, mine, there, custom_only, "missing there", out);
    add_missing(what, there, mine, custom_only, "only there", out);
}

/* ---- providers ---- */

static char *inventory_text(const struct inventory *inventory)
{
    return xasprintf(
        "total %lld, reserved %lld, units %lld to %lld by %lld, ratio %.9g",
        (long long)inventory->total, (long long)inventory->reserved,
        (long long)inventory->min_unit, (long long)inventory->max_unit,
        (long long)inventory->step_size, inventory->allocation_ratio);
}

static void compare_inventories(const char *who, const struct snapshot_provider *mine,
                                const struct snapshot_provider *there,
                                struct comparison *out)
{
    for (size_t i = 0; i < mine->inventory_count; i++) {
        const struct class_inventory *own = &mine->inventories[i];
        const struct inventory *other = class_inventory_find(
            there->inventories, there->inventory_count, own->resource_class);
        if (other && snapshot_inventory_equal(&own->inventory, other))
            continue;
        _cleanup_free_ char *here = inventory_text(&own->inventory);
        _cleanup_free_ char *is = other ? inventory_text(other) : xstrdup("none");
        add(out, "%s: inventory of %s: %s; there %s", who, own->resource_class, here,
            is);
    }
    for (size_t i = 0; i < there->inventory_count; i++)
        if (!class_inventory_find(mine->inventories, mine->inventory_count,
                                  there->inventories[i].resource_class))
            add(out, "%s: inventory of %s: only there", who,
                there->inventories[i].resource_class);
}

static void compare_provider(const struct snapshot_provider *mine,
                             const struct snapshot_provider *there,
                             struct comparison *out)
{
    _cleanup_free_ char *who =
        xasprintf("provider %s (%s)", mine->is.name, mine->is.uuid);
    _cleanup_free_ char *trait = xasprintf("%s: trait", who);
    _cleanup_free_ char *aggregate = xasprintf("%s: aggregate", who);
    if (strcmp(mine->is.name, there->is.name) != 0)
        add(out, "%s: there it is called %s", who, there->is.name);
    if (strcmp(mine->is.parent, there->is.parent) != 0)
        add(out, "%s: parent %s, there %s", who,
            mine->is.parent[0] ? mine->is.parent : "none",
            there->is.parent[0] ? there->is.parent : "none");
    compare_inventories(who, mine, there, out);
    compare_names(trait, &mine->traits, &there->traits, false, out);
    compare_names(aggregate, &mine->aggregates, &there->aggregates, false, out);
    out->provider_generations += mine->is.generation != there->is.generation;
}

static void compare_providers(const struct snapshot *mine, const struct snapshot *there,
                              struct comparison *out)
{
    for (size_t i = 0; i < mine->provider_count; i++) {
        const struct snapshot_provider *own = mine->providers[i];
        const struct snapshot_provider *other = snapshot_provider(there, own->is.uuid);
        if (other)
            compare_provider(own, other, out);
        else
            add(out, "provider %s (%s): missing there", own->is.name, own->is.uuid);
    }
    for (size_t i = 0; i < there->provider_count; i++)
        if (!snapshot_provider(mine, there->providers[i]->is.uuid))
            add(out, "provider %s (%s): only there", there->providers[i]->is.name,
                there->providers[i]->is.uuid);
}

/* ---- consumers ---- */

static void compare_amounts(const char *who, const struct snapshot_consumer *mine,
                            const struct snapshot_consumer *there,
                            struct comparison *out)
{
    for (size_t i = 0; i < mine->count; i++) {
        const struct snapshot_allocation *own = &mine->allocations[i];
        int64_t other =
            snapshot_consumer_amount(there, own->provider, own->resource_class);
        if (other != own->amount)
            add(out, "%s: %lld %s of provider %s; there %lld", who,
                (long long)own->amount, own->resource_class, own->provider,
                (long long)other);
    }
    for (size_t i = 0; i < there->count; i++) {
        const struct snapshot_allocation *other = &there->allocations[i];
        if (snapshot_consumer_amount(mine, other->provider, other->resource_class) == 0)
            add(out, "%s: %lld %s of provider %s: only there", who,
                (long long)other->amount, other->resource_class, other->provider);
    }
}

static void compare_consumer(const struct snapshot_consumer *mine,
                             const struct snapshot_consumer *there,
                             struct comparison *out)
{
    _cleanup_free_ char *who = xasprintf("consumer %s", mine->uuid);
    const struct {
        const char *name, *mine, *there;
    } texts[] = {
        {"project", mine->project, there->project},
        {"user", mine->user, there->user},
        {"type", mine->type, there->type},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!snapshot_text_equal(texts[i].mine, texts[i].there))
            add(out, "%s: %s %s, there %s", who, texts[i].name,
                texts[i].mine ? texts[i].mine : "unknown",
                texts[i].there ? texts[i].there : "unknown");
    compare_amounts(who, mine, there, out);
    out->consumer_generations += mine->generation != there->generation;
}

static void compare_consumers(const struct snapshot *mine, const struct snapshot *there,
                              struct comparison *out)
{
    for (size_t i = 0; i < mine->consumer_count; i++) {
        const struct snapshot_consumer *own = mine->consumers[i];
        const struct snapshot_consumer *other = snapshot_consumer(there, own->uuid);
        if (other)
            compare_consumer(own, other, out);
        else
            add(out, "consumer %s: missing there", own->uuid);
    }
    for (size_t i = 0; i < there->consumer_count; i++)
        if (!snapshot_consumer(mine, there->consumers[i]->uuid))
            add(out, "consumer %s: only there", there->consumers[i]->uuid);
}

void snapshot_compare(const struct snapshot *mine, const struct snapshot *there,
                      struct comparison *out)
{
    *out = (struct comparison){0};
    compare_names("class", &mine->classes, &there->classes, true, out);
    compare_names("trait", &mine->traits, &there->traits, true, out);
    compare_providers(mine, there, out);
    compare_consumers(mine, there, out);
}

void comparison_clear(struct comparison *comparison)
{
    strlist_clear(&comparison->differences);
}
