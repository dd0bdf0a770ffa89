#include "placement/codec.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

bool codec_name_valid(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return length > 0 && length <= PLACEMENT_MAX_NAME && name[length] == 0;
}

static int check_name(const char *name, struct error *err)
{
    if (codec_name_valid(name))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "'%.64s' is no name: expected 1 to %d of A-Z, 0-9 and '_'", name,
                     PLACEMENT_MAX_NAME);
}

static int read_generation(struct json_object *json, int64_t *out, struct error *err)
{
    return json_get_int64(json, "resource_provider_generation", out, err);
}

static int read_amount(struct json_object *json, const char *name, int64_t least,
                       int64_t *out, struct error *err)
{
    int64_t amount;
    if (json_get_int64(json, name, &amount, err) != 0)
        return -1;
    if (amount < least || amount > PLACEMENT_MAX_AMOUNT)
        return error_set(err, ERROR_INVALID, "%s: %lld is not between %lld and %d",
                         name, (long long)amount, (long long)least,
                         PLACEMENT_MAX_AMOUNT);
    *out = amount;
    return 0;
}

/* A root has no parent: the member is null (or missing: json-c shows no difference). */
static int read_parent(struct json_object *json, char out[UUID_TEXT_SIZE],
                       struct error *err)
{
    if (json_member(json, "parent_provider_uuid"))
        return json_get_uuid(json, "parent_provider_uuid", out, err);
    out[0] = 0;
    return 0;
}

int codec_read_provider(struct json_object *json, struct provider *out,
                        struct error *err)
{
    struct provider provider = {0};
    const char *name;
    if (json_get_uuid(json, "uuid", provider.uuid, err) != 0 ||
        json_get_string(json, "name", &name, err) != 0 ||
        json_get_int64(json, "generation", &provider.generation, err) != 0 ||
        json_get_uuid(json, "root_provider_uuid", provider.root, err) != 0 ||
        read_parent(json, provider.parent, err) != 0)
        return -1;
    provider.name = xstrdup(name);
    *out = provider;
    return 0;
}

static int add_providers(struct json_object *json, struct provider **out, size_t *count,
                         struct error *err)
{
    struct json_object *list;
    if (json_get_array(json, "resource_providers", &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct provider provider;
        if (codec_read_provider(json_object_array_get_idx(list, i), &provider, err) !=
            0)
            return error_prefix(err, "resource_providers[%zu]", i);
        *array_add(*out, *count) = provider;
    }
    return 0;
}

int codec_read_providers(struct json_object *json, struct provider **out, size_t *count,
                         struct error *err)
{
    struct provider *items = NULL;
    size_t n = 0;
    if (add_providers(json, &items, &n, err) != 0) {
        providers_free(items, n);
        return -1;
    }
    *out = items;
    *count = n;
    return 0;
}

int codec_read_inventory(struct json_object *json, struct inventory *out,
                         struct error *err)
{
    struct inventory inventory;
    if (read_amount(json, "total", 0, &inventory.total, err) != 0 ||
        read_amount(json, "reserved", 0, &inventory.reserved, err) != 0 ||
        read_amount(json, "min_unit", 1, &inventory.min_unit, err) != 0 ||
        read_amount(json, "max_unit", 1, &inventory.max_unit, err) != 0 ||
        read_amount(json, "step_size", 1, &inventory.step_size, err) != 0 ||
        json_get_double(json, "allocation_ratio", &inventory.allocation_ratio, err) !=
            0)
        return -1;
    *out = inventory;
    return 0;
}

void codec_write_inventory_members(struct json_writer *w,
                                   const struct inventory *inventory)
{
    json_write_int_member(w, "total", inventory->total);
    json_write_int_member(w, "reserved", inventory->reserved);
    json_write_int_member(w, "min_unit", inventory->min_unit);
    json_write_int_member(w, "max_unit", inventory->max_unit);
    json_write_int_member(w, "step_size", inventory->step_size);
    json_write_key(w, "allocation_ratio");
    json_write_double(w, inventory->allocation_ratio);
}

void codec_write_inventory(struct json_writer *w, const struct inventory *inventory)
{
    json_write_begin_object(w);
    codec_write_inventory_members(w, inventory);
    json_write_end_object(w);
}

static int by_class(const void *a, const void *b)
{
    return strcmp(((const struct class_inventory *)a)->resource_class,
                  ((const struct class_inventory *)b)->resource_class);
}

static int add_inventories(struct json_object *json, struct class_inventory **out,
                           size_t *count, struct error *err)
{
    struct json_object *classes;
    if (json_get_object(json, "inventories", &classes, err) != 0)
        return -1;
    json_object_object_foreach (classes, name, value) {
        struct inventory inventory;
        if (check_name(name, err) != 0)
            return error_prefix(err, "inventories");
        if (codec_read_inventory(value, &inventory, err) != 0)
            return error_prefix(err, "inventories.%s", name);
        *array_add(*out, *count) = (struct class_inventory){xstrdup(name), inventory};
    }
    return 0;
}

int codec_read_inventories(struct json_object *json, struct class_inventory **out,
                           size_t *count, int64_t *generation, struct error *err)
{
    struct class_inventory *items = NULL;
    size_t n = 0;
    if (add_inventories(json, &items, &n, err) != 0 ||
        read_generation(json, generation, err) != 0) {
        class_inventories_free(items, n);
        return -1;
    }
    if (n)
        qsort(items, n, sizeof *items, by_class);
    *out = items;
    *count = n;
    return 0;
}

void codec_write_inventories(struct json_writer *w, const struct class_inventory *items,
                             size_t count, int64_t generation)
{
    json_write_begin_object(w);
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < count; i++) {
        json_write_key(w, items[i].resource_class);
        codec_write_inventory(w, &items[i].inventory);
    }
    json_write_end_object(w);
    json_write_int_member(w, "resource_provider_generation", generation);
    json_write_end_object(w);
}

