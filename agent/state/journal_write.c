#include "agent/state/journal_write.h"

#include <string.h>

#include "agent/state/journal_seal.h"
#include "lib/json_write.h"

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
    if (d->former)
        json_write_string_member(w, "former", d->former);
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

/* Each is absent where there is none. */
static void write_seen(struct json_writer *w, const struct journal *journal)
{
    if (journal->doubted_since)
        json_write_int_member(w, "doubted_since", journal->doubted_since);
    if (journal->replaced_at)
        json_write_int_member(w, "replaced_at", journal->replaced_at);
    if (journal->seen_count == 0)
        return;
    json_write_key(w, "seen");
    json_write_begin_array(w);
    for (size_t i = 0; i < journal->seen_count; i++) {
        json_write_begin_object(w);
        json_write_string_member(w, "uuid", journal->seen[i].uuid);
        json_write_int_member(w, "generation", journal->seen[i].generation);
        if (journal->seen[i].root)
            json_write_bool_member(w, "root", true);
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
    write_seen(&w, journal);
    json_write_end_object(&w);

    size_t body_length;
    _cleanup_free_ char *body = json_writer_take(&w, &body_length);
    body[body_length - 1] = 0; /* the closing brace comes after the checksum */
    char *text = journal_seal(body);
    if (length)
        *length = strlen(text);
    return text;
}
