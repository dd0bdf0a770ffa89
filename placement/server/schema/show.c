/* Values as Python shows them, for the refusals of schema.h. */
#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "placement/server/message/python_text.h"
#include "placement/server/schema/schema.h"

#define SHOWN_AT_MOST 1200

void schema_show_string(FILE *out, const char *text)
{
    _cleanup_free_ char *shown = python_repr_cut(text, SHOWN_AT_MOST + 1);
    fputs(shown, out);
}

static void show_number(FILE *out, struct json_object *value)
{
    double number = json_object_get_double(value);
    if (isinf(number))
        fputs(number < 0 ? "-inf" : "inf", out);
    else
        fputs(json_object_to_json_string(value), out);
}

/* What comes now would be cut. */
static bool is_enough(FILE *out)
{
    return ftello(out) > SHOWN_AT_MOST;
}

static void show(FILE *out, struct json_object *value)
{
    const char *comma = "";
    switch (json_object_get_type(value)) {
    case json_type_null:
        fputs("None", out);
        break;
    case json_type_boolean:
        fputs(json_object_get_boolean(value) ? "True" : "False", out);
        break;
    case json_type_string:
        schema_show_string(out, json_object_get_string(value));
        break;
    case json_type_array:
        fputc('[', out);
        for (size_t i = 0; i < json_object_array_length(value) && !is_enough(out);
             i++, comma = ", ") {
            fputs(comma, out);
            show(out, json_object_array_get_idx(value, i));
        }
        fputc(']', out);
        break;
    case json_type_object:
        fputc('{', out);
        json_object_object_foreach (value, name, member) {
            if (is_enough(out))
                break;
            fputs(comma, out);
            schema_show_string(out, name);
            fputs(": ", out);
            show(out, member);
            comma = ", ";
        }
        fputc('}', out);
        break;
    default:
        show_number(out, value);
    }
}

char *schema_show(struct json_object *value)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        abort();
    show(out, value);
    fclose(out);
    if (length > SHOWN_AT_MOST) {
        /* Not in the middle of a character. */
        size_t end = SHOWN_AT_MOST;
        while ((text[end] & 0xc0) == 0x80)
            end--;
        text[end] = 0;
    }
    return text;
}
