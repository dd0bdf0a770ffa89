#include "agent/state/journal_read.h"

#include <limits.h>
#include <string.h>

#include "agent/state/journal_seal.h"
#include "lib/json_read.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"
#include "placement/model.h"

#define VERSION_1_KIND "mdev"

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
    if (json_object_object_get_ex(json, "former", NULL) &&
        read_string(json, "former", &out->former, err) != 0)
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

static int read_seen_provider(struct json_object *json, struct journal *journal,
                              struct error *err)
{
    struct journal_seen seen = {0};
    if (json_get_uuid(json, "uuid", seen.uuid, err) != 0 ||
        read_number(json, "generation", INT64_MAX, &seen.generation, err) != 0 ||
        (json_member(json, "root") &&
         json_get_bool(json, "root", &seen.root, err) != 0))
        return -1;
    for (size_t i = 0; i < journal->seen_count; i++)
        if (strcmp(journal->seen[i].uuid, seen.uuid) == 0)
            return error_set(err, ERROR_INVALID, "%s is there twice", seen.uuid);
    *array_add(journal->seen, journal->seen_count) = seen;
    return 0;
}

/* Each is absent where there is none, and in files that older agents wrote. */
static int read_seen(struct json_object *json, struct journal *journal,
                     struct error *err)
{
    struct json_object *array;
    if ((json_member(json, "doubted_since") &&
         read_number(json, "doubted_since", INT64_MAX, &journal->doubted_since, err) !=
             0) ||
        (json_member(json, "replaced_at") &&
         read_number(json, "replaced_at", INT64_MAX, &journal->replaced_at, err) != 0))
        return -1;
    if (!json_member(json, "seen"))
        return 0;
    if (json_get_array(json, "seen", &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++)
        if (read_seen_provider(json_object_array_get_idx(array, i), journal, err) != 0)
            return error_prefix(err, "seen[%zu]", i);
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
    if (journal_check_seal(text, length, err) != 0 ||
        json_get_bool(json, "rebuilding", &journal->rebuilding, err) != 0 ||
        read_boot(json, journal, err) != 0 || read_owner(json, journal, err) != 0 ||
        read_providers(json, journal, err) != 0 ||
        read_devices(json, "devices", (int)version, journal, err) != 0 ||
        read_devices(json, "by_hand", (int)version, journal, err) != 0 ||
        read_types(json, journal, err) != 0 ||
        read_names(json, "made_traits", &journal->made_traits, err) != 0 ||
        read_names(json, "made_classes", &journal->made_classes, err) != 0 ||
        read_spent(json, journal, err) != 0 || read_seen(json, journal, err) != 0)
        return -1;
    *out = steal(journal);
    return 0;
}
