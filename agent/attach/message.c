#include "agent/attach/message.h"

#include <string.h>

#include "lib/json_write.h"
#include "lib/utf8.h"

static const char *const states[GUEST_STATES] = {
    [GUEST_ABSENT] = "absent",
    [GUEST_CONFIGURED] = "configured",
    [GUEST_ATTACHED] = "attached",
    [GUEST_MISSES] = "misses",
    [GUEST_AT_NEXT_START] = "at_next_start",
    [GUEST_WAITS_FOR_PORT] = "waits_for_port",
    [GUEST_FAILED] = "failed",
};

const char *guest_state_name(enum guest_state state)
{
    return states[state];
}

bool guest_state_parse(const char *name, enum guest_state *out)
{
    for (size_t i = 0; i < GUEST_STATES; i++)
        if (strcmp(states[i], name) == 0) {
            *out = (enum guest_state)i;
            return true;
        }
    return false;
}

void message_clear(struct message *message)
{
    wanted_table_clear(&message->table);
    guest_clear(&message->guest);
    free(message->reason);
    strlist_clear(&message->addresses);
    *message = (struct message){0};
}

/* What libvirt says may be cut within a character, or be in another encoding. */
static void write_text_member(struct json_writer *w, const char *name, const char *text)
{
    _cleanup_free_ char *valid = text ? utf8_made_valid(text) : NULL;
    json_write_string_member(w, name, valid);
}

static void write_consumer(struct json_writer *w, const struct wanted *wanted)
{
    json_write_begin_object(w);
    json_write_string_member(w, "consumer", wanted->consumer);
    json_write_bool_member(w, "whole", wanted->whole);
    json_write_bool_member(w, "heals", wanted->heals);
    json_write_key(w, "devices");
    json_write_begin_array(w);
    for (size_t i = 0; i < wanted->count; i++) {
        json_write_begin_object(w);
        json_write_string_member(w, "address", wanted->devices[i].address);
        write_text_member(w, "xml", wanted->devices[i].xml);
        json_write_end_object(w);
    }
    json_write_end_array(w);
    json_write_end_object(w);
}

static void write_wanted(struct json_writer *w, const struct message *message)
{
    const struct wanted_table *table = &message->table;
    json_write_begin_object(w);
    json_write_int_member(w, "serial", (int64_t)table->serial);
    json_write_key(w, "consumers");
    json_write_begin_array(w);
    for (size_t i = 0; i < table->count; i++)
        write_consumer(w, &table->consumers[i]);
    json_write_end_array(w);
    json_write_key(w, "ours");
    json_write_strings(w, &table->ours);
    json_write_end_object(w);
}

static void write_connection(struct json_writer *w, const struct message *message)
{
    json_write_begin_object(w);
    json_write_bool_member(w, "up", message->up);
    write_text_member(w, "reason", message->reason);
    json_write_end_object(w);
}

static void write_guest(struct json_writer *w, const struct message *message)
{
    const struct guest *guest = &message->guest;
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", guest->uuid);
    write_text_member(w, "name", guest->name);
    json_write_bool_member(w, "running", guest->running);
    json_write_bool_member(w, "persistent", guest->persistent);
    json_write_key(w, "live");
    json_write_strings(w, &guest->live);
    json_write_key(w, "configured");
    json_write_strings(w, &guest->configured);
    json_write_int_member(w, "life", (int64_t)message->life);
    json_write_end_object(w);
}

static void write_domain(struct json_writer *w, const struct message *message)
{
    json_write_string(w, message->domain);
}

static void write_all(struct json_writer *w, const struct message *message)
{
    (void)message;
    json_write_bool(w, true);
}

static void write_state(struct json_writer *w, const struct message *message)
{
    json_write_begin_object(w);
    json_write_string_member(w, "consumer", message->domain);
    json_write_string_member(w, "state", guest_state_name(message->state));
    write_text_member(w, "reason", message->reason);
    json_write_int_member(w, "age", message->age);
    json_write_int_member(w, "took", message->took);
    json_write_end_object(w);
}

static void write_holding(struct json_writer *w, const struct message *message)
{
    json_write_begin_object(w);
    json_write_int_member(w, "serial", (int64_t)message->serial);
    json_write_key(w, "busy");
    json_write_strings(w, &message->addresses);
    json_write_end_object(w);
}

static void begin_doubt(struct json_writer *w, const struct message *message)
{
    json_write_begin_object(w);
    json_write_string_member(w, "consumer", message->domain);
    json_write_int_member(w, "number", (int64_t)message->number);
}

static void write_doubt(struct json_writer *w, const struct message *message)
{
    begin_doubt(w, message);
    json_write_int_member(w, "life", (int64_t)message->life);
    json_write_end_object(w);
}

static void write_sure(struct json_writer *w, const struct message *message)
{
    begin_doubt(w, message);
    json_write_int_member(w, "lasts", message->lasts);
    json_write_end_object(w);
}

static const struct {
    const char *name;
    void (*write)(struct json_writer *w, const struct message *message);
} kinds[MESSAGE_KINDS] = {
    [MESSAGE_WANTED] = {"wanted", write_wanted},
    [MESSAGE_CONNECTION] = {"connection", write_connection},
    [MESSAGE_GUEST] = {"guest", write_guest},
    [MESSAGE_GONE] = {"gone", write_domain},
    [MESSAGE_ALL] = {"all", write_all},
    [MESSAGE_ASK] = {"ask", write_domain},
    [MESSAGE_STATE] = {"state", write_state},
    [MESSAGE_HOLDING] = {"holding", write_holding},
    [MESSAGE_DOUBT] = {"doubt", write_doubt},
    [MESSAGE_SURE] = {"sure", write_sure},
};

const char *message_kind_name(enum message_kind kind)
{
    return kinds[kind].name;
}

char *message_encode(const struct message *message)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_key(&w, kinds[message->kind].name);
    kinds[message->kind].write(&w, message);
    json_write_end_object(&w);
    buffer_add_char(&w.out, '\n');
    return json_writer_take(&w, NULL);
}
