#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/auth/auth.h"

static int refuse(const char *uri, struct reply *reply)
{
    _cleanup_free_ char *challenge = xasprintf("Keystone uri=\"%s\"", uri);
    struct json_writer *w = &reply->body;
    reply_problem(reply, 401, NULL, "%s", "");
    json_write_begin_object(w);
    json_write_key(w, "error");
    json_write_begin_object(w);
    json_write_int_member(w, "code", 401);
    json_write_string_member(w, "title", "Unauthorized");
    json_write_string_member(w, "message",
                             "The request you have made requires authentication.");
    json_write_end_object(w);
    json_write_end_object(w);
    reply_header(reply, "WWW-Authenticate", challenge);
    return -1;
}

static int cannot_tell(struct reply *reply)
{
    struct json_writer *w = &reply->body;
    reply_problem(reply, 503, NULL, "%s", "");
    json_write_begin_object(w);
    json_write_string_member(w, "message",
                             "The Keystone service is temporarily unavailable.");
    json_write_string_member(w, "code", "503 Service Unavailable");
    json_write_string_member(w, "title", "Service Unavailable");
    json_write_end_object(w);
    return -1;
}

static void copy_identity(struct identity *to, const struct identity *from)
{
    *to = (struct identity){
        .user_id = xstrdup(from->user_id),
        .project_id = xstrdup(from->project_id),
        .domain_id = xstrdup(from->domain_id),
        .user_domain_id = xstrdup(from->user_domain_id),
        .project_domain_id = xstrdup(from->project_domain_id),
        .roles = xstrdup(from->roles),
        .system_scope = xstrdup(from->system_scope),
        .outside_admin_project = from->outside_admin_project,
    };
}

int auth_keystone(struct tokens *tokens, const char *uri, struct request *request,
                  struct reply *reply)
{
    if (strcmp(request->path, "/") == 0)
        return 0;
    if (!request->token || !*request->token)
        return refuse(uri, reply);
    const struct token_facts *facts =
        tokens_find(tokens, request->token, request->network, request->now);
    if (!facts)
        return AUTH_LATER;
    if (facts->verdict == TOKEN_INVALID)
        return refuse(uri, reply);
    if (facts->verdict == TOKEN_UNKNOWN)
        return cannot_tell(reply);
    copy_identity(&request->identity, &facts->identity);
    return 0;
}
