#include "placement/client/error_reply.h"

#include <string.h>

#include "placement/client/error_body.h"

static const struct {
    const char *name;
    enum error_code code;
} conflicts[] = {
    {"placement.concurrent_update", ERROR_CONFLICT},
    {"placement.inventory.inuse", ERROR_BUSY},
    {"placement.resource_provider.inuse", ERROR_BUSY},
    {"placement.resource_provider.cannot_delete_parent", ERROR_BUSY},
    {"placement.duplicate_name", ERROR_EXISTS},
};

/* The error for a 409. Servers before microversion 1.23 send no code, and newer ones
 * sometimes send one without meaning: then the method decides. */
static enum error_code code_of_conflict(const char *method, const char *code)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
        if (strcmp(conflicts[i].name, code) == 0)
            return conflicts[i].code;
    if (strcmp(method, "POST") == 0)
        return ERROR_EXISTS;
    return strcmp(method, "DELETE") == 0 ? ERROR_BUSY : ERROR_CONFLICT;
}

static enum error_code code_of_status(const char *method, long status,
                                      const struct error_body *body)
{
    switch (status) {
    case 401:
    case 407:
        return ERROR_UNAUTHORIZED;
    case 403:
        return ERROR_FORBIDDEN;
    case 404:
    case 410:
        /* A 404 from a proxy says nothing about a provider. */
        return body->from_placement ? ERROR_NOT_FOUND : ERROR_PROTOCOL;
    case 405:
    case 406:
    case 415:
    case 501:
    case 505:
        return ERROR_UNSUPPORTED;
    case 408:
        return ERROR_TIMEOUT;
    case 409:
        return code_of_conflict(method, body->code);
    case 429:
        return ERROR_UNREACHABLE;
    case 500:
        /* OpenStack's Placement sends this when two clients set one provider's traits
         * in the same moment, and both had the right generation. */
        return strstr(body->text, "concurrently updated") ? ERROR_CONFLICT
                                                          : ERROR_UNREACHABLE;
    default:
        if (status >= 500)
            return ERROR_UNREACHABLE;
        return status >= 400 ? ERROR_INVALID : ERROR_PROTOCOL;
    }
}

int error_reply_set(struct error *err, const char *method,
                    const struct http_reply *reply, const struct auth *auth)
{
    struct error_body body = error_body_parse(reply->body, reply->length, auth);
    const char *id = body.request_id[0] ? body.request_id : reply->request_id;
    if (strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEF0123456789-") != strlen(id))
        id = "";
    /* The code "placement.undefined_code" tells nothing. */
    if (strcmp(body.code, "placement.undefined_code") == 0)
        body.code[0] = 0;
    bool any = body.code[0] || id[0];
    (void)error_set(err, code_of_status(method, reply->status, &body),
                    "HTTP %ld%s%s%s%s%s%.64s%s", reply->status,
                    body.text[0] ? ": " : "", body.text, any ? " (" : "", body.code,
                    body.code[0] && id[0] ? ", " : "", id, any ? ")" : "");
    if (err)
        auth_redact(auth, err->text);
    return -1;
}
