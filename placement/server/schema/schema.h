/*
 * schema: what a request's body or query may look like, as tables, checked before a
 * handler looks at it. The words of a refusal are those of Python's jsonschema, since
 * clients and upstream's tests look at them: "'name' is a required property", "Failed
 * validating 'maxLength' in schema['properties']['name']", ... Of several faults the
 * one that is least deep is told. Stateless.
 */
#ifndef PLACEMENT_SERVER_SCHEMA_SCHEMA_H
#define PLACEMENT_SERVER_SCHEMA_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/json_read.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* A pattern: the regular expression that a refusal shows, and a function that does the
 * same. */
struct schema_pattern {
    const char *text;
    bool (*matches)(const char *text);
};
extern const struct schema_pattern schema_class_name, /* ^[A-Z0-9_]+$ */
    schema_custom_name,                               /* ^CUSTOM_[A-Z0-9_]+$ */
    schema_uuid_chars,                                /* ^[0-9a-fA-F-]{36}$ */
    schema_any_suffix,                                /* [a-zA-Z0-9_-]{1,64} anywhere */
    schema_usage_consumer_type,                       /* ^[A-Z0-9_]+$|^all|^unknown$ */
    schema_positive;                                  /* ^[1-9][0-9]*$ */

enum schema_type {
    SCHEMA_OBJECT,
    SCHEMA_ARRAY,
    SCHEMA_STRING,
    SCHEMA_INTEGER,
    SCHEMA_NUMBER,
    SCHEMA_INTEGER_OR_NULL,
    SCHEMA_UUID_OR_NULL,
};

struct schema {
    enum schema_type type;

    /* For objects: */
    const struct schema_property {
        const char *name; /* NULL at the end */
        const struct schema *schema;
        bool required;
    } * properties;
    /* names that further properties must match */
    const struct schema_pattern *pattern_names;
    const struct schema *pattern_schema;
    bool open; /* further properties are allowed and not checked */
    /* further properties are reported before missing ones */
    bool further_are_told_first;
    unsigned min_properties;

    /* For arrays: */
    const struct schema *items;
    unsigned min_items;
    bool unique;

    /* For strings: */
    const struct schema_pattern *pattern;
    unsigned min_length, max_length; /* 0: any */
    bool length_first;               /* the length is checked before the pattern */
    bool uuid;
    const char *const *words; /* the allowed values; NULL at the end */

    /* For numbers: */
    double minimum;
    double maximum; /* 0: any */
    bool has_minimum;
};

/* Parses the request's body and checks it: 0 and the caller's *out, or -1 with 400 in
 * the reply: "Malformed JSON: ..." or "JSON does not validate: ...". */
int schema_read_body(const struct schema *schema, const struct request *request,
                     struct json_object **out, struct reply *reply);
/* Checks a value that was not read from a body. -1 with 400 in the reply. */
int schema_check(const struct schema *schema, struct json_object *value,
                 struct reply *reply);

/* Checks the query, as an object of strings in which the last of a name counts: -1 with
 * 400 "Invalid query string parameters: ...". */
int schema_check_query(const struct schema *schema, const struct request *request,
                       struct reply *reply);

/* An integer of a document that the schema has accepted. Clients may write 1 as 1.0. */
int64_t schema_integer(struct json_object *value);

/* A value as Python shows it: 'text', 5, True, None, ['a'], {'b': 1}; long ones are
 * cut. The caller frees. */
char *schema_show(struct json_object *value);
void schema_show_string(struct buffer *out, const char *text);

#endif
