#include "placement/transfer/replay.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/codec.h"
#include "placement/microversion.h"
#include "placement/transfer/parts.h"
#include "placement/transfer/room.h"

/* A local database makes its changes durable after so many writes. */
#define SETTLE_AFTER 500

struct replay {
    const struct snapshot *snapshot, *there;
    struct side *side;
    struct progress *progress;
    struct replay_result *result;
    struct room room;
    struct strlist known_traits; /* of the other side, by now; sorted */
    size_t unsettled;
};

/* ---- writes ---- */

/* 0 when the other side has taken the write, 1 when it has refused it, which is noted; -1
 * when there is no sense in going on. */
static int outcome(struct replay *r, int rc, const char *what, const char *name,
                   struct error *err)
{
    if (rc == 0)
        return ++r->unsettled % SETTLE_AFTER == 0 ? r->side->settle(r->side, err) : 0;
    switch (err->code) {
    case ERROR_INVALID:
    case ERROR_NOT_FOUND:
    case ERROR_EXISTS:
    case ERROR_CONFLICT:
    case ERROR_BUSY:
    case ERROR_EXHAUSTED:
        strlist_add_take(&r->result->refused,
                         xasprintf("%s %s: %s", what, name, err->text));
        return 1;
    default:
        return -1;
    }
}

/* ---- what is left of an earlier run ---- */

static int delete_one(struct replay *r, const char *what, const char *path,
                      const char *uuid, struct error *err)
{
    int rc = side_write(r->side, "DELETE", NULL, 0, NULL, err, "/%s/%s", path, uuid);
    rc = outcome(r, rc, what, uuid, err);
    r->result->deleted += rc == 0;
    return rc < 0 ? -1 : 0;
}

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

/* Consumers before providers, children before parents. */
static int delete_departed(struct replay *r, struct error *err)
{
    const struct snapshot *there = r->there;
    for (size_t i = 0; i < there->consumer_count; i++)
        if (has_departed(r, there->consumers[i]) &&
            delete_one(r, "allocations of consumer", "allocations",
                       there->consumers[i]->uuid, err) != 0)
            return -1;
    for (size_t i = there->provider_count; i-- > 0;) {
        const char *uuid = there->providers[i]->is.uuid;
        if (!snapshot_provider(r->snapshot, uuid) && is_ours(r, uuid) &&
            delete_one(r, "provider", "resource_providers", uuid, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- names ---- */

static int put_names(struct replay *r, const struct strlist *names,
                     const struct strlist *there, const char *what, const char *path,
                     size_t *written, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (!snapshot_is_custom(name) || strlist_sorted_contains(there, name))
            continue;
        int rc = side_write(r->side, "PUT", NULL, 0, NULL, err, "%s/%s", path, name);
        rc = outcome(r, rc, what, name, err);
        if (rc < 0)
            return -1;
        *written += rc == 0;
    }
    return 0;
}

/* The traits that the other side has from now on. A standard one that it does not know,
 * as its release is older, is left out of the providers' sets. */
static void note_traits(struct replay *r)
{
    const struct strlist *own = &r->snapshot->traits;
    r->known_traits = strlist_copy(&r->there->traits);
    for (size_t i = 0; i < own->count; i++)
        if (snapshot_is_custom(own->items[i]))
            strlist_add(&r->known_traits, own->items[i]);
    strlist_sort_unique(&r->known_traits);
}

static struct strlist traits_to_set(const struct replay *r,
                                    const struct snapshot_provider *provider)
{
    struct strlist traits = {0};
    for (size_t i = 0; i < provider->traits.count; i++)
        if (strlist_sorted_contains(&r->known_traits, provider->traits.items[i]))
            strlist_add(&traits, provider->traits.items[i]);
    return traits;
}

/* ---- providers ---- */

static int create_provider(struct replay *r, const struct provider *provider,
                           struct error *err)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "uuid", provider->uuid);
    json_write_string_member(&w, "name", provider->name);
    if (provider->parent[0])
        json_write_string_member(&w, "parent_provider_uuid", provider->parent);
    json_write_end_object(&w);
    return side_write(r->side, "POST", &w, 0, NULL, err, "/resource_providers");
}

static int change_provider(struct replay *r, const struct provider *provider,
                           struct error *err)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "name", provider->name);
    json_write_string_member(&w, "parent_provider_uuid",
                             provider->parent[0] ? provider->parent : NULL);
    json_write_end_object(&w);
    return side_write(r->side, "PUT", &w, 0, NULL, err, "/resource_providers/%s",
                      provider->uuid);
}

