#include "lib/json_read.h"

#include <ctype.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

static void tokener_release(struct json_tokener *tokener)
{
    json_tokener_free(tokener);
}
DEFINE_CLEANUP(struct json_tokener *, tokener_release)

/* What one pass over the text shows before it is parsed. */
struct outline {
    /* offset of the first character that JSON does not allow; else the length */
    size_t foreign;
    size_t half; /* the same of the first half of a surrogate pair that stands alone */
    size_t objects, values, members;
};

/* Whether there is a dot at `at` without a digit after it. */
static bool ends_in_dot(const char *text, size_t at, size_t length)
{
    return text[at] == '.' &&
           (at + 1 == length || !isdigit((unsigned char)text[at + 1]));
}

/* The UTF-16 unit that an escape (\ud83d) at `at` stands for; -1: there is none. */
static int escaped_unit(const char *text, size_t at, size_t length)
{
    char digits[5] = "", *end;
    if (length - at < 6 || text[at] != '\\' || text[at + 1] != 'u' ||
        !isxdigit((unsigned char)text[at + 2]))
        return -1;
    memcpy(digits, text + at + 2, 4);
    long unit = strtol(digits, &end, 16);
    return *end ? -1 : (int)unit;
}

/* How many characters the escape at `at` has. 0: half of a surrogate pair alone, which
 * is no character; json-c takes it for U+FFFD. */
static size_t escape_length(const char *text, size_t at, size_t length)
{
    int unit = escaped_unit(text, at, length);
    if ((unit & ~0x7ff) != 0xd800)
        return 2;
    if (unit >= 0xdc00)
        return 0;
    int low = escaped_unit(text, at + 6, length);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* json-c accepts 'single quotes', NaN, Infinity and `1.`, and control characters in
 * strings. Outside strings only the characters of JSON's own grammar are allowed here,
 * inside them nothing below a blank. */
static struct outline look_over(const char *text, size_t length)
{
    static const char grammar[] = "{}[],:\"0123456789+-.eEtrufalsn \t\r\n";
    struct outline outline = {.foreign = length, .half = length};
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        if (in_string && text[i] == '\\') {
            size_t escape = escape_length(text, i, length);
            if (escape == 0 && outline.half == length)
                outline.half = i;
            i += escape ? escape - 1 : 1;
        } else if (text[i] == '"')
            in_string = !in_string;
        else if (in_string
                     ? (unsigned char)text[i] < ' '
                     : !strchr(grammar, text[i]) || ends_in_dot(text, i, length)) {
            outline.foreign = i;
            break;
        }
        if (in_string)
            continue;
        outline.objects += text[i] == '{';
        outline.values += text[i] == ',' || text[i] == '[' || text[i] == '{';
        outline.members += text[i] == ':';
    }
    return outline;
}

static int check_outline(const char *text, size_t length,
                         const struct json_bounds *bounds, struct error *err)
{
    struct outline outline = look_over(text, length);
    size_t valid = utf8_valid_length(text, length);
    if (valid < length)
        return error_set(err, ERROR_INVALID, "not JSON at byte %zu: not UTF-8", valid);
    if (outline.foreign < length)
        return error_set(err, ERROR_INVALID,
                         "not JSON at byte %zu: unexpected character", outline.foreign);
    if (outline.half < length)
        return error_set(err, ERROR_INVALID,
                         "not JSON at byte %zu: half of a surrogate pair alone",
                         outline.half);
    if (outline.objects > bounds->objects || outline.values > bounds->values ||
        outline.members > bounds->members)
        return error_set(err, ERROR_INVALID,
                         "a JSON document of %zu objects, %zu members and %zu values: "
                         "more than is read (%zu, %zu and %zu)",
                         outline.objects, outline.members, outline.values,
                         bounds->objects, bounds->members, bounds->values);
    return 0;
}

int json_parse_within(const char *text, size_t length, const struct json_bounds *bounds,
                      struct json_object **out, struct error *err)
{
    if (length > INT_MAX)
        return error_set(err, ERROR_INVALID,
                         "a JSON document of %zu bytes is too large", length);
    if (memchr(text, 0, length))
        return error_set(err, ERROR_INVALID, "a NUL byte in a JSON document");
    if (check_outline(text, length, bounds, err) != 0)
        return -1;
    _cleanup_(tokener_releasep) struct json_tokener *tokener =
        json_tokener_new_ex(JSON_MAX_DEPTH);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)length);
    enum json_tokener_error rc = json_tokener_get_error(tokener);
    /* json-c takes a number to be complete only when something follows it. */
    if (rc == json_tokener_continue) {
        root = json_tokener_parse_ex(tokener, "\n", 1);
        rc = json_tokener_get_error(tokener);
    }
    size_t end =
        rc == json_tokener_continue ? length : json_tokener_get_parse_end(tokener);
    if (rc != json_tokener_success)
        return error_set(err, ERROR_INVALID, "not JSON at byte %zu: %s", end,
                         rc == json_tokener_continue ? "it ends too early"
                                                     : json_tokener_error_desc(rc));
    /* json-c stops at the end of the value; with the flag STRICT it refuses trailing
     * characters itself. */
    *out = root;
    return 0;
}

