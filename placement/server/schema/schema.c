#include "placement/server/schema/schema.h"

#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/message/uuid_like.h"

/* The place of a value in the document, linked to the place of its parent. */
struct place {
    const struct place *up;
    const char *name; /* name of the member; NULL: an item of an array, at `index` */
    size_t index;
    /* keyword of the parent's schema: "properties", "patternProperties" or "items" */
    const char *schema_word;
    const char *schema_name; /* name of the property, or the pattern; NULL for items */
    unsigned depth;
    /* the value is checked against one of several schemas: no place is shown */
    bool of_choice;
};

/* Of several faults the one at the least depth is reported; among those the one of the
 * highest rank; among those the first, as jsonschema does it. */
enum rank { OF_CHOICE, OTHER, WRONG_TYPE };

/* The fault that is to be reported. */
struct fault {
    unsigned depth;
    enum rank rank;
    char *text; /* NULL: no fault was found yet */
};

static void show_places(struct buffer *out, const struct place *place, bool schema)
{
    if (!place || place->depth == 0 || place->of_choice)
        return;
    show_places(out, place->up, schema);
    const char *name = schema ? place->schema_name : place->name;
    if (schema) {
        buffer_add_char(out, '[');
        schema_show_string(out, place->schema_word);
        buffer_add_char(out, ']');
    }
    if (name) {
        buffer_add_char(out, '[');
        schema_show_string(out, name);
        buffer_add_char(out, ']');
    } else if (!schema) {
        buffer_format(out, "[%zu]", place->index);
    }
}

static enum rank rank_of(const struct place *place, const char *keyword)
{
    return strcmp(keyword, "type") == 0                        ? WRONG_TYPE
           : place->of_choice || strcmp(keyword, "anyOf") == 0 ? OF_CHOICE
                                                               : OTHER;
}

/* Whether the fault that is known would be reported before one of that place and rank.
 */
static bool is_told(const struct fault *fault, const struct place *place,
                    enum rank rank)
{
    return fault->text && (fault->depth < place->depth ||
                           (fault->depth == place->depth && fault->rank >= rank));
}

/* Keeps the fault unless the known one is reported before it. Takes ownership of
 * `text`. */
static void tell(struct fault *fault, const struct place *place, const char *keyword,
                 struct json_object *value, char *text)
{
    enum rank rank = rank_of(place, keyword);
    if (is_told(fault, place, rank)) {
        free(text);
        return;
    }
    free(fault->text);
    fault->depth = place->depth;
    fault->rank = rank;
    struct buffer whole = {0}, *out = &whole;
    _cleanup_free_ char *shown = schema_show(value);
    buffer_format(out, "%s  Failed validating '%s' in schema", text, keyword);
    show_places(out, place, true);
    buffer_add_text(out, "  On instance");
    show_places(out, place, false);
    buffer_format(out, ":     %s", shown);
    /* Newer releases of jsonschema word it so, and tests of clients look for either. */
    if (strcmp(keyword, "minLength") == 0 || strcmp(keyword, "minItems") == 0 ||
        strcmp(keyword, "minProperties") == 0)
        buffer_add_text(out, "  It should be non-empty");
    fault->text = buffer_take(out, NULL);
    free(text);
}

static void tell_value(struct fault *fault, const struct place *place,
                       const char *keyword, struct json_object *value, const char *what)
{
    if (is_told(fault, place, rank_of(place, keyword)))
        return;
    _cleanup_free_ char *shown = schema_show(value);
    tell(fault, place, keyword, value, xasprintf("%s %s", shown, what));
}

static void check(const struct schema *schema, struct json_object *value,
                  const struct place *place, struct fault *fault);

static const struct schema_property *property_of(const struct schema *schema,
                                                 const char *name)
{
    const struct schema_property *property = schema->properties;
    while (property && property->name && strcmp(property->name, name) != 0)
        property++;
    return property && property->name ? property : NULL;
}

