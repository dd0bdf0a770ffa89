/* Values as Python shows them, for the refusals of schema.h. */
#include <json-c/linkhash.h>
#include <math.h>

#include "lib/cleanup.h"
#include "placement/server/message/python_text.h"
#include "placement/server/schema/schema.h"

#define SHOWN_AT_MOST 1200

void schema_show_string(struct buffer *out, const char *text)
{
    _cleanup_free_ char *shown = python_repr_cut(text, SHOWN_AT_MOST + 1);
    buffer_add_text(out, shown);
}

static void show_number(struct buffer *out, struct json_object *value)
{
    double number = json_object_get_double(value);
    if (isinf(number))
        buffer_add_text(out, number < 0 ? "-inf" : "inf");
    else
        buffer_add_text(out, json_object_to_json_string(value));
}

/* Whether all that follows would be cut anyway. */
static bool is_enough(struct buffer *out)
{
    return out->length > SHOWN_AT_MOST;
}

static void show(struct buffer *out, struct json_object *value)
{
    const char *comma = "";
    switch (json_object_get_type(value)) {
    case json_type_null:
        buffer_add_text(out, "None");
        break;
    case json_type_boolean:
        buffer_add_text(out, json_object_get_boolean(value) ? "True" : "False");
        break;
    case json_type_string:
        schema_show_string(out, json_object_get_string(value));
        break;
    case json_type_array:
        buffer_add_char(out, '[');
        for (size_t i = 0; i < json_object_array_length(value) && !is_enough(out);
             i++, comma = ", ") {
            buffer_add_text(out, comma);
            show(out, json_object_array_get_idx(value, i));
        }
        buffer_add_char(out, ']');
        break;
    case json_type_object:
        buffer_add_char(out, '{');
        json_object_object_foreach (value, name, member) {
            if (is_enough(out))
                break;
            buffer_add_text(out, comma);
            schema_show_string(out, name);
            buffer_add_text(out, ": ");
            show(out, member);
            comma = ", ";
        }
        buffer_add_char(out, '}');
        break;
    default:
        show_number(out, value);
    }
}

char *schema_show(struct json_object *value)
{
    struct buffer out = {0};
    show(&out, value);
    size_t length;
    char *text = buffer_take(&out, &length);
    if (length > SHOWN_AT_MOST) {
        /* The cut must not leave part of a UTF-8 character. */
        size_t end = SHOWN_AT_MOST;
        while ((text[end] & 0xc0) == 0x80)
            end--;
        text[end] = 0;
    }
    return text;
}