int json_parse(const char *text, size_t length, struct json_object **out,
               struct error *err)
{
    static const struct json_bounds bounds = {.objects = JSON_MAX_OBJECTS,
                                              .values = JSON_MAX_VALUES,
                                              .members = JSON_MAX_MEMBERS};
    return json_parse_within(text, length, &bounds, out, err);
}

const char *json_kind(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "a boolean";
    case json_type_double:
        return "a number";
    case json_type_int:
        return "an integer";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        return "a string";
    }
    return "something unknown";
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

static int get(struct json_object *object, const char *name, enum json_type type,
               const char *expected, struct json_object **out, struct error *err)
{
    if (!json_object_is_type(object, json_type_object))
        return error_set(err, ERROR_INVALID, "expected an object with '%s', got %s",
                         name, json_kind(object));
    struct json_object *value = json_member(object, name);
    if (!value)
        return error_set(err, ERROR_INVALID, "%s: missing, expected %s", name,
                         expected);
    if (!json_object_is_type(value, type))
        return error_set(err, ERROR_INVALID, "%s: expected %s, got %s", name, expected,
                         json_kind(value));
    *out = value;
    return 0;
}

int json_get_object(struct json_object *object, const char *name,
                    struct json_object **out, struct error *err)
{
    return get(object, name, json_type_object, "an object", out, err);
}

int json_get_array(struct json_object *object, const char *name,
                   struct json_object **out, struct error *err)
{
    return get(object, name, json_type_array, "an array", out, err);
}

static int check_no_nul(struct json_object *string, const char *name, struct error *err)
{
    if (strlen(json_object_get_string(string)) ==
        (size_t)json_object_get_string_len(string))
        return 0;
    return error_set(err, ERROR_INVALID, "%s: a NUL character in a string", name);
}

int json_get_string(struct json_object *object, const char *name, const char **out,
                    struct error *err)
{
    struct json_object *value;
    if (get(object, name, json_type_string, "a string", &value, err) != 0 ||
        check_no_nul(value, name, err) != 0)
        return -1;
    *out = json_object_get_string(value);
    return 0;
}

int json_get_strings(struct json_object *object, const char *name, struct strlist *out,
                     struct error *err)
{
    struct json_object *array;
    if (json_get_array(object, name, &array, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        if (!json_object_is_type(item, json_type_string))
            return error_set(err, ERROR_INVALID, "%s: expected strings, got %s", name,
                             json_kind(item));
        if (check_no_nul(item, name, err) != 0)
            return -1;
        strlist_add(out, json_object_get_string(item));
    }
    return 0;
}

int json_get_uuid(struct json_object *object, const char *name,
                  char out[UUID_TEXT_SIZE], struct error *err)
{
    const char *text;
    if (json_get_string(object, name, &text, err) != 0)
        return -1;
    if (!uuid_parse_text(text, out))
        return error_set(err, ERROR_INVALID, "%s: '%.64s' is no uuid", name, text);
    return 0;
}

int json_get_string_or_null(struct json_object *object, const char *name,
                            const char **out, struct error *err)
{
    if (json_object_is_type(object, json_type_object) && !json_member(object, name)) {
        *out = NULL;
        return 0;
    }
    return json_get_string(object, name, out, err);
}

int json_get_int64(struct json_object *object, const char *name, int64_t *out,
                   struct error *err)
{
    struct json_object *value;
    if (get(object, name, json_type_int, "an integer", &value, err) != 0)
        return -1;
    /* json-c clamps numbers that do not fit an int64_t. */
    int64_t number = json_object_get_int64(value);
    if (number == INT64_MAX || number == INT64_MIN)
        return error_set(err, ERROR_INVALID, "%s: the integer is out of range", name);
    *out = number;
    return 0;
}

int json_get_double(struct json_object *object, const char *name, double *out,
                    struct error *err)
{
    struct json_object *value = json_member(object, name);
    enum json_type type =
        json_object_is_type(value, json_type_int) ? json_type_int : json_type_double;
    if (get(object, name, type, "a number", &value, err) != 0)
        return -1;
    double number = json_object_get_double(value);
    if (!isfinite(number))
        return error_set(err, ERROR_INVALID, "%s: expected a finite number", name);
    *out = number;
    return 0;
}

int json_get_bool(struct json_object *object, const char *name, bool *out,
                  struct error *err)
{
    struct json_object *value;
    if (get(object, name, json_type_boolean, "a boolean", &value, err) != 0)
        return -1;
    *out = json_object_get_boolean(value);
    return 0;
}
