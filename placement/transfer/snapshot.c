#include "placement/transfer/snapshot.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

bool snapshot_is_custom(const char *name)
{
    return strncmp(name, "CUSTOM_", 7) == 0;
}

const struct snapshot_provider *snapshot_provider(const struct snapshot *snapshot,
                                                  const char *uuid)
{
    return map_owner(map_find(&snapshot->providers_by_uuid, uuid),
                     struct snapshot_provider, by_uuid);
}

const struct snapshot_consumer *snapshot_consumer(const struct snapshot *snapshot,
                                                  const char *uuid)
{
    return map_owner(map_find(&snapshot->consumers_by_uuid, uuid),
                     struct snapshot_consumer, by_uuid);
}

int snapshot_add_provider_take(struct snapshot *snapshot,
                               struct snapshot_provider *provider, struct error *err)
{
    _cleanup_(snapshot_provider_freep) struct snapshot_provider *taken = provider;
    if (snapshot_provider(snapshot, taken->is.uuid))
        return error_set(err, ERROR_INVALID, "the provider %s is there twice",
                         taken->is.uuid);
    map_add(&snapshot->providers_by_uuid, &taken->by_uuid, taken->is.uuid);
    *array_add(snapshot->providers, snapshot->provider_count) = steal(taken);
    return 0;
}

int snapshot_add_consumer_take(struct snapshot *snapshot,
                               struct snapshot_consumer *consumer, struct error *err)
{
    _cleanup_(snapshot_consumer_freep) struct snapshot_consumer *taken = consumer;
    if (snapshot_consumer(snapshot, taken->uuid))
        return error_set(err, ERROR_INVALID, "the consumer %s is there twice",
                         taken->uuid);
    map_add(&snapshot->consumers_by_uuid, &taken->by_uuid, taken->uuid);
    *array_add(snapshot->consumers, snapshot->consumer_count) = steal(taken);
    return 0;
}

struct snapshot_consumer *snapshot_remove_consumer(struct snapshot *snapshot,
                                                   size_t number)
{
    struct snapshot_consumer *consumer = snapshot->consumers[number];
    map_remove(&snapshot->consumers_by_uuid, &consumer->by_uuid);
    snapshot->consumers[number] = snapshot->consumers[--snapshot->consumer_count];
    return consumer;
}

/* ---- order ---- */

static int by_depth(const void *a, const void *b)
{
    const struct snapshot_provider *left = *(struct snapshot_provider *const *)a;
    const struct snapshot_provider *right = *(struct snapshot_provider *const *)b;
    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    return strcmp(left->is.name, right->is.name);
}

/* Counts the levels above the provider. More than there are providers is a loop. */
static int find_depth(const struct snapshot *snapshot,
                      struct snapshot_provider *provider, struct error *err)
{
    size_t depth = 0;
    for (const struct snapshot_provider *at = provider; at->is.parent[0]; depth++) {
        const struct snapshot_provider *parent =
            snapshot_provider(snapshot, at->is.parent);
        if (!parent)
            return error_set(err, ERROR_INVALID,
                             "the provider %s has the parent %s, which is not there",
                             at->is.uuid, at->is.parent);
        if (depth > snapshot->provider_count)
            return error_set(err, ERROR_INVALID, "the provider %s is its own ancestor",
                             provider->is.uuid);
        at = parent;
    }
    provider->depth = depth;
    return 0;
}

int snapshot_order(struct snapshot *snapshot, struct error *err)
{
    for (size_t i = 0; i < snapshot->provider_count; i++)
        if (find_depth(snapshot, snapshot->providers[i], err) != 0)
            return -1;
    if (snapshot->provider_count)
        qsort(snapshot->providers, snapshot->provider_count,
              sizeof *snapshot->providers, by_depth);
    for (size_t i = 0; i < snapshot->provider_count; i++)
        snapshot->providers[i]->number = i;
    return 0;
}

/* A provider with children cannot be deleted: they were deleted before, or moved, and where
 * to is not known. */
static void find_gone(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->provider_count; i++) {
        struct snapshot_provider *provider = snapshot->providers[i];
        const struct snapshot_provider *parent =
            snapshot_provider(snapshot, provider->is.parent);
        provider->gone |= parent && parent->gone;
    }
}

