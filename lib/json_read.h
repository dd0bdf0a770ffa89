/*
 * json_read: JSON in, on json-c, checked. json-c converts silently ("12" is 12, 1.9 is
 * 1, NaN is a number); these getters take a value of the asked type or say what is
 * wrong: "generation: expected an integer, got a string". Callers add where they were
 * with error_prefix(). Borrowed: what a getter gives lives as long as the document.
 */
#ifndef LIB_JSON_READ_H
#define LIB_JSON_READ_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

static inline void json_release(struct json_object *object)
{
    json_object_put(object);
}
DEFINE_CLEANUP(struct json_object *, json_release)
#define _cleanup_json_ _cleanup_(json_releasep)

#define JSON_MAX_DEPTH 32
/* json-c takes 800 bytes for `{}` and 70 for `1,`: a few MiB of text could take all
 * memory. The sum of these is about 150 MB. */
#define JSON_MAX_OBJECTS 100000
#define JSON_MAX_VALUES 1000000
/* And two microseconds for each member of an object: half a second. */
#define JSON_MAX_MEMBERS 250000

/* Parses exactly one document of `length` bytes: strict grammar, valid UTF-8, no half
 * of a surrogate pair alone, no NaN, no NUL in it, at most as deep and with as much in
 * it as said above. ERROR_INVALID with the offset of what is wrong. The caller owns
 * *out; JSON `null` is NULL with 0. */
int json_parse(const char *text, size_t length, struct json_object **out,
               struct error *err);

/* The same with other bounds, for callers that must use less memory. A member of an
 * object counts as one value and takes up to 250 bytes. */
struct json_bounds {
    size_t objects, values, members;
};
int json_parse_within(const char *text, size_t length, const struct json_bounds *bounds,
                      struct json_object **out, struct error *err);

/* Members of an object. ERROR_INVALID when `object` is no object, the member is
 * missing, null, or of another type. */
int json_get_object(struct json_object *object, const char *name,
                    struct json_object **out, struct error *err);
int json_get_array(struct json_object *object, const char *name,
                   struct json_object **out, struct error *err);
int json_get_string(struct json_object *object, const char *name, const char **out,
                    struct error *err);
int json_get_int64(struct json_object *object, const char *name, int64_t *out,
                   struct error *err);
int json_get_double(struct json_object *object, const char *name, double *out,
                    struct error *err);
int json_get_bool(struct json_object *object, const char *name, bool *out,
                  struct error *err);
/* A uuid with dashes, in either case; `out` gets it in lower case. */
int json_get_uuid(struct json_object *object, const char *name,
                  char out[UUID_TEXT_SIZE], struct error *err);
/* The same for a string that may be missing or null, for which *out is NULL. */
int json_get_string_or_null(struct json_object *object, const char *name,
                            const char **out, struct error *err);

/* Adds the strings of an array to *out, which may have some of them also after a
 * failure. */
int json_get_strings(struct json_object *object, const char *name, struct strlist *out,
                     struct error *err);

/* The member of that name; NULL when `object` is no object or has no such member. */
struct json_object *json_member(struct json_object *object, const char *name);
/* The type of a value with its article, "an object" or "a string", for messages. */
const char *json_kind(struct json_object *value);

#endif
