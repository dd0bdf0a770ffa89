#include "placement/transfer/parts.h"

#include <json-c/linkhash.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/codec.h"

int parts_read_aggregates(struct json_object *json, struct strlist *out,
                          struct error *err)
{
    _cleanup_strlist_ struct strlist found = {0};
    if (json_get_strings(json, "aggregates", &found, err) != 0)
        return -1;
    strlist_sort(&found);
    *out = found;
    found = (struct strlist){0};
    return 0;
}

int parts_read_classes(struct json_object *json, struct strlist *out, struct error *err)
{
    _cleanup_strlist_ struct strlist found = {0};
    struct json_object *list;
    if (json_get_array(json, "resource_classes", &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *name;
        if (json_get_string(json_object_array_get_idx(list, i), "name", &name, err) !=
            0)
            return error_prefix(err, "resource_classes[%zu]", i);
        if (!codec_name_valid(name))
            return error_set(err, ERROR_INVALID,
                             "resource_classes[%zu]: '%.64s' is no name of a class", i,
                             name);
        strlist_add(&found, name);
    }
    strlist_sort(&found);
    *out = found;
    found = (struct strlist){0};
    return 0;
}

/* ---- consumers ---- */

int parts_read_consumer_uuid(const char *text, char out[UUID_TEXT_SIZE],
                             struct error *err)
{
    const size_t length = UUID_TEXT_SIZE - 1;
    if (strlen(text) != length || strspn(text, "0123456789abcdefABCDEF-") != length)
        return error_set(err, ERROR_INVALID, "'%.64s' is no uuid", text);
    uuid_text_copy(out, text);
    return 0;
}

int parts_read_users(struct json_object *json, struct strlist *out, struct error *err)
{
    struct json_object *allocations;
    char uuid[UUID_TEXT_SIZE];
    if (json_get_object(json, "allocations", &allocations, err) != 0)
        return -1;
    json_object_object_foreach (allocations, consumer, value) {
        (void)value;
        if (parts_read_consumer_uuid(consumer, uuid, err) != 0)
            return error_prefix(err, "allocations");
        strlist_add(out, uuid);
    }
    return 0;
}

static int read_amount(struct json_object *resources, const char *name,
                       struct snapshot_allocation *out, struct error *err)
{
    if (!codec_name_valid(name))
        return error_set(err, ERROR_INVALID, "'%.64s' is no name of a class", name);
    if (json_get_int64(resources, name, &out->amount, err) != 0)
        return -1;
    if (out->amount < 1 || out->amount > PLACEMENT_MAX_AMOUNT)
        return error_set(err, ERROR_INVALID, "%s: %lld is not between 1 and %d", name,
                         (long long)out->amount, PLACEMENT_MAX_AMOUNT);
    return 0;
}

static int add_resources(const char *provider, struct json_object *json,
                         struct snapshot_consumer *out, struct error *err)
{
    struct snapshot_allocation item = {0};
    struct json_object *resources;
    if (!uuid_parse_text(provider, item.provider))
        return error_set(err, ERROR_INVALID, "this is no uuid");
    if (json_get_object(json, "resources", &resources, err) != 0)
        return -1;
    json_object_object_foreach (resources, name, value) {
        (void)value;
        if (read_amount(resources, name, &item, err) != 0)
            return error_prefix(err, "resources");
        item.resource_class = xstrdup(name);
        *array_add(out->allocations, out->count) = item;
    }
    return 0;
}

static int read_owner(struct json_object *json, struct snapshot_consumer *out,
                      struct error *err)
{
    const char *project, *user, *type;
    if (json_get_string(json, "project_id", &project, err) != 0 ||
        json_get_string(json, "user_id", &user, err) != 0 ||
        json_get_string_or_null(json, "consumer_type", &type, err) != 0 ||
        json_get_int64(json, "consumer_generation", &out->generation, err) != 0)
        return -1;
    out->project = xstrdup(project);
    out->user = xstrdup(user);
    /* The API's word for none, which it does not take. */
    out->type = type && strcmp(type, "unknown") != 0 ? xstrdup(type) : NULL;
    return 0;
}

int parts_read_consumer(struct json_object *json, struct snapshot_consumer *out,
                        struct error *err)
{
    struct json_object *allocations;
    if (json_get_object(json, "allocations", &allocations, err) != 0)
        return -1;
    json_object_object_foreach (allocations, provider, value) {
        if (add_resources(provider, value, out, err) != 0)
            return error_prefix(err, "allocations.%.64s", provider);
    }
    snapshot_consumer_order(out);
    return out->count == 0 ? 0 : read_owner(json, out, err);
}

static void write_allocations(struct json_writer *w,
                              const struct snapshot_consumer *consumer)
{
    const struct snapshot_allocation *items = consumer->allocations;
    json_write_begin_object(w);
    for (size_t i = 0; i < consumer->count;) {
        const char *provider = items[i].provider;
        json_write_key(w, provider);
        json_write_begin_object(w);
        json_write_key(w, "resources");
        json_write_begin_object(w);
        for (; i < consumer->count && strcmp(items[i].provider, provider) == 0; i++)
            json_write_int_member(w, items[i].resource_class, items[i].amount);
        json_write_end_object(w);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

bool parts_can_put(const struct snapshot_consumer *consumer)
{
    char usual[UUID_TEXT_SIZE];
    return uuid_parse_text(consumer->uuid, usual) && strcmp(usual, consumer->uuid) == 0;
}

void parts_write_consumer(struct json_writer *w,
                          const struct snapshot_consumer *consumer,
                          const int64_t *generation, bool typed)
{
    json_write_key(w, "allocations");
    write_allocations(w, consumer);
    json_write_string_member(w, "project_id", consumer->project);
    json_write_string_member(w, "user_id", consumer->user);
    json_write_known_int_member(w, "consumer_generation", generation,
                                generation ? *generation : 0);
    if (typed && consumer->type)
        json_write_string_member(w, "consumer_type", consumer->type);
}
