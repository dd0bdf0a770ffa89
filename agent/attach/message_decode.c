#include "agent/attach/message.h"

#include <json-c/json_object_iterator.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/xalloc.h"

/* ---- parts ---- */

static int read_number(struct json_object *json, const char *name, int64_t *out,
                       struct error *err)
{
    int64_t number;
    if (json_get_int64(json, name, &number, err) != 0)
        return -1;
    if (number < 0)
        return error_set(err, ERROR_INVALID, "%s: %lld is below 0", name,
                         (long long)number);
    *out = number;
    return 0;
}

static int read_serial(struct json_object *json, uint64_t *out, struct error *err)
{
    int64_t number;
    if (read_number(json, "serial", &number, err) != 0)
        return -1;
    *out = (uint64_t)number;
    return 0;
}

static int read_text_or_null(struct json_object *json, const char *name, char **out,
                             struct error *err)
{
    const char *text;
    if (json_get_string_or_null(json, name, &text, err) != 0)
        return -1;
    *out = xstrdup(text);
    return 0;
}

static int check_address(const char *text, struct error *err)
{
    if (!*text || strlen(text) >= DEVICE_ADDRESS_SIZE)
        return error_set(err, ERROR_INVALID, "'%.80s' is no address of a device", text);
    return 0;
}

