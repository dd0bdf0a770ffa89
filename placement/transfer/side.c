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
    const struct placement_call call = {.method = "GET", .path = path};
    int rc = side->call(side, &call, reply, err);
    return side_take_reply(side, &call, rc, rc == 0 ? *reply : NULL, err);
}

int side_take_reply(const struct side *side, const struct placement_call *call, int rc,
                    struct json_object *reply, struct error *err)
{
    if (rc != 0 || reply)
        return rc;
    return error_set(err, ERROR_PROTOCOL, "%s %s%s: an empty reply", call->method,
                     side->name, call->path);
}

void side_fill_call(struct placement_call *call, const char *method,
                    struct json_writer *w, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    call->path = xvasprintf(format, list);
    va_end(list);
    call->method = method;
    call->body = w ? json_writer_take(w, NULL) : NULL;
}

static int call_one(struct side *side, const struct placement_batch *batch,
                    const struct placement_call *call, struct error *err)
{
    _cleanup_json_ struct json_object *reply = NULL;
    int rc = side->call(side, call, &reply, err);
    return batch->done(batch->data, call, rc, reply, err);
}

static int call_each(struct side *side, const struct placement_batch *batch,
                     struct error *err)
{
    for (;;) {
        _cleanup_(placement_call_clear) struct placement_call call = {0};
        if (!batch->next(batch->data, &call))
            return 0;
        if (call_one(side, batch, &call, err) != 0)
            return -1;
    }
}

int side_run(struct side *side, const struct placement_batch *batch, struct error *err)
{
    return side->run ? side->run(side, batch, false, err) : call_each(side, batch, err);
}

int side_run_singly(struct side *side, const struct placement_batch *batch,
                    struct error *err)
{
    return side->run ? side->run(side, batch, true, err) : call_each(side, batch, err);
}
