#include "placement/codec.h"
#include "placement/transfer/parts.h"
#include "placement/transfer/replaying.h"

static struct strlist traits_to_set(const struct replay *r,
                                    const struct snapshot_provider *provider)
{
    struct strlist traits = {0};
    for (size_t i = 0; i < provider->traits.count; i++)
        if (strlist_sorted_contains(&r->known_traits, provider->traits.items[i]))
            strlist_add(&traits, provider->traits.items[i]);
    return traits;
}

/* The reply to PUT of a whole set has the provider's new generation. */
static int note_generation(struct writer *writer, size_t number,
                           struct json_object *reply, struct error *err)
{
    struct replay *r = writer->data;
    return json_get_int64(reply, "resource_provider_generation",
                          &r->standing[number].generation, err);
}

static void fill_set(struct writer *writer, size_t number, const char *set,
                     struct json_writer *w, struct placement_call *call)
{
    side_fill_call(call, "PUT", w, "/resource_providers/%s/%s",
                   replay_provider(writer, number)->is.uuid, set);
}

static bool fill_inventories(struct writer *writer, size_t number,
                             struct placement_call *call)
{
    struct replay *r = writer->data;
    const struct snapshot_provider *before = replay_before(r, number);
    _cleanup_(inventory_set_clear) struct inventory_set wide = {0};
    struct json_writer w = {0};
    if (r->standing[number].missing)
        return false;
    room_make(&r->room, replay_provider(writer, number), before, &wide);
    if (inventory_set_equal(&wide, before->inventories, before->inventory_count))
        return false;
    codec_write_inventories(&w, wide.items, wide.count, r->standing[number].generation);
    fill_set(writer, number, "inventories", &w, call);
    return true;
}

static bool fill_traits(struct writer *writer, size_t number,
                        struct placement_call *call)
{
    struct replay *r = writer->data;
    _cleanup_strlist_ struct strlist traits =
        traits_to_set(r, replay_provider(writer, number));
    struct json_writer w = {0};
    if (r->standing[number].missing ||
        strlist_equal(&traits, &replay_before(r, number)->traits))
        return false;
    codec_write_traits(&w, &traits, &r->standing[number].generation);
    fill_set(writer, number, "traits", &w, call);
    return true;
}

static bool fill_aggregates(struct writer *writer, size_t number,
                            struct placement_call *call)
{
    struct replay *r = writer->data;
    const struct strlist *aggregates = &replay_provider(writer, number)->aggregates;
    struct json_writer w = {0};
    if (r->standing[number].missing ||
        strlist_equal(aggregates, &replay_before(r, number)->aggregates))
        return false;
    json_write_begin_object(&w);
    json_write_key(&w, "aggregates");
    json_write_strings(&w, aggregates);
    json_write_int_member(&w, "resource_provider_generation",
                          r->standing[number].generation);
    json_write_end_object(&w);
    fill_set(writer, number, "aggregates", &w, call);
    return true;
}

/* ---- whether a set is there already ---- */

static void look_for(struct writer *writer, size_t number, const char *set,
                     struct placement_call *call)
{
    side_fill_call(call, "GET", NULL, "/resource_providers/%s/%s",
                   replay_provider(writer, number)->is.uuid, set);
}

static void look_for_inventories(struct writer *writer, size_t number,
                                 struct placement_call *call)
{
    look_for(writer, number, "inventories", call);
}

static void look_for_traits(struct writer *writer, size_t number,
                            struct placement_call *call)
{
    look_for(writer, number, "traits", call);
}

static void look_for_aggregates(struct writer *writer, size_t number,
                                struct placement_call *call)
{
    look_for(writer, number, "aggregates", call);
}

static bool inventories_are(struct json_object *reply,
                            const struct class_inventory *items, size_t count)
{
    _cleanup_(inventory_set_clear) struct inventory_set now = {0};
    int64_t ignored;
    return codec_read_inventories(reply, &now.items, &now.count, &ignored, NULL) == 0 &&
           inventory_set_equal(&now, items, count);
}

static bool has_inventories(struct writer *writer, size_t number,
                            struct json_object *reply)
{
    struct replay *r = writer->data;
    _cleanup_(inventory_set_clear) struct inventory_set wide = {0};
    room_make(&r->room, replay_provider(writer, number), replay_before(r, number),
              &wide);
    return inventories_are(reply, wide.items, wide.count) &&
           note_generation(writer, number, reply, NULL) == 0;
}