void snapshot_remove_gone(struct snapshot *snapshot)
{
    size_t kept = 0;
    find_gone(snapshot);
    for (size_t i = 0; i < snapshot->provider_count; i++) {
        struct snapshot_provider *provider = snapshot->providers[i];
        if (provider->gone) {
            strlist_add_take(&snapshot->gone, xasprintf("%s (%s)", provider->is.name,
                                                        provider->is.uuid));
            map_remove(&snapshot->providers_by_uuid, &provider->by_uuid);
            snapshot_provider_free(provider);
        } else {
            provider->number = kept;
            snapshot->providers[kept++] = provider;
        }
    }
    snapshot->provider_count = kept;
}

static int by_place(const void *a, const void *b)
{
    const struct snapshot_allocation *left = a, *right = b;
    int order = strcmp(left->provider, right->provider);
    return order ? order : strcmp(left->resource_class, right->resource_class);
}

void snapshot_consumer_order(struct snapshot_consumer *consumer)
{
    if (consumer->count)
        qsort(consumer->allocations, consumer->count, sizeof *consumer->allocations,
              by_place);
}

/* ---- comparing ---- */

double snapshot_kept_ratio(double ratio)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.*g", FLT_DIG, (double)(float)ratio);
    return strtod(digits, NULL);
}

bool snapshot_inventory_equal(const struct inventory *a, const struct inventory *b)
{
    struct inventory left = *a, right = *b;
    left.allocation_ratio = snapshot_kept_ratio(left.allocation_ratio);
    right.allocation_ratio = snapshot_kept_ratio(right.allocation_ratio);
    return inventory_equal(&left, &right);
}

bool snapshot_text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool snapshot_consumer_equal(const struct snapshot_consumer *a,
                             const struct snapshot_consumer *b)
{
    if (a->count != b->count || strcmp(a->project, b->project) != 0 ||
        strcmp(a->user, b->user) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (by_place(&a->allocations[i], &b->allocations[i]) != 0 ||
            a->allocations[i].amount != b->allocations[i].amount)
            return false;
    return true;
}

bool snapshot_consumer_is_pending(const struct snapshot_consumer *consumer,
                                  const struct snapshot_consumer *there, bool typed)
{
    return !there || !snapshot_consumer_equal(consumer, there) ||
           (typed && consumer->type &&
            !snapshot_text_equal(consumer->type, there->type));
}

int64_t snapshot_consumer_amount(const struct snapshot_consumer *consumer,
                                 const char *provider, const char *resource_class)
{
    struct snapshot_allocation key = {.resource_class = (char *)resource_class};
    uuid_text_copy(key.provider, provider);
    const struct snapshot_allocation *found =
        consumer && consumer->count ? bsearch(&key, consumer->allocations,
                                              consumer->count, sizeof key, by_place)
                                    : NULL;
    return found ? found->amount : 0;
}

/* ---- the end ---- */

void snapshot_provider_free(struct snapshot_provider *provider)
{
    provider_clear(&provider->is);
    class_inventories_free(provider->inventories, provider->inventory_count);
    strlist_clear(&provider->traits);
    strlist_clear(&provider->aggregates);
    free(provider);
}

void snapshot_consumer_free(struct snapshot_consumer *consumer)
{
    for (size_t i = 0; i < consumer->count; i++)
        free(consumer->allocations[i].resource_class);
    free(consumer->allocations);
    free(consumer->project);
    free(consumer->user);
    free(consumer->type);
    free(consumer);
}

void snapshot_clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->provider_count; i++)
        snapshot_provider_free(snapshot->providers[i]);
    for (size_t i = 0; i < snapshot->consumer_count; i++)
        snapshot_consumer_free(snapshot->consumers[i]);
    free(snapshot->providers);
    free(snapshot->consumers);
    map_clear(&snapshot->providers_by_uuid);
    map_clear(&snapshot->consumers_by_uuid);
    strlist_clear(&snapshot->classes);
    strlist_clear(&snapshot->traits);
    strlist_clear(&snapshot->gone);
    *snapshot = (struct snapshot){0};
}