/* 0, also where nothing is to be done; 1 when it was refused. */
static int put_provider(struct replay *r, const struct snapshot_provider *provider,
                        const struct snapshot_provider *there, struct error *err)
{
    const struct provider *is = &provider->is;
    if (there && strcmp(is->name, there->is.name) == 0 &&
        strcmp(is->parent, there->is.parent) == 0)
        return 0;
    int rc =
        outcome(r, there ? change_provider(r, is, err) : create_provider(r, is, err),
                "provider", is->name, err);
    r->result->providers += rc == 0;
    return rc;
}

/* PUT of a whole set, whose reply has the provider's new generation. */
static int put_set(struct replay *r, const struct snapshot_provider *provider,
                   const char *set, struct json_writer *w, int64_t *generation,
                   struct error *err)
{
    _cleanup_json_ struct json_object *reply = NULL;
    _cleanup_free_ char *what = xasprintf("%s of provider", set);
    int rc = side_write(r->side, "PUT", w, 0, &reply, err, "/resource_providers/%s/%s",
                        provider->is.uuid, set);
    rc = outcome(r, rc, what, provider->is.name, err);
    if (rc == 0 &&
        json_get_int64(reply, "resource_provider_generation", generation, err) != 0)
        return error_prefix(err, "%s: unexpected reply for %s", r->side->name, what);
    r->result->sets += rc == 0;
    return rc < 0 ? -1 : 0;
}

static int put_aggregates(struct replay *r, const struct snapshot_provider *provider,
                          int64_t *generation, struct error *err)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_key(&w, "aggregates");
    json_write_strings(&w, &provider->aggregates);
    json_write_int_member(&w, "resource_provider_generation", *generation);
    json_write_end_object(&w);
    return put_set(r, provider, "aggregates", &w, generation, err);
}

static int put_sets(struct replay *r, const struct snapshot_provider *provider,
                    const struct snapshot_provider *there, struct error *err)
{
    static const struct snapshot_provider empty;
    const struct snapshot_provider *old = there ? there : &empty;
    _cleanup_strlist_ struct strlist traits = traits_to_set(r, provider);
    _cleanup_(inventory_set_clear) struct inventory_set wide = {0};
    struct json_writer w = {0};
    int64_t generation = old->is.generation;
    room_make(&r->room, provider, old, &wide);
    if (!inventory_set_equal(&wide, old->inventories, old->inventory_count)) {
        codec_write_inventories(&w, wide.items, wide.count, generation);
        if (put_set(r, provider, "inventories", &w, &generation, err) != 0)
            return -1;
    }
    if (!strlist_equal(&traits, &old->traits)) {
        codec_write_traits(&w, &traits, &generation);
        if (put_set(r, provider, "traits", &w, &generation, err) != 0)
            return -1;
    }
    if (!strlist_equal(&provider->aggregates, &old->aggregates))
        return put_aggregates(r, provider, &generation, err);
    return 0;
}

static int put_providers(struct replay *r, struct error *err)
{
    const struct snapshot *from = r->snapshot;
    progress_begin(r->progress, "%s: providers written:", r->side->name);
    for (size_t i = 0; i < from->provider_count; i++) {
        const struct snapshot_provider *provider = from->providers[i];
        const struct snapshot_provider *there =
            snapshot_provider(r->there, provider->is.uuid);
        int rc = put_provider(r, provider, there, err);
        if (rc < 0 || (rc == 0 && put_sets(r, provider, there, err) != 0))
            return -1;
        progress_tell(r->progress, i + 1, from->provider_count);
    }
    return 0;
}

