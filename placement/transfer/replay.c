#include "placement/transfer/replaying.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/codec.h"
#include "placement/microversion.h"
#include "placement/transfer/parts.h"
#include "placement/transfer/spread.h"

const struct snapshot_provider *replay_provider(const struct writer *writer,
                                                size_t number)
{
    const struct replay *r = writer->data;
    return r->snapshot->providers[number];
}

const char *replay_provider_name(const struct writer *writer, size_t number)
{
    return replay_provider(writer, number)->is.name;
}

/* What the other side had of that provider before. */
const struct snapshot_provider *replay_before(const struct replay *r, size_t number)
{
    static const struct snapshot_provider none;
    const struct snapshot_provider *there =
        snapshot_provider(r->there, r->snapshot->providers[number]->is.uuid);
    return there ? there : &none;
}

const struct snapshot_provider *replay_absent(const struct replay *r, const char *uuid)
{
    const struct snapshot_provider *provider = snapshot_provider(r->snapshot, uuid);
    return provider && r->standing[provider->number].missing &&
                   !snapshot_provider(r->there, uuid)
               ? provider
               : NULL;
}

int replay_by_depth(struct replay *r, const struct snapshot *snapshot, bool upward,
                    const struct wave *wave, struct error *err)
{
    struct wave part = *wave;
    size_t count = snapshot->provider_count;
    struct snapshot_provider *const *items = snapshot->providers;
    for (size_t left = count; left;) {
        part.first = upward ? left - 1 : count - left;
        part.end = part.first + 1;
        size_t depth = items[part.first]->depth;
        while (part.first && items[part.first - 1]->depth == depth)
            part.first--;
        while (part.end < count && items[part.end]->depth == depth)
            part.end++;
        if (wave_run(&r->writer, &part, err) != 0)
            return -1;
        left -= part.end - part.first;
    }
    return 0;
}

/* ---- names ---- */

static bool fill_name(struct placement_call *call, const char *name,
                      const struct strlist *there, const char *path)
{
    if (!snapshot_is_custom(name) || strlist_sorted_contains(there, name))
        return false;
    side_fill_call(call, "PUT", NULL, "%s/%s", path, name);
    return true;
}

static const char *class_name(const struct writer *writer, size_t number)
{
    const struct replay *r = writer->data;
    return r->snapshot->classes.items[number];
}

static bool fill_class(struct writer *writer, size_t number,
                       struct placement_call *call)
{
    const struct replay *r = writer->data;
    return fill_name(call, class_name(writer, number), &r->there->classes,
                     "/resource_classes");
}

static const char *trait_name(const struct writer *writer, size_t number)
{
    const struct replay *r = writer->data;
    return r->snapshot->traits.items[number];
}

static bool fill_trait(struct writer *writer, size_t number,
                       struct placement_call *call)
{
    const struct replay *r = writer->data;
    return fill_name(call, trait_name(writer, number), &r->there->traits, "/traits");
}

/* Of two classes that are made in the same moment OpenStack's Placement (8.0, on MariaDB)
 * makes one: both get the same id, which it takes for a class that is there already, and
 * answers 204 to both. */
static int put_names(struct replay *r, struct error *err)
{
    const struct wave classes = {.what = "class",
                                 .end = r->snapshot->classes.count,
                                 .fill = fill_class,
                                 .name = class_name,
                                 .count = &r->result->classes,
                                 .singly = true};
    const struct wave traits = {.what = "trait",
                                .end = r->snapshot->traits.count,
                                .fill = fill_trait,
                                .name = trait_name,
                                .count = &r->result->traits};
    return wave_run(&r->writer, &classes, err) == 0 ? wave_run(&r->writer, &traits, err)
                                                    : -1;
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

/* ---- providers ---- */

static void fill_create(struct placement_call *call, const struct provider *provider)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "uuid", provider->uuid);
    json_write_string_member(&w, "name", provider->name);
    if (provider->parent[0])
        json_write_string_member(&w, "parent_provider_uuid", provider->parent);
    json_write_end_object(&w);
    side_fill_call(call, "POST", &w, "/resource_providers");
}

