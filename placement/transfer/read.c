#include "placement/transfer/read.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/codec.h"
#include "placement/transfer/parts.h"

static int bad_reply(const struct side *side, const char *what, struct error *err)
{
    err->code = ERROR_PROTOCOL;
    return error_prefix(err, "%s: unexpected reply for %s", side->name, what);
}

static int read_names(struct side *side, struct snapshot *out, struct error *err)
{
    _cleanup_json_ struct json_object *classes = NULL, *traits = NULL;
    if (side_get(side, &classes, err, "/resource_classes") != 0 ||
        side_get(side, &traits, err, "/traits") != 0)
        return -1;
    if (parts_read_classes(classes, &out->classes, err) != 0)
        return bad_reply(side, "resource_classes", err);
    if (codec_read_traits(traits, &out->traits, NULL, err) != 0)
        return bad_reply(side, "traits", err);
    return 0;
}

/* ---- providers ---- */

static int read_list(struct side *side, struct snapshot *out, struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct provider *items;
    size_t count;
    int rc = 0;
    if (side_get(side, &json, err, "/resource_providers") != 0)
        return -1;
    if (codec_read_providers(json, &items, &count, err) != 0)
        return bad_reply(side, "resource_providers", err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct snapshot_provider *provider = xcalloc(1, sizeof *provider);
        provider->is = items[i];
        items[i].name = NULL;
        rc = snapshot_add_provider_take(out, provider, err);
    }
    providers_free(items, count);
    return rc == 0 ? 0 : bad_reply(side, "resource_providers", err);
}

/* The generation is the one that came with the inventories: what comes later must have
 * the same, or somebody has changed the provider meanwhile. That is no fault; the next
 * run finds it. */
static int read_parts(struct side *side, struct snapshot_provider *provider,
                      struct error *err)
{
    const char *uuid = provider->is.uuid;
    _cleanup_json_ struct json_object *inventories = NULL, *traits = NULL,
                                      *aggregates = NULL;
    int64_t ignored;
    if (side_get(side, &inventories, err, "/resource_providers/%s/inventories", uuid) !=
            0 ||
        side_get(side, &traits, err, "/resource_providers/%s/traits", uuid) != 0 ||
        side_get(side, &aggregates, err, "/resource_providers/%s/aggregates", uuid) !=
            0)
        return -1;
    if (codec_read_inventories(inventories, &provider->inventories,
                               &provider->inventory_count, &provider->is.generation,
                               err) != 0 ||
        codec_read_traits(traits, &provider->traits, &ignored, err) != 0 ||
        parts_read_aggregates(aggregates, &provider->aggregates, err) != 0)
        return bad_reply(side, uuid, err);
    return 0;
}

/* Adds who has something of the provider. */
static int read_users(struct side *side, const struct snapshot_provider *provider,
                      struct strlist *consumers, struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct provider_allocation *items;
    size_t count;
    int64_t ignored;
    if (provider->inventory_count == 0)
        return 0;
    if (side_get(side, &json, err, "/resource_providers/%s/allocations",
                 provider->is.uuid) != 0)
        return -1;
    if (codec_read_provider_allocations(json, &items, &count, &ignored, err) != 0)
        return bad_reply(side, provider->is.uuid, err);
    for (size_t i = 0; i < count; i++)
        strlist_add(consumers, items[i].consumer);
    provider_allocations_free(items, count);
    return 0;
}

static int read_providers(struct side *side, struct progress *progress,
                          struct snapshot *out, struct strlist *consumers,
                          struct error *err)
{
    if (read_list(side, out, err) != 0 || snapshot_order(out, err) != 0)
        return -1;
    progress_begin(progress, "%s: providers read:", side->name);
    for (size_t i = 0; i < out->provider_count; i++) {
        if (read_parts(side, out->providers[i], err) != 0 ||
            read_users(side, out->providers[i], consumers, err) != 0)
            return -1;
        progress_tell(progress, i + 1, out->provider_count);
    }
    return 0;
}

/* ---- consumers ---- */

static int read_consumer(struct side *side, const char *uuid, struct snapshot *out,
                         struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_(snapshot_consumer_freep) struct snapshot_consumer *consumer =
        xcalloc(1, sizeof *consumer);
    if (side_get(side, &json, err, "/allocations/%s", uuid) != 0)
        return -1;
    uuid_text_copy(consumer->uuid, uuid);
    if (parts_read_consumer(json, consumer, err) != 0)
        return bad_reply(side, uuid, err);
    return consumer->count ? snapshot_add_consumer_take(out, steal(consumer), err) : 0;
}

int snapshot_read(struct side *side, struct progress *progress, struct snapshot *out,
                  struct error *err)
{
    _cleanup_strlist_ struct strlist consumers = {0};
    if (side_begin(side, err) != 0 || read_names(side, out, err) != 0 ||
        read_providers(side, progress, out, &consumers, err) != 0)
        return -1;
    strlist_sort_unique(&consumers);
    progress_begin(progress, "%s: consumers read:", side->name);
    for (size_t i = 0; i < consumers.count; i++) {
        if (read_consumer(side, consumers.items[i], out, err) != 0)
            return -1;
        progress_tell(progress, i + 1, consumers.count);
    }
    return 0;
}
