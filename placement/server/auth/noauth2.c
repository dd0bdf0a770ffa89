#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/auth/auth.h"

void identity_clear(struct identity *identity)
{
    free(identity->user_id);
    free(identity->project_id);
    free(identity->domain_id);
    free(identity->user_domain_id);
    free(identity->project_domain_id);
    free(identity->roles);
    free(identity->system_scope);
    *identity = (struct identity){0};
}

int auth_noauth2(struct request *request, struct reply *reply)
{
    if (strcmp(request->path, "/") == 0)
        return 0;
    if (!request->token)
        return reply_problem(reply, 401, NULL, "%s", "");
    const char *colon = strchrnul(request->token, ':');
    struct identity *identity = &request->identity;
    identity->user_id = xstrndup(request->token, (size_t)(colon - request->token));
    const char *project = *colon && colon[1] ? colon + 1 : identity->user_id;
    bool system = request->system_scope && *request->system_scope;
    identity->system_scope = system ? xstrdup(request->system_scope) : NULL;
    identity->project_id = xstrdup(request->project_id ? request->project_id
                                   : system            ? NULL
                                                       : project);
    identity->domain_id = xstrdup(request->domain_id);
    identity->roles = xstrdup(request->roles                            ? request->roles
                              : strcmp(identity->user_id, "admin") == 0 ? "admin"
                                                                        : "");
    return 0;
}