static int add_traits(struct json_object *json, struct strlist *out, struct error *err)
{
    struct json_object *list;
    if (json_get_array(json, "traits", &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (!json_object_is_type(item, json_type_string))
            return error_set(err, ERROR_INVALID,
                             "traits[%zu]: expected a string, got %s", i,
                             json_kind(item));
        const char *name = json_object_get_string(item);
        if (check_name(name, err) != 0)
            return error_prefix(err, "traits[%zu]", i);
        strlist_add(out, name);
    }
    return 0;
}

int codec_read_traits(struct json_object *json, struct strlist *out,
                      int64_t *generation, struct error *err)
{
    _cleanup_strlist_ struct strlist traits = {0};
    if (add_traits(json, &traits, err) != 0 ||
        (generation && read_generation(json, generation, err) != 0))
        return -1;
    strlist_sort(&traits);
    *out = traits;
    traits = (struct strlist){0};
    return 0;
}

void codec_write_traits(struct json_writer *w, const struct strlist *traits,
                        const int64_t *generation)
{
    json_write_begin_object(w);
    json_write_key(w, "traits");
    json_write_begin_array(w);
    for (size_t i = 0; i < traits->count; i++)
        json_write_string(w, traits->items[i]);
    json_write_end_array(w);
    if (generation)
        json_write_int_member(w, "resource_provider_generation", *generation);
    json_write_end_object(w);
}

static int by_consumer(const void *a, const void *b)
{
    const struct provider_allocation *left = a, *right = b;
    int order = strcmp(left->consumer, right->consumer);
    return order ? order : strcmp(left->resource_class, right->resource_class);
}

static int read_resources(struct json_object *json, const char *consumer,
                          struct provider_allocation **out, size_t *count,
                          struct error *err)
{
    struct json_object *resources;
    struct provider_allocation allocation = {0};
    if (!uuid_parse_text(consumer, allocation.consumer))
        return error_set(err, ERROR_INVALID, "'%.64s' is no uuid", consumer);
    if (json_get_object(json, "resources", &resources, err) != 0)
        return -1;
    json_object_object_foreach (resources, name, value) {
        (void)value;
        if (check_name(name, err) != 0 ||
            read_amount(resources, name, 1, &allocation.amount, err) != 0)
            return error_prefix(err, "resources");
        allocation.resource_class = xstrdup(name);
        *array_add(*out, *count) = allocation;
    }
    return 0;
}

static int add_allocations(struct json_object *json, struct provider_allocation **out,
                           size_t *count, struct error *err)
{
    struct json_object *consumers;
    if (json_get_object(json, "allocations", &consumers, err) != 0)
        return -1;
    json_object_object_foreach (consumers, name, value) {
        if (read_resources(value, name, out, count, err) != 0)
            return error_prefix(err, "allocations.%.64s", name);
    }
    return 0;
}

int codec_read_provider_allocations(struct json_object *json,
                                    struct provider_allocation **out, size_t *count,
                                    int64_t *generation, struct error *err)
{
    struct provider_allocation *items = NULL;
    size_t n = 0;
    if (add_allocations(json, &items, &n, err) != 0 ||
        read_generation(json, generation, err) != 0) {
        provider_allocations_free(items, n);
        return -1;
    }
    if (n)
        qsort(items, n, sizeof *items, by_consumer);
    *out = items;
    *count = n;
    return 0;
}

/* The same object, with providers as its names. Takes the classes of `items`. */
static void take_as_consumers(const struct provider_allocation *items, size_t count,
                              struct consumer_allocations *out)
{
    *out = (struct consumer_allocations){0};
    for (size_t i = 0; i < count; i++) {
        struct consumer_allocation *item = array_add(out->items, out->count);
        uuid_text_copy(item->provider, items[i].consumer);
        item->resource_class = items[i].resource_class;
        item->amount = items[i].amount;
    }
}

int codec_read_consumer_allocations(struct json_object *json,
                                    struct consumer_allocations *out, struct error *err)
{
    struct provider_allocation *items = NULL;
    size_t count = 0;
    if (add_allocations(json, &items, &count, err) != 0) {
        provider_allocations_free(items, count);
        return -1;
    }
    if (count)
        qsort(items, count, sizeof *items, by_consumer);
    take_as_consumers(items, count, out);
    free(items);
    return 0;
}

static int by_used_class(const void *a, const void *b)
{
    return strcmp(((const struct class_usage *)a)->resource_class,
                  ((const struct class_usage *)b)->resource_class);
}

static int add_usages(struct json_object *json, struct class_usage **out, size_t *count,
                      struct error *err)
{
    struct json_object *usages;
    if (json_get_object(json, "usages", &usages, err) != 0)
        return -1;
    json_object_object_foreach (usages, name, value) {
        (void)value;
        int64_t used;
        if (check_name(name, err) != 0 || json_get_int64(usages, name, &used, err) != 0)
            return error_prefix(err, "usages");
        *array_add(*out, *count) = (struct class_usage){xstrdup(name), used};
    }
    return 0;
}

int codec_read_usages(struct json_object *json, struct class_usage **out, size_t *count,
                      struct error *err)
{
    struct class_usage *items = NULL;
    size_t n = 0;
    if (add_usages(json, &items, &n, err) != 0) {
        class_usages_free(items, n);
        return -1;
    }
    if (n)
        qsort(items, n, sizeof *items, by_used_class);
    *out = items;
    *count = n;
    return 0;
}