/* ---- consumers ---- */

static bool knows_types(const struct replay *r)
{
    return r->side->minor >= MICROVERSION_CONSUMER_TYPES;
}

/* A consumer without a type is written as before there were types. */
static int put_consumer(struct replay *r, const struct snapshot_consumer *consumer,
                        const struct snapshot_consumer *there, struct error *err)
{
    bool typed = consumer->type && knows_types(r);
    struct json_writer w = {0};
    json_write_begin_object(&w);
    parts_write_consumer(&w, consumer, there ? &there->generation : NULL, typed);
    json_write_end_object(&w);
    int rc = side_write(r->side, "PUT", &w, typed ? 0 : MICROVERSION_MOVED_PROVIDERS,
                        NULL, err, "/allocations/%s", consumer->uuid);
    rc = outcome(r, rc, "allocations of consumer", consumer->uuid, err);
    r->result->consumers += rc == 0;
    return rc < 0 ? -1 : 0;
}

static int put_consumers(struct replay *r, struct error *err)
{
    const struct snapshot *from = r->snapshot;
    progress_begin(r->progress, "%s: consumers written:", r->side->name);
    for (size_t i = 0; i < from->consumer_count; i++) {
        const struct snapshot_consumer *consumer = from->consumers[i];
        const struct snapshot_consumer *there =
            snapshot_consumer(r->there, consumer->uuid);
        if (snapshot_consumer_is_pending(consumer, there, knows_types(r)) &&
            put_consumer(r, consumer, there, err) != 0)
            return -1;
        progress_tell(r->progress, i + 1, from->consumer_count);
    }
    return 0;
}

/* ---- the inventories that stood wider ---- */

static int narrow_provider(struct replay *r, const struct snapshot_provider *provider,
                           struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_(inventory_set_clear) struct inventory_set now = {0};
    struct json_writer w = {0};
    int64_t generation;
    int rc = side_get(r->side, &json, err, "/resource_providers/%s/inventories",
                      provider->is.uuid);
    if (rc != 0)
        return outcome(r, rc, "provider", provider->is.name, err) < 0 ? -1 : 0;
    if (codec_read_inventories(json, &now.items, &now.count, &generation, err) != 0)
        return error_prefix(err, "%s: unexpected reply", r->side->name);
    if (inventory_set_equal(&now, provider->inventories, provider->inventory_count))
        return 0;
    codec_write_inventories(&w, provider->inventories, provider->inventory_count,
                            generation);
    return put_set(r, provider, "inventories", &w, &generation, err);
}

static int narrow(struct replay *r, struct error *err)
{
    const struct strlist *made = &r->room.made;
    for (size_t i = 0; i < made->count; i++)
        if (narrow_provider(r, snapshot_provider(r->snapshot, made->items[i]), err) !=
            0)
            return -1;
    return 0;
}

static int run(struct replay *r, struct error *err)
{
    const struct snapshot *from = r->snapshot, *there = r->there;
    if (put_names(r, &from->classes, &there->classes, "class", "/resource_classes",
                  &r->result->classes, err) != 0 ||
        put_names(r, &from->traits, &there->traits, "trait", "/traits",
                  &r->result->traits, err) != 0)
        return -1;
    note_traits(r);
    if (put_providers(r, err) != 0 || put_consumers(r, err) != 0 || narrow(r, err) != 0)
        return -1;
    return r->side->settle(r->side, err);
}

int replay(const struct replay_order *order, struct replay_result *result,
           struct error *err)
{
    struct replay r = {.snapshot = order->snapshot,
                       .there = order->there,
                       .side = order->side,
                       .progress = order->progress,
                       .result = result};
    *result = (struct replay_result){0};
    room_count(&r.room, r.snapshot, r.there, knows_types(&r));
    int rc = order->delete_departed ? delete_departed(&r, err) : 0;
    if (rc == 0)
        rc = run(&r, err);
    room_clear(&r.room);
    strlist_clear(&r.known_traits);
    return rc;
}

void replay_result_clear(struct replay_result *result)
{
    strlist_clear(&result->refused);
}