static bool is_further(const struct schema *schema, const char *name)
{
    return !property_of(schema, name) &&
           !(schema->pattern_names && schema->pattern_names->matches(name));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void tell_further(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    _cleanup_free_ const char **names = NULL;
    size_t count = 0;
    json_object_object_foreach (value, name, member) {
        (void)member;
        if (is_further(schema, name))
            *array_add(names, count) = name;
    }
    if (count == 0 || schema->open)
        return;
    qsort(names, count, sizeof *names, compare_texts);
    struct buffer text = {0}, *out = &text;
    if (!schema->pattern_names)
        buffer_add_text(out, "Additional properties are not allowed (");
    for (size_t i = 0; i < count && i < 20; i++) {
        buffer_add_text(out, i ? ", " : "");
        schema_show_string(out, names[i]);
    }
    if (!schema->pattern_names)
        buffer_format(out, " %s unexpected)", count == 1 ? "was" : "were");
    else
        buffer_format(out, " %s not match any of the regexes: '%s'",
                      count == 1 ? "does" : "do", schema->pattern_names->text);
    tell(fault, place, "additionalProperties", value, buffer_take(out, NULL));
}

static void tell_missing(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    for (const struct schema_property *p = schema->properties; p && p->name; p++)
        if (p->required && !json_object_object_get_ex(value, p->name, NULL))
            tell(fault, place, "required", value,
                 xasprintf("'%s' is a required property", p->name));
}

/* In the order of the schema, as the first of several faults is reported. */
static void check_properties(const struct schema *schema, struct json_object *value,
                             const struct place *place, struct fault *fault)
{
    for (const struct schema_property *p = schema->properties; p && p->name; p++) {
        struct json_object *member;
        struct place below = {.up = place,
                              .name = p->name,
                              .schema_word = "properties",
                              .schema_name = p->name,
                              .depth = place->depth + 1};
        if (json_object_object_get_ex(value, p->name, &member))
            check(p->schema, member, &below, fault);
    }
}

static void check_object(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    if ((unsigned)json_object_object_length(value) < schema->min_properties)
        tell_value(fault, place, "minProperties", value,
                   "does not have enough properties");
    if (schema->further_are_told_first)
        tell_further(schema, value, place, fault);
    tell_missing(schema, value, place, fault);
    if (!schema->further_are_told_first)
        tell_further(schema, value, place, fault);
    check_properties(schema, value, place, fault);
    json_object_object_foreach (value, name, member) {
        if (!schema->pattern_names || property_of(schema, name) ||
            !schema->pattern_names->matches(name))
            continue;
        struct place below = {.up = place,
                              .name = name,
                              .schema_word = "patternProperties",
                              .schema_name = schema->pattern_names->text,
                              .depth = place->depth + 1};
        check(schema->pattern_schema, member, &below, fault);
    }
}

/* Whether strings are repeated. Items of other types are a fault of their own. */
static bool has_repeats(struct json_object *array)
{
    size_t length = json_object_array_length(array), count = 0;
    _cleanup_free_ const char **texts = xcalloc(length, sizeof *texts);
    for (size_t i = 0; i < length; i++)
        if (json_object_is_type(json_object_array_get_idx(array, i), json_type_string))
            texts[count++] =
                json_object_get_string(json_object_array_get_idx(array, i));
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return true;
    return false;
}

static void check_array(const struct schema *schema, struct json_object *value,
                        const struct place *place, struct fault *fault)
{
    size_t count = json_object_array_length(value);
    if (count < schema->min_items)
        tell_value(fault, place, "minItems", value, "is too short");
    if (schema->unique && has_repeats(value))
        tell_value(fault, place, "uniqueItems", value, "has non-unique elements");
    for (size_t i = 0; i < count; i++) {
        struct place below = {
            .up = place, .index = i, .schema_word = "items", .depth = place->depth + 1};
        check(schema->items, json_object_array_get_idx(value, i), &below, fault);
    }
}

/* The length in characters, as JSON schema counts it. */
static size_t length_of(const char *text)
{
    size_t length = 0;
    for (; *text; text++)
        length += (*text & 0xc0) != 0x80;
    return length;
}

static void check_length(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    size_t length = length_of(json_object_get_string(value));
    if (length < schema->min_length)
        tell_value(fault, place, "minLength", value, "is too short");
    if (schema->max_length && length > schema->max_length)
        tell_value(fault, place, "maxLength", value, "is too long");
}

static void check_words(const struct schema *schema, struct json_object *value,
                        const struct place *place, struct fault *fault)
{
    const char *const *word = schema->words;
    while (*word && strcmp(*word, json_object_get_string(value)) != 0)
        word++;
    if (*word)
        return;
    struct buffer out = {0};
    buffer_add_text(&out, "is not one of [");
    for (word = schema->words; *word; word++)
        buffer_format(&out, "'%s'%s", *word, word[1] ? ", " : "]");
    _cleanup_free_ char *text = buffer_take(&out, NULL);
    tell_value(fault, place, "enum", value, text);
}

static void check_string(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    const char *text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        tell_value(fault, place, "format", value, "has a NUL character in it");
    if (schema->length_first)
        check_length(schema, value, place, fault);
    if (schema->pattern && !schema->pattern->matches(text)) {
        _cleanup_free_ char *what =
            xasprintf("does not match '%s'", schema->pattern->text);
        tell_value(fault, place, "pattern", value, what);
    }
    check_length(schema, value, place, fault);
    if (schema->uuid && !uuid_like(text, NULL))
        tell_value(fault, place, "format", value, "is not a 'uuid'");
    if (schema->words)
        check_words(schema, value, place, fault);
}

static void check_number(const struct schema *schema, struct json_object *value,
                         const struct place *place, struct fault *fault)
{
    double number = json_object_get_double(value);
    char what[80];
    if (isnan(number))
        tell_value(fault, place, "type", value, "is not of type 'number'");
    if (schema->maximum != 0 && number > schema->maximum) {
        snprintf(what, sizeof what, "is greater than the maximum of %.10g",
                 schema->maximum);
        tell_value(fault, place, "maximum", value, what);
    }
    if (schema->has_minimum && number < schema->minimum) {
        snprintf(what, sizeof what, "is less than the minimum of %.10g",
                 schema->minimum);
        tell_value(fault, place, "minimum", value, what);
    }
}

static bool is_integer(struct json_object *value)
{
    if (json_object_is_type(value, json_type_int))
        return true;
    if (!json_object_is_type(value, json_type_double))
        return false;
    double number = json_object_get_double(value);
    return isfinite(number) && number == floor(number);
}

static bool has_type(enum schema_type type, struct json_object *value)
{
    switch (type) {
    case SCHEMA_OBJECT:
        return json_object_is_type(value, json_type_object);
    case SCHEMA_ARRAY:
        return json_object_is_type(value, json_type_array);
    case SCHEMA_STRING:
        return json_object_is_type(value, json_type_string);
    case SCHEMA_INTEGER:
        return is_integer(value);
    case SCHEMA_NUMBER:
        return json_object_is_type(value, json_type_int) ||
               json_object_is_type(value, json_type_double);
    case SCHEMA_INTEGER_OR_NULL:
        return !value || is_integer(value);
    case SCHEMA_UUID_OR_NULL:
        return !value || (json_object_is_type(value, json_type_string) &&
                          uuid_like(json_object_get_string(value), NULL));
    }
    return false;
}

static void check(const struct schema *schema, struct json_object *value,
                  const struct place *place, struct fault *fault)
{
    static const char *const wrong_type[] = {
        [SCHEMA_OBJECT] = "is not of type 'object'",
        [SCHEMA_ARRAY] = "is not of type 'array'",
        [SCHEMA_STRING] = "is not of type 'string'",
        [SCHEMA_INTEGER] = "is not of type 'integer'",
        [SCHEMA_NUMBER] = "is not of type 'number'",
        [SCHEMA_INTEGER_OR_NULL] = "is not of type 'integer', 'null'",
        [SCHEMA_UUID_OR_NULL] = "is not valid under any of the given schemas",
    };
    if (is_told(fault, place, WRONG_TYPE))
        return;
    bool uuid_or_null = schema->type == SCHEMA_UUID_OR_NULL;
    struct place choice = *place;
    choice.of_choice = true;
    if (!has_type(schema->type, value) && uuid_or_null &&
        json_object_is_type(value, json_type_string))
        tell_value(fault, &choice, "format", value, "is not a 'uuid'");
    else if (!has_type(schema->type, value))
        tell_value(fault, place, uuid_or_null ? "anyOf" : "type", value,
                   wrong_type[schema->type]);
    else if (schema->type == SCHEMA_OBJECT)
        check_object(schema, value, place, fault);
    else if (schema->type == SCHEMA_ARRAY)
        check_array(schema, value, place, fault);
    else if (schema->type == SCHEMA_STRING)
        check_string(schema, value, place, fault);
    else if (value)
        check_number(schema, value, place, fault);
}

/* ---- what handlers call ---- */

static int refuse(const struct schema *schema, struct json_object *value,
                  const char *before, struct reply *reply)
{
    struct fault fault = {0};
    struct place top = {0};
    check(schema, value, &top, &fault);
    if (!fault.text)
        return 0;
    reply_problem(reply, 400, NULL, "%s: %s", before, fault.text);
    free(fault.text);
    return -1;
}

int schema_check(const struct schema *schema, struct json_object *value,
                 struct reply *reply)
{
    return refuse(schema, value, "JSON does not validate", reply);
}

int schema_read_body(const struct schema *schema, const struct request *request,
                     struct json_object **out, struct reply *reply)
{
    struct error err;
    _cleanup_json_ struct json_object *body = NULL;
    if (json_parse(request->body, request->body_length, &body, &err) != 0)
        return reply_problem(reply, 400, NULL, "Malformed JSON: %s", err.text);
    if (schema_check(schema, body, reply) != 0)
        return -1;
    *out = steal(body);
    return 0;
}

int schema_check_query(const struct schema *schema, const struct request *request,
                       struct reply *reply)
{
    static const char before[] = "Invalid query string parameters";
    if (request->query_problem)
        return reply_problem(reply, 400, NULL, "%s: %s", before,
                             request->query_problem);
    _cleanup_json_ struct json_object *object = json_object_new_object();
    for (size_t i = 0; i < request->query.count; i++)
        json_object_object_add(object, request->query.items[i].name,
                               json_object_new_string(request->query.items[i].value));
    return refuse(schema, object, before, reply);
}

int64_t schema_integer(struct json_object *value)
{
    return json_object_get_int64(value);
}
