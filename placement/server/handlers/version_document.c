/* GET /: the versions of the API. */
#include <stdio.h>

#include "placement/server/handlers/handlers.h"
#include "placement/server/message/microversion.h"

int version_document_get(struct store *store, const struct request *request,
                         struct reply *reply)
{
    (void)store;
    char max[16];
    snprintf(max, sizeof max, "1.%d", MICROVERSION_MAX);
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    json_write_key(w, "versions");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_string_member(w, "id", "v1.0");
    json_write_string_member(w, "max_version", max);
    json_write_string_member(w, "min_version", "1.0");
    json_write_string_member(w, "status", "CURRENT");
    json_write_key(w, "links");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_string_member(w, "rel", "self");
    json_write_string_member(w, "href", "");
    json_write_end_object(w);
    json_write_end_array(w);
    json_write_end_object(w);
    json_write_end_array(w);
    json_write_end_object(w);
    reply_last_modified(reply, request, 0);
    return 0;
}
