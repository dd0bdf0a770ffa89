#include "agent/tree/observed_consumer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static int by_consumer(const void *a, const void *b)
{
    const struct provider_allocation *left = a, *right = b;
    int order = strcmp(left->consumer, right->consumer);
    return order ? order : strcmp(left->resource_class, right->resource_class);
}

static void add_allocation(struct observed_provider *provider, const char *consumer,
                           const struct consumer_allocation *have)
{
    struct provider_allocation *added =
        array_add(provider->allocations, provider->allocation_count);
    uuid_text_copy(added->consumer, consumer);
    added->resource_class = xstrdup(have->resource_class);
    added->amount = have->amount;
    qsort(provider->allocations, provider->allocation_count,
          sizeof *provider->allocations, by_consumer);
}

bool observed_add_consumer(struct observed *observed,
                           const struct consumer_allocations *have)
{
    if (observed_has_consumer(observed, have->consumer))
        return false;
    for (size_t i = 0; i < have->count; i++) {
        struct observed_provider *provider =
            (struct observed_provider *)observed_by_uuid(observed,
                                                         have->items[i].provider);
        if (provider && provider->detailed)
            add_allocation(provider, have->consumer, &have->items[i]);
    }
    return true;
}

static bool has(const struct consumer_allocations *have, const char *provider,
                const struct provider_allocation *allocation)
{
    for (size_t i = 0; i < have->count; i++)
        if (strcmp(have->items[i].provider, provider) == 0 &&
            strcmp(have->items[i].resource_class, allocation->resource_class) == 0)
            return have->items[i].amount == allocation->amount;
    return false;
}

bool observed_knows_consumer(const struct observed *observed,
                             const struct consumer_allocations *have)
{
    size_t known = 0, there = 0;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        for (size_t j = 0; j < provider->allocation_count; j++) {
            if (strcmp(provider->allocations[j].consumer, have->consumer) != 0)
                continue;
            if (!has(have, provider->provider.uuid, &provider->allocations[j]))
                return false;
            known++;
        }
    }
    for (size_t i = 0; i < have->count; i++) {
        const struct observed_provider *provider =
            observed_by_uuid(observed, have->items[i].provider);
        there += provider && provider->detailed;
    }
    return known == there;
}
