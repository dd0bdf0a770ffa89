#include "placement/transfer/side.h"

#include <stdarg.h>

#include "lib/xalloc.h"
#include "placement/microversion.h"

void side_free(struct side *side)
{
    free(side->name);
    side->free(side);
}

int side_begin(struct side *side, struct error *err)
{
    _cleanup_json_ struct json_object *reply = NULL;
    if (side_get(side, &reply, err, "/resource_providers?in_tree=%s",
                 "00000000-0000-4000-8000-000000000000") != 0)
        return -1;
    if (side->minor >= MICROVERSION_CONSUMER_GENERATION)
        return 0;
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s speaks the microversions up to 1.%u; all that a Placement has "
                     "can be read and written since 1.%d",
                     side->name, side->minor, MICROVERSION_CONSUMER_GENERATION);
}

int side_get(struct side *side, struct json_object **reply, struct error *err,
             const char *format, ...)
{
    va_list list;
    va_start(list, format);
    _cleanup_free_ char *path = xvasprintf(format, list);
    va_end(list);
    const struct side_call call = {.method = "GET", .path = path};
    if (side->call(side, &call, reply, err) != 0)
        return -1;
    return *reply ? 0
                  : error_set(err, ERROR_PROTOCOL, "GET %s%s: an empty reply",
                              side->name, path);
}

int side_write(struct side *side, const char *method, struct json_writer *w,
               unsigned minor, struct json_object **reply, struct error *err,
               const char *format, ...)
{
    va_list list;
    va_start(list, format);
    _cleanup_free_ char *path = xvasprintf(format, list);
    va_end(list);
    _cleanup_free_ char *body = w ? json_writer_take(w, NULL) : NULL;
    const struct side_call call = {
        .method = method, .path = path, .body = body, .minor = minor};
    return side->call(side, &call, reply, err);
}
