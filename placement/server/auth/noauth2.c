#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "placement/server/auth/auth.h"

/* Whether the Host header is an address, localhost, or the name of this machine, with
 * or without a port. */
static bool is_own_host(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char own[HOST_NAME_MAX + 1] = "";
    bool brackets = *host == '[';
    host += brackets;
    _cleanup_free_ char *name = xstrndup(host, strcspn(host, brackets ? "]" : ":"));
    if (gethostname(own, sizeof own - 1) != 0)
        own[0] = 0;
    return inet_pton(brackets ? AF_INET6 : AF_INET, name, bytes) == 1 ||
           strcasecmp(name, "localhost") == 0 || (*own && strcasecmp(name, own) == 0);
}

int auth_noauth2(struct request *request, bool any_host, struct reply *reply)
{
    if (strcmp(request->path, "/") == 0)
        return 0;
    if (!any_host && request->host && !is_own_host(request->host))
        return reply_problem(reply, 403, NULL,
                             "With noauth2 the Host header must be an address, "
                             "localhost, or this machine's name, not %.200s: else any "
                             "web page could ask in the name of who looks at it. "
                             "--insecure-noauth-anywhere takes any name.",
                             request->host);
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
