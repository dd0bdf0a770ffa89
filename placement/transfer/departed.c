#include "placement/transfer/replaying.h"

/* Whether the other side's provider is in a tree of ours. */
static bool is_ours(const struct replay *r, const char *uuid)
{
    const struct snapshot_provider *there = snapshot_provider(r->there, uuid);
    return there && snapshot_provider(r->snapshot, there->is.root);
}

/* A consumer that also has something of somebody else's provider is not ours to judge. */
static bool has_departed(const struct replay *r, const struct snapshot_consumer *there)
{
    if (snapshot_consumer(r->snapshot, there->uuid))
        return false;
    for (size_t i = 0; i < there->count; i++)
        if (!is_ours(r, there->allocations[i].provider))
            return false;
    return true;
}

static const char *departed_consumer(const struct writer *writer, size_t number)
{
    const struct replay *r = writer->data;
    return r->there->consumers[number]->uuid;
}

static bool fill_departed_consumer(struct writer *writer, size_t number,
                                   struct placement_call *call)
{
    const struct replay *r = writer->data;
    if (!has_departed(r, r->there->consumers[number]))
        return false;
    side_fill_call(call, "DELETE", NULL, "/allocations/%s",
                   departed_consumer(writer, number));
    return true;
}

static const char *departed_provider(const struct writer *writer, size_t number)
{
    const struct replay *r = writer->data;
    return r->there->providers[number]->is.uuid;
}

static bool fill_departed_provider(struct writer *writer, size_t number,
                                   struct placement_call *call)
{
    const struct replay *r = writer->data;
    const char *uuid = departed_provider(writer, number);
    if (snapshot_provider(r->snapshot, uuid) || !is_ours(r, uuid))
        return false;
    side_fill_call(call, "DELETE", NULL, "/resource_providers/%s", uuid);
    return true;
}

/* Consumers before providers, children before parents. */
int replay_delete_departed(struct replay *r, struct error *err)
{
    const struct wave consumers = {.what = "allocations of consumer",
                                   .end = r->there->consumer_count,
                                   .fill = fill_departed_consumer,
                                   .name = departed_consumer,
                                   .count = &r->result->deleted};
    const struct wave providers = {.what = "provider",
                                   .fill = fill_departed_provider,
                                   .name = departed_provider,
                                   .count = &r->result->deleted};
    return wave_run(&r->writer, &consumers, err) == 0
               ? replay_by_depth(r, r->there, true, &providers, err)
               : -1;
}
