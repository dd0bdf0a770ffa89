#include "tests/unit/placement/transfer/small.h"

#include "lib/xalloc.h"
#include "tests/unit/test.h"

struct snapshot_provider *small_provider(struct snapshot *snapshot, const char *name,
                                         int64_t total, int64_t reserved, int64_t step)
{
    struct snapshot_provider *provider = xcalloc(1, sizeof *provider);
    struct error err;
    uuid_text_copy(provider->is.uuid, P);
    uuid_text_copy(provider->is.root, P);
    provider->is.name = xstrdup(name);
    if (total)
        *array_add(provider->inventories, provider->inventory_count) =
            (struct class_inventory){xstrdup("VGPU"),
                                     {.total = total,
                                      .reserved = reserved,
                                      .min_unit = 1,
                                      .max_unit = total,
                                      .step_size = step,
                                      .allocation_ratio = 1}};
    assert_ok(snapshot_add_provider_take(snapshot, provider, &err), &err);
    return provider;
}

struct snapshot_consumer *small_consumer(struct snapshot *snapshot, const char *uuid,
                                         int64_t amount)
{
    struct snapshot_consumer *consumer = xcalloc(1, sizeof *consumer);
    struct error err;
    uuid_text_copy(consumer->uuid, uuid);
    consumer->project = xstrdup("p");
    consumer->user = xstrdup("u");
    struct snapshot_allocation *item =
        array_add(consumer->allocations, consumer->count);
    uuid_text_copy(item->provider, P);
    item->resource_class = xstrdup("VGPU");
    item->amount = amount;
    assert_ok(snapshot_add_consumer_take(snapshot, consumer, &err), &err);
    return consumer;
}