static void fill_change(struct placement_call *call, const struct provider *provider)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "name", provider->name);
    json_write_string_member(&w, "parent_provider_uuid",
                             provider->parent[0] ? provider->parent : NULL);
    json_write_end_object(&w);
    side_fill_call(call, "PUT", &w, "/resource_providers/%s", provider->uuid);
}

static bool fill_provider(struct writer *writer, size_t number,
                          struct placement_call *call)
{
    struct replay *r = writer->data;
    const struct provider *is = &replay_provider(writer, number)->is;
    const struct provider *before = &replay_before(r, number)->is;
    const struct snapshot_provider *absent = replay_absent(r, is->parent);
    if (before->name && strcmp(is->name, before->name) == 0 &&
        strcmp(is->parent, before->parent) == 0)
        return false;
    /* Until it is there. */
    r->standing[number].missing = true;
    if (absent)
        strlist_add_take(&r->result->left_out,
                         xasprintf("provider %s (%s): below provider %s (%s)", is->name,
                                   is->uuid, absent->is.name, absent->is.uuid));
    else if (before->name)
        fill_change(call, is);
    else
        fill_create(call, is);
    return !absent;
}

static int note_provider(struct writer *writer, size_t number,
                         struct json_object *reply, struct error *err)
{
    struct replay *r = writer->data;
    (void)reply, (void)err;
    r->standing[number].missing = false;
    return 0;
}

static void look_for_provider(struct writer *writer, size_t number,
                              struct placement_call *call)
{
    side_fill_call(call, "GET", NULL, "/resource_providers/%s",
                   replay_provider(writer, number)->is.uuid);
}

static bool provider_is_there(struct writer *writer, size_t number,
                              struct json_object *reply)
{
    const struct replay *r = writer->data;
    const struct provider *is = &replay_provider(writer, number)->is;
    struct provider now = {0};
    bool there = codec_read_provider(reply, &now, NULL) == 0 &&
                 strcmp(now.name, is->name) == 0 && strcmp(now.parent, is->parent) == 0;
    provider_clear(&now);
    r->standing[number].missing = !there;
    return there;
}

static int put_providers(struct replay *r, struct error *err)
{
    const struct wave wave = {.what = "provider",
                              .fill = fill_provider,
                              .name = replay_provider_name,
                              .taken = note_provider,
                              .fill_look = look_for_provider,
                              .is_there = provider_is_there,
                              .count = &r->result->providers};
    writer_begin(&r->writer, "providers", r->snapshot->provider_count);
    return replay_by_depth(r, r->snapshot, false, &wave, err);
}

/* ---- consumers ---- */

static bool knows_types(const struct replay *r)
{
    return r->writer.side->minor >= MICROVERSION_CONSUMER_TYPES;
}

static const char *consumer_uuid(const struct writer *writer, size_t number)
{
    const struct replay *r = writer->data;
    return r->snapshot->consumers[r->consumers[number]]->uuid;
}

/* Whether it has something of a provider that is not there, which is noted. */
static bool leave_out(const struct replay *r, const struct snapshot_consumer *consumer)
{
    const struct snapshot_provider *absent = NULL;
    for (size_t i = 0; i < consumer->count && !absent; i++)
        absent = replay_absent(r, consumer->allocations[i].provider);
    if (absent)
        strlist_add_take(&r->result->left_out,
                         xasprintf("consumer %s: on provider %s (%s)", consumer->uuid,
                                   absent->is.name, absent->is.uuid));
    return absent;
}

