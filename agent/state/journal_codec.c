#include "agent/state/journal_codec.h"

#include <limits.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"
#include "placement/model.h"

#define VERSION_1_KIND "mdev"
#define CHECKSUM_KEY ",\"checksum\":\""
#define CHECKSUM_LENGTH (strlen(CHECKSUM_KEY) + UUID_TEXT_SIZE - 1 + strlen("\"}\n"))

/* ---- writing ---- */

static void write_inventories(struct json_writer *w, const struct journal_provider *p)
{
    json_write_key(w, "inventories");
    json_write_begin_array(w);
    for (size_t i = 0; i < p->inventory_count; i++) {
        const struct journal_inventory *inventory = &p->inventories[i];
        json_write_begin_object(w);
        json_write_string_member(w, "resource_class", inventory->resource_class);
        json_write_bool_member(w, "overruled", inventory->overruled);
        if (inventory->follows_use)
            json_write_bool_member(w, "follows_use", true);
        json_write_int_member(w, "operators_reserved", inventory->operators_reserved);
        json_write_key(w, "operators_ratio");
        json_write_double(w, inventory->operators_ratio);
        if (inventory->operators_max_unit)
            json_write_int_member(w, "operators_max_unit",
                                  inventory->operators_max_unit);
        if (inventory->files_max_unit)
            json_write_int_member(w, "files_max_unit", inventory->files_max_unit);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_provider(struct json_writer *w, const struct journal_provider *p)
{
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", p->uuid);
    json_write_string_member(w, "name", p->name);
    json_write_string_member(w, "gpu", p->gpu);
    json_write_key(w, "traits");
    json_write_strings(w, &p->traits);
    write_inventories(w, p);
    json_write_end_object(w);
}

static void write_owner(struct json_writer *w, const struct journal_device *d)
{
    json_write_string_member(w, "provider", d->provider);
    json_write_string_member(w, "consumer", d->consumer);
    json_write_string_member(w, "resource_class", d->resource_class);
    json_write_int_member(w, "index", d->index);
}

static void write_device(struct json_writer *w, const struct journal_device *d)
{
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", d->uuid);
    json_write_string_member(w, "backend", d->backend);
    json_write_string_member(w, "address", d->address);
    if (!d->by_hand)
        write_owner(w, d);
    json_write_string_member(w, "gpu", d->gpu);
    json_write_string_member(w, "parent", d->parent);
    json_write_string_member(w, "type_id", d->type_id);
    json_write_string_member(w, "type_name", d->type_name);
    if (d->migration[0])
        json_write_string_member(w, "migration", d->migration);
    json_write_bool_member(w, "adopted", d->adopted);
    if (d->parameters)
        json_write_string_member(w, "parameters", d->parameters);
    if (d->parameters_due)
        json_write_bool_member(w, "parameters_due", true);
    json_write_int_member(w, "released_at", d->released_at);
    json_write_end_object(w);
}

static void write_devices(struct json_writer *w, const char *key,
                          const struct journal *journal, bool by_hand)
{
    json_write_key(w, key);
    json_write_begin_array(w);
    for (size_t i = 0; i < journal->device_count; i++)
        if (journal->devices[i].by_hand == by_hand)
            write_device(w, &journal->devices[i]);
    json_write_end_array(w);
}

static bool has_by_hand(const struct journal *journal)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (journal->devices[i].by_hand)
            return true;
    return false;
}

/* Absent where no kind needs them. */
static void write_types(struct json_writer *w, const struct journal *journal)
{
    if (journal->type_count == 0)
        return;
    json_write_key(w, "known_types");
    json_write_begin_array(w);
    for (size_t i = 0; i < journal->type_count; i++) {
        const struct journal_type *type = &journal->types[i];
        json_write_begin_object(w);
        json_write_string_member(w, "backend", type->backend);
        json_write_string_member(w, "model", type->model);
        json_write_string_member(w, "id", type->id);
        json_write_string_member(w, "name", type->name);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

/* Absent where there are none. */
static void write_names(struct json_writer *w, const char *name,
                        const struct strlist *names)
{
    if (names->count == 0)
        return;
    json_write_key(w, name);
    json_write_strings(w, names);
}

/* Absent where there are none. */
static void write_spent(struct json_writer *w, const struct journal *journal)
{
    if (journal->spent_count == 0)
        return;
    json_write_key(w, "spent");
    json_write_begin_array(w);
    for (size_t i = 0; i < journal->spent_count; i++) {
        json_write_begin_object(w);
        json_write_string_member(w, "gpu", journal->spent[i].gpu);
        json_write_int_member(w, "units", journal->spent[i].units);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

char *journal_write(const struct journal *journal, size_t *length)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_int_member(&w, "version", JOURNAL_VERSION);
    json_write_bool_member(&w, "rebuilding", journal->rebuilding);
    if (*journal->boot) {
        json_write_string_member(&w, "boot", journal->boot);
        json_write_int_member(&w, "booted_at", journal->booted_at);
    }
    if (*journal->machine)
        json_write_string_member(&w, "machine", journal->machine);
    if (*journal->root) {
        json_write_string_member(&w, "root", journal->root);
        json_write_string_member(&w, "root_name", journal->root_name);
    }
    json_write_key(&w, "providers");
    json_write_begin_array(&w);
    for (size_t i = 0; i < journal->provider_count; i++)
        write_provider(&w, &journal->providers[i]);
    json_write_end_array(&w);
    write_devices(&w, "devices", journal, false);
    if (has_by_hand(journal))
        write_devices(&w, "by_hand", journal, true);
    write_types(&w, journal);
    write_names(&w, "made_traits", &journal->made_traits);
    write_names(&w, "made_classes", &journal->made_classes);
    write_spent(&w, journal);
    json_write_end_object(&w);

    size_t body_length;
    _cleanup_free_ char *body = json_writer_take(&w, &body_length);
    body[body_length - 1] = 0; /* the closing brace comes after the checksum */
    char sum[UUID_TEXT_SIZE];
    uuid5_text(JOURNAL_CHECKSUM_SPACE, body, sum);
    char *text = xasprintf("%s" CHECKSUM_KEY "%s\"}\n", body, sum);
    if (length)
        *length = strlen(text);
    return text;
}

/* ---- reading ---- */

static int read_string(struct json_object *json, const char *name, char **out,
                       struct error *err)
{
    const char *text;
    if (json_get_string(json, name, &text, err) != 0)
        return -1;
    *out = xstrdup(text);
    return 0;
}

static int read_number(struct json_object *json, const char *name, int64_t max,
                       int64_t *out, struct error *err)
{
    int64_t number;
    if (json_get_int64(json, name, &number, err) != 0)
        return -1;
    if (number < 0 || number > max)
        return error_set(err, ERROR_INVALID, "%s: out of range", name);
    *out = number;
    return 0;
}

static int read_strings(struct json_object *json, const char *name, struct strlist *out,
                        struct error *err)
{
    if (json_get_strings(json, name, out, err) != 0)
        return -1;
    strlist_sort(out);
    return 0;
}

/* Absent where it is false, as in most inventories. */
static int read_follows_use(struct json_object *json, struct journal_inventory *out,
                            struct error *err)
{
    if (!json_object_object_get_ex(json, "follows_use", NULL))
        return 0;
    return json_get_bool(json, "follows_use", &out->follows_use, err);
}

/* Each is absent where it is 0, as in most inventories. */
static int read_max_units(struct json_object *json, struct journal_inventory *out,
                          struct error *err)
{
    if (json_member(json, "operators_max_unit") &&
        read_number(json, "operators_max_unit", PLACEMENT_MAX_AMOUNT,
                    &out->operators_max_unit, err) != 0)
        return -1;
    return json_member(json, "files_max_unit")
               ? read_number(json, "files_max_unit", PLACEMENT_MAX_AMOUNT,
                             &out->files_max_unit, err)
               : 0;
}

static int read_inventory(struct json_object *json, struct journal_inventory *out,
                          struct error *err)
{
    if (read_string(json, "resource_class", &out->resource_class, err) != 0 ||
        json_get_bool(json, "overruled", &out->overruled, err) != 0 ||
        read_follows_use(json, out, err) != 0 ||
        read_number(json, "operators_reserved", PLACEMENT_MAX_AMOUNT,
                    &out->operators_reserved, err) != 0 ||
        json_get_double(json, "operators_ratio", &out->operators_ratio, err) != 0 ||
        read_max_units(json, out, err) != 0)
        return -1;
    return 0;
}

static int read_inventories(struct json_object *json, struct journal_provider *out,
                            struct error *err)
{
    struct json_object *array;
    if (json_get_array(json, "inventories", &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct journal_inventory inventory = {0};
        int rc = read_inventory(json_object_array_get_idx(array, i), &inventory, err);
        if (rc == 0)
            journal_put_inventory(out, &inventory);
        free(inventory.resource_class);
        if (rc != 0)
            return error_prefix(err, "inventories[%zu]", i);
    }
    return 0;
}

static int read_provider(struct json_object *json, struct journal_provider *out,
                         struct error *err)
{
    if (json_get_uuid(json, "uuid", out->uuid, err) != 0 ||
        read_string(json, "name", &out->name, err) != 0 ||
        read_string(json, "gpu", &out->gpu, err) != 0 ||
        read_strings(json, "traits", &out->traits, err) != 0 ||
        read_inventories(json, out, err) != 0)
        return -1;
    return 0;
}

/* Absent where it is "", as in most devices. */
static int read_migration(struct json_object *json, struct journal_device *out,
                          struct error *err)
{
    if (!json_object_object_get_ex(json, "migration", NULL))
        return 0;
    return json_get_uuid(json, "migration", out->migration, err);
}

/* Each is absent in most devices. */
static int read_parameters(struct json_object *json, struct journal_device *out,
                           struct error *err)
{
    if (json_object_object_get_ex(json, "parameters", NULL) &&
        read_string(json, "parameters", &out->parameters, err) != 0)
        return -1;
    if (!json_object_object_get_ex(json, "parameters_due", NULL))
        return 0;
    return json_get_bool(json, "parameters_due", &out->parameters_due, err);
}

static int read_short(struct json_object *json, const char *name, char *out,
                      size_t room, struct error *err)
{
    const char *text;
    if (json_get_string(json, name, &text, err) != 0)
        return -1;
    if (strlen(text) >= room)
        return error_set(err, ERROR_INVALID, "%s: longer than %zu characters", name,
                         room - 1);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

/* In version 1 every device is an mdev, whose address is its uuid. */
static int read_address(struct json_object *json, int version,
                        struct journal_device *out, struct error *err)
{
    if (version < 2) {
        text_copy_array(out->backend, VERSION_1_KIND);
        text_copy_array(out->address, out->uuid);
        return 0;
    }
    if (read_short(json, "backend", out->backend, sizeof out->backend, err) != 0)
        return -1;
    return read_short(json, "address", out->address, sizeof out->address, err);
}

static int read_owner_of(struct json_object *json, struct journal_device *out,
                         struct error *err)
{
    int64_t index;
    if (json_get_uuid(json, "provider", out->provider, err) != 0 ||
        json_get_uuid(json, "consumer", out->consumer, err) != 0 ||
        read_string(json, "resource_class", &out->resource_class, err) != 0 ||
        read_number(json, "index", INT_MAX, &index, err) != 0)
        return -1;
    out->index = (unsigned)index;
    return 0;
}

static int read_device(struct json_object *json, int version,
                       struct journal_device *out, struct error *err)
{
    const char *type_name;
    if (json_get_uuid(json, "uuid", out->uuid, err) != 0 ||
        read_address(json, version, out, err) != 0 ||
        (!out->by_hand && read_owner_of(json, out, err) != 0) ||
        read_string(json, "gpu", &out->gpu, err) != 0 ||
        read_string(json, "parent", &out->parent, err) != 0 ||
        read_string(json, "type_id", &out->type_id, err) != 0 ||
        json_get_string_or_null(json, "type_name", &type_name, err) != 0 ||
        read_migration(json, out, err) != 0 ||
        json_get_bool(json, "adopted", &out->adopted, err) != 0 ||
        read_parameters(json, out, err) != 0 ||
        read_number(json, "released_at", INT64_MAX, &out->released_at, err) != 0)
        return -1;
    out->type_name = xstrdup(type_name);
    return 0;
}

static int read_providers(struct json_object *json, struct journal *journal,
                          struct error *err)
{
    struct json_object *array;
    if (json_get_array(json, "providers", &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct journal_provider entry = {0};
        int rc = read_provider(json_object_array_get_idx(array, i), &entry, err);
        if (rc == 0 && journal_find_provider(journal, entry.uuid))
            rc = error_set(err, ERROR_INVALID, "%s is there twice", entry.uuid);
        if (rc == 0)
            journal_put_provider(journal, &entry);
        journal_provider_clear(&entry);
        if (rc != 0)
            return error_prefix(err, "providers[%zu]", i);
    }
    return 0;
}

static int check_new(const struct journal *journal, const struct journal_device *entry,
                     struct error *err)
{
    if (journal_find_device(journal, entry->uuid))
        return error_set(err, ERROR_INVALID, "%s is there twice", entry->uuid);
    if (journal_find_device_at(journal, entry->backend, entry->address))
        return error_set(err, ERROR_INVALID, "%s is there twice", entry->address);
    return 0;
}

/* Those of `key`, "devices" or "by_hand". An older agent ignores the latter, and takes
 * the devices for somebody else's. */
static int read_devices(struct json_object *json, const char *key, int version,
                        struct journal *journal, struct error *err)
{
    struct json_object *array;
    bool by_hand = strcmp(key, "by_hand") == 0;
    if (by_hand && !json_object_object_get_ex(json, key, NULL))
        return 0;
    if (json_get_array(json, key, &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct journal_device entry = {.by_hand = by_hand};
        int rc = read_device(json_object_array_get_idx(array, i), version, &entry, err);
        if (rc == 0)
            rc = check_new(journal, &entry, err);
        if (rc == 0)
            journal_put_device(journal, &entry);
        journal_device_clear(&entry);
        if (rc != 0)
            return error_prefix(err, "%s[%zu]", key, i);
    }
    return 0;
}

static int read_type(struct json_object *json, struct journal *journal,
                     struct error *err)
{
    struct journal_type type = {0};
    const char *id, *name;
    if (read_short(json, "backend", type.backend, sizeof type.backend, err) != 0 ||
        read_short(json, "model", type.model, sizeof type.model, err) != 0 ||
        json_get_string(json, "id", &id, err) != 0 ||
        json_get_string(json, "name", &name, err) != 0)
        return -1;
    if (journal_find_type(journal, type.backend, type.model, id))
        return error_set(err, ERROR_INVALID, "%s is there twice", id);
    type.id = xstrdup(id);
    type.name = xstrdup(name);
    *array_add(journal->types, journal->type_count) = type;
    return 0;
}

/* Absent where no kind needs them, and in files that older agents wrote. */
static int read_types(struct json_object *json, struct journal *journal,
                      struct error *err)
{
    struct json_object *array;
    if (!json_object_object_get_ex(json, "known_types", NULL))
        return 0;
    if (json_get_array(json, "known_types", &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++)
        if (read_type(json_object_array_get_idx(array, i), journal, err) != 0)
            return error_prefix(err, "known_types[%zu]", i);
    return 0;
}

/* Absent where there are none, and in files that older agents wrote. */
static int read_names(struct json_object *json, const char *name, struct strlist *out,
                      struct error *err)
{
    return json_member(json, name) ? read_strings(json, name, out, err) : 0;
}

/* Absent where there are none, and in files that older agents wrote. */
static int read_spent(struct json_object *json, struct journal *journal,
                      struct error *err)
{
    struct json_object *array;
    if (!json_object_object_get_ex(json, "spent", NULL))
        return 0;
    if (json_get_array(json, "spent", &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        const char *gpu;
        int64_t units;
        if (json_get_string(item, "gpu", &gpu, err) != 0 ||
            json_get_int64(item, "units", &units, err) != 0)
            return error_prefix(err, "spent[%zu]", i);
        if (units < 1 || units > INT32_MAX || journal_spent_of(journal, gpu))
            return error_set(err, ERROR_INVALID, "spent[%zu]: makes no sense", i);
        journal_spend(journal, gpu, units);
    }
    return 0;
}

/* Absent in files that older agents wrote. */
static int read_owner(struct json_object *json, struct journal *journal,
                      struct error *err)
{
    if (json_object_object_get_ex(json, "machine", NULL) &&
        json_get_uuid(json, "machine", journal->machine, err) != 0)
        return -1;
    if (!json_object_object_get_ex(json, "root", NULL))
        return 0;
    return json_get_uuid(json, "root", journal->root, err) != 0 ||
                   read_string(json, "root_name", &journal->root_name, err) != 0
               ? -1
               : 0;
}

/* `text` contains no NUL, since it has been parsed before. */
static int check_sum(const char *text, size_t length, struct error *err)
{
    if (length > CHECKSUM_LENGTH) {
        size_t body_length = length - CHECKSUM_LENGTH;
        _cleanup_free_ char *body = xstrndup(text, body_length);
        char sum[UUID_TEXT_SIZE];
        uuid5_text(JOURNAL_CHECKSUM_SPACE, body, sum);
        _cleanup_free_ char *end = xasprintf(CHECKSUM_KEY "%s\"}\n", sum);
        if (strncmp(text + body_length, end, CHECKSUM_LENGTH) == 0)
            return 0;
    }
    return error_set(err, ERROR_INVALID, "the checksum does not match the content");
}

/* Absent in files that older agents wrote. */
static int read_boot(struct json_object *json, struct journal *journal,
                     struct error *err)
{
    if (!json_member(json, "boot"))
        return 0;
    if (json_get_uuid(json, "boot", journal->boot, err) != 0)
        return -1;
    return json_get_int64(json, "booted_at", &journal->booted_at, err);
}

int journal_read(const char *text, size_t length, struct journal **out,
                 struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    int64_t version;
    if (json_parse(text, length, &json, err) != 0 ||
        json_get_int64(json, "version", &version, err) != 0)
        return -1;
    if (version > JOURNAL_VERSION)
        return error_set(err, ERROR_UNSUPPORTED,
                         "a newer vgpu-agent wrote it (version %lld; this one reads "
                         "%d): install that one",
                         (long long)version, JOURNAL_VERSION);
    if (version < JOURNAL_OLDEST_VERSION)
        return error_set(err, ERROR_INVALID, "version %lld; this program reads %d",
                         (long long)version, JOURNAL_VERSION);
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    if (check_sum(text, length, err) != 0 ||
        json_get_bool(json, "rebuilding", &journal->rebuilding, err) != 0 ||
        read_boot(json, journal, err) != 0 || read_owner(json, journal, err) != 0 ||
        read_providers(json, journal, err) != 0 ||
        read_devices(json, "devices", (int)version, journal, err) != 0 ||
        read_devices(json, "by_hand", (int)version, journal, err) != 0 ||
        read_types(json, journal, err) != 0 ||
        read_names(json, "made_traits", &journal->made_traits, err) != 0 ||
        read_names(json, "made_classes", &journal->made_classes, err) != 0 ||
        read_spent(json, journal, err) != 0)
        return -1;
    *out = steal(journal);
    return 0;
}