/* The addresses come sorted, each once. */
static int read_addresses(struct json_object *json, const char *name,
                          struct strlist *out, struct error *err)
{
    if (json_get_strings(json, name, out, err) != 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (check_address(out->items[i], err) != 0)
            return error_prefix(err, "%s", name);
    strlist_sort_unique(out);
    return 0;
}

static int read_device(struct json_object *json, struct wanted *out,
                       struct strlist *addresses, struct error *err)
{
    const char *address, *xml;
    if (json_get_string(json, "address", &address, err) != 0 ||
        check_address(address, err) != 0 ||
        json_get_string(json, "xml", &xml, err) != 0)
        return -1;
    strlist_add(addresses, address);
    wanted_add_device(out, address, xml);
    return 0;
}

static int read_consumer(struct json_object *json, struct wanted_table *out,
                         struct strlist *addresses, struct error *err)
{
    char consumer[UUID_TEXT_SIZE];
    struct json_object *devices;
    if (json_get_uuid(json, "consumer", consumer, err) != 0)
        return -1;
    size_t before = out->count;
    struct wanted *wanted = wanted_table_add(out, consumer);
    if (out->count == before)
        return error_set(err, ERROR_INVALID, "%s comes twice", consumer);
    if (json_get_bool(json, "whole", &wanted->whole, err) != 0 ||
        json_get_bool(json, "heals", &wanted->heals, err) != 0 ||
        json_get_array(json, "devices", &devices, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(devices); i++)
        if (read_device(json_object_array_get_idx(devices, i), wanted, addresses,
                        err) != 0)
            return error_prefix(err, "devices[%zu]", i);
    return 0;
}

/* A device that two guests are to have would be one tenant's in another one's hands. */
static int check_once(struct strlist *addresses, struct error *err)
{
    strlist_sort(addresses);
    for (size_t i = 1; i < addresses->count; i++)
        if (strcmp(addresses->items[i - 1], addresses->items[i]) == 0)
            return error_set(err, ERROR_INVALID, "the device %s comes twice",
                             addresses->items[i]);
    return 0;
}

/* ---- kinds whose value is an object ---- */

static int read_wanted(struct json_object *json, struct message *out, struct error *err)
{
    struct json_object *consumers;
    _cleanup_strlist_ struct strlist addresses = {0};
    if (read_serial(json, &out->table.serial, err) != 0 ||
        json_get_array(json, "consumers", &consumers, err) != 0 ||
        read_addresses(json, "ours", &out->table.ours, err) != 0)
        return -1;
    if (out->table.serial == 0)
        return error_set(err, ERROR_INVALID, "serial: 0 means that there is no table");
    for (size_t i = 0; i < json_object_array_length(consumers); i++)
        if (read_consumer(json_object_array_get_idx(consumers, i), &out->table,
                          &addresses, err) != 0)
            return error_prefix(err, "consumers[%zu]", i);
    wanted_table_sort(&out->table);
    return check_once(&addresses, err);
}

static int read_connection(struct json_object *json, struct message *out,
                           struct error *err)
{
    if (json_get_bool(json, "up", &out->up, err) != 0)
        return -1;
    return read_text_or_null(json, "reason", &out->reason, err);
}

static int read_life(struct json_object *json, struct message *out, struct error *err)
{
    int64_t life;
    if (read_number(json, "life", &life, err) != 0)
        return -1;
    out->life = (uint64_t)life;
    return 0;
}

static int read_guest(struct json_object *json, struct message *out, struct error *err)
{
    struct guest *guest = &out->guest;
    const char *called;
    if (json_get_uuid(json, "uuid", guest->uuid, err) != 0 ||
        json_get_string(json, "name", &called, err) != 0)
        return -1;
    guest->name = xstrdup(called);
    if (json_get_bool(json, "running", &guest->running, err) != 0 ||
        json_get_bool(json, "persistent", &guest->persistent, err) != 0 ||
        read_addresses(json, "live", &guest->live, err) != 0 ||
        read_addresses(json, "configured", &guest->configured, err) != 0)
        return -1;
    return read_life(json, out, err);
}

static int read_state(struct json_object *json, struct message *out, struct error *err)
{
    const char *state;
    if (json_get_uuid(json, "consumer", out->domain, err) != 0 ||
        json_get_string(json, "state", &state, err) != 0 ||
        read_text_or_null(json, "reason", &out->reason, err) != 0 ||
        read_number(json, "age", &out->age, err) != 0 ||
        json_get_int64(json, "took", &out->took, err) != 0)
        return -1;
    if (!guest_state_parse(state, &out->state))
        return error_set(err, ERROR_INVALID, "state: '%.64s' is unknown", state);
    return 0;
}

static int read_holding(struct json_object *json, struct message *out,
                        struct error *err)
{
    if (read_serial(json, &out->serial, err) != 0)
        return -1;
    return read_addresses(json, "busy", &out->addresses, err);
}

static int read_question(struct json_object *json, struct message *out,
                         struct error *err)
{
    int64_t number;
    if (json_get_uuid(json, "consumer", out->domain, err) != 0 ||
        read_number(json, "number", &number, err) != 0)
        return -1;
    out->number = (uint64_t)number;
    return 0;
}

static int read_doubt(struct json_object *json, struct message *out, struct error *err)
{
    return read_question(json, out, err) != 0 ? -1 : read_life(json, out, err);
}

static int read_sure(struct json_object *json, struct message *out, struct error *err)
{
    if (read_question(json, out, err) != 0)
        return -1;
    return read_number(json, "lasts", &out->lasts, err);
}

/* ---- kinds whose value is something else ---- */

static int read_domain(struct json_object *line, const char *name, struct message *out,
                       struct error *err)
{
    return json_get_uuid(line, name, out->domain, err);
}

static int read_all(struct json_object *line, const char *name, struct message *out,
                    struct error *err)
{
    (void)out;
    bool all;
    if (json_get_bool(line, name, &all, err) != 0)
        return -1;
    return all ? 0 : error_set(err, ERROR_INVALID, "%s: expected true", name);
}

/* ---- all of them ---- */

/* One of the two: of the object that is the member's value, or of the line itself. */
static const struct {
    int (*read_object)(struct json_object *json, struct message *out,
                       struct error *err);
    int (*read_line)(struct json_object *line, const char *name, struct message *out,
                     struct error *err);
} kinds[MESSAGE_KINDS] = {
    [MESSAGE_WANTED] = {.read_object = read_wanted},
    [MESSAGE_CONNECTION] = {.read_object = read_connection},
    [MESSAGE_GUEST] = {.read_object = read_guest},
    [MESSAGE_GONE] = {.read_line = read_domain},
    [MESSAGE_ALL] = {.read_line = read_all},
    [MESSAGE_ASK] = {.read_line = read_domain},
    [MESSAGE_STATE] = {.read_object = read_state},
    [MESSAGE_HOLDING] = {.read_object = read_holding},
    [MESSAGE_DOUBT] = {.read_object = read_doubt},
    [MESSAGE_SURE] = {.read_object = read_sure},
};

/* The kind is the name of the line's only member. */
static int find_kind(struct json_object *line, enum message_kind *out,
                     struct error *err)
{
    if (!json_object_is_type(line, json_type_object) ||
        json_object_object_length(line) != 1)
        return error_set(err, ERROR_INVALID, "expected an object with one member");
    for (size_t i = 0; i < MESSAGE_KINDS; i++)
        if (json_object_object_get_ex(line, message_kind_name((enum message_kind)i),
                                      NULL)) {
            *out = (enum message_kind)i;
            return 0;
        }
    struct json_object_iterator first = json_object_iter_begin(line);
    return error_set(err, ERROR_INVALID, "'%.64s' is no kind of message",
                     json_object_iter_peek_name(&first));
}

static int read_kind(struct json_object *line, struct message *out, struct error *err)
{
    const char *name = message_kind_name(out->kind);
    if (kinds[out->kind].read_line)
        return kinds[out->kind].read_line(line, name, out, err);
    struct json_object *json;
    if (json_get_object(line, name, &json, err) != 0)
        return -1;
    if (kinds[out->kind].read_object(json, out, err) != 0)
        return error_prefix(err, "%s", name);
    return 0;
}

int message_decode(const char *line, size_t length, struct message *out,
                   struct error *err)
{
    *out = (struct message){0};
    _cleanup_json_ struct json_object *json = NULL;
    if (json_parse(line, length, &json, err) == 0 &&
        find_kind(json, &out->kind, err) == 0 && read_kind(json, out, err) == 0)
        return 0;
    message_clear(out);
    return -1;
}