static void write_consumer(const struct snapshot_consumer *consumer,
                           const int64_t *generation, bool typed,
                           struct placement_call *call)
{
    struct json_writer w = {0};
    bool put = parts_can_put(consumer);
    json_write_begin_object(&w);
    if (!put) {
        json_write_key(&w, consumer->uuid);
        json_write_begin_object(&w);
    }
    parts_write_consumer(&w, consumer, generation, typed);
    if (!put)
        json_write_end_object(&w);
    json_write_end_object(&w);
    if (put)
        side_fill_call(call, "PUT", &w, "/allocations/%s", consumer->uuid);
    else
        side_fill_call(call, "POST", &w, "/allocations");
}

/* A consumer without a type is written as before there were types. */
static bool fill_consumer(struct writer *writer, size_t number,
                          struct placement_call *call)
{
    const struct replay *r = writer->data;
    const struct snapshot_consumer *consumer =
        r->snapshot->consumers[r->consumers[number]];
    const struct snapshot_consumer *there = snapshot_consumer(r->there, consumer->uuid);
    bool typed = consumer->type && knows_types(r);
    if (!snapshot_consumer_is_pending(consumer, there, knows_types(r)) ||
        leave_out(r, consumer))
        return false;
    write_consumer(consumer, there ? &there->generation : NULL, typed, call);
    call->minor = typed ? 0 : MICROVERSION_MOVED_PROVIDERS;
    return true;
}

static void look_for_consumer(struct writer *writer, size_t number,
                              struct placement_call *call)
{
    side_fill_call(call, "GET", NULL, "/allocations/%s", consumer_uuid(writer, number));
}

static bool consumer_is_there(struct writer *writer, size_t number,
                              struct json_object *reply)
{
    const struct replay *r = writer->data;
    _cleanup_(snapshot_consumer_freep) struct snapshot_consumer *now =
        xcalloc(1, sizeof *now);
    return parts_read_consumer(reply, now, NULL) == 0 && now->count &&
           !snapshot_consumer_is_pending(r->snapshot->consumers[r->consumers[number]],
                                         now, knows_types(r));
}

static int put_consumers(struct replay *r, struct error *err)
{
    const struct wave wave = {.what = "allocations of consumer",
                              .end = r->snapshot->consumer_count,
                              .fill = fill_consumer,
                              .name = consumer_uuid,
                              .fill_look = look_for_consumer,
                              .is_there = consumer_is_there,
                              .count = &r->result->consumers};
    writer_begin(&r->writer, "consumers", wave.end);
    return wave_run(&r->writer, &wave, err);
}

static int run(struct replay *r, bool with_departed, struct error *err)
{
    if ((with_departed && replay_delete_departed(r, err) != 0) ||
        put_names(r, err) != 0)
        return -1;
    note_traits(r);
    if (put_providers(r, err) != 0 || replay_put_sets(r, err) != 0 ||
        put_consumers(r, err) != 0 || replay_narrow(r, err) != 0)
        return -1;
    return r->writer.side->settle(r->writer.side, err);
}

int replay(const struct replay_order *order, struct replay_result *result,
           struct error *err)
{
    size_t count = order->snapshot->provider_count;
    struct replay r = {.snapshot = order->snapshot,
                       .there = order->there,
                       .result = result,
                       .writer = {.side = order->side,
                                  .progress = order->progress,
                                  .refused = &result->refused},
                       .standing = xcalloc(count + 1, sizeof *r.standing),
                       .consumers = spread_consumers(order->snapshot)};
    r.writer.data = &r;
    *result = (struct replay_result){0};
    for (size_t i = 0; i < count; i++)
        r.standing[i].generation = replay_before(&r, i)->is.generation;
    room_count(&r.room, r.snapshot, r.there, knows_types(&r));
    int rc = run(&r, order->delete_departed, err);
    room_clear(&r.room);
    strlist_clear(&r.known_traits);
    free(r.standing);
    free(r.consumers);
    return rc;
}

void replay_result_clear(struct replay_result *result)
{
    strlist_clear(&result->refused);
    strlist_clear(&result->left_out);
}