static bool has_traits(struct writer *writer, size_t number, struct json_object *reply)
{
    _cleanup_strlist_ struct strlist now = {0};
    _cleanup_strlist_ struct strlist traits =
        traits_to_set(writer->data, replay_provider(writer, number));
    if (codec_read_traits(reply, &now, NULL, NULL) != 0)
        return false;
    return strlist_equal(&now, &traits) &&
           note_generation(writer, number, reply, NULL) == 0;
}

static bool has_aggregates(struct writer *writer, size_t number,
                           struct json_object *reply)
{
    _cleanup_strlist_ struct strlist now = {0};
    return parts_read_aggregates(reply, &now, NULL) == 0 &&
           strlist_equal(&now, &replay_provider(writer, number)->aggregates) &&
           note_generation(writer, number, reply, NULL) == 0;
}

int replay_put_sets(struct replay *r, struct error *err)
{
    static const struct {
        const char *what, *all;
        bool (*fill)(struct writer *writer, size_t number, struct placement_call *call);
        void (*look)(struct writer *writer, size_t number, struct placement_call *call);
        bool (*is_there)(struct writer *writer, size_t number,
                         struct json_object *reply);
    } sets[] = {
        {"inventories of provider", "inventories of providers", fill_inventories,
         look_for_inventories, has_inventories},
        {"traits of provider", "traits of providers", fill_traits, look_for_traits,
         has_traits},
        {"aggregates of provider", "aggregates of providers", fill_aggregates,
         look_for_aggregates, has_aggregates},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const struct wave wave = {.what = sets[i].what,
                                  .end = r->snapshot->provider_count,
                                  .fill = sets[i].fill,
                                  .name = replay_provider_name,
                                  .taken = note_generation,
                                  .fill_look = sets[i].look,
                                  .is_there = sets[i].is_there,
                                  .count = &r->result->sets};
        writer_begin(&r->writer, sets[i].all, wave.end);
        if (wave_run(&r->writer, &wave, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the inventories that stood wider ---- */

static bool fill_look(struct writer *writer, size_t number, struct placement_call *call)
{
    const struct replay *r = writer->data;
    const char *uuid = replay_provider(writer, number)->is.uuid;
    if (!strlist_sorted_contains(&r->room.made, uuid))
        return false;
    side_fill_call(call, "GET", NULL, "/resource_providers/%s/inventories", uuid);
    return true;
}

static int look(struct writer *writer, size_t number, struct json_object *reply,
                struct error *err)
{
    struct replay *r = writer->data;
    struct standing *standing = &r->standing[number];
    const struct snapshot_provider *provider = replay_provider(writer, number);
    _cleanup_(inventory_set_clear) struct inventory_set now = {0};
    if (codec_read_inventories(reply, &now.items, &now.count, &standing->generation,
                               err) != 0)
        return -1;
    standing->narrow =
        !inventory_set_equal(&now, provider->inventories, provider->inventory_count);
    return 0;
}

static bool fill_narrow(struct writer *writer, size_t number,
                        struct placement_call *call)
{
    const struct replay *r = writer->data;
    const struct snapshot_provider *provider = replay_provider(writer, number);
    struct json_writer w = {0};
    if (!r->standing[number].narrow)
        return false;
    codec_write_inventories(&w, provider->inventories, provider->inventory_count,
                            r->standing[number].generation);
    fill_set(writer, number, "inventories", &w, call);
    return true;
}

static bool is_narrow(struct writer *writer, size_t number, struct json_object *reply)
{
    const struct snapshot_provider *provider = replay_provider(writer, number);
    return inventories_are(reply, provider->inventories, provider->inventory_count);
}

int replay_narrow(struct replay *r, struct error *err)
{
    size_t looked = 0;
    const struct wave looks = {.what = "provider",
                               .end = r->snapshot->provider_count,
                               .fill = fill_look,
                               .name = replay_provider_name,
                               .taken = look,
                               .count = &looked};
    const struct wave writes = {.what = "inventories of provider",
                                .end = r->snapshot->provider_count,
                                .fill = fill_narrow,
                                .name = replay_provider_name,
                                .taken = note_generation,
                                .fill_look = look_for_inventories,
                                .is_there = is_narrow,
                                .count = &r->result->sets};
    strlist_sort_unique(&r->room.made);
    r->writer.total = 0;
    return wave_run(&r->writer, &looks, err) == 0 ? wave_run(&r->writer, &writes, err)
                                                  : -1;
}
