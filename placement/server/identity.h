/*
 * identity: who asks, as the authentication found out, for the policy to decide on.
 * Plain data; strings are borrowed for the time of the request.
 */
#ifndef PLACEMENT_SERVER_IDENTITY_H
#define PLACEMENT_SERVER_IDENTITY_H

#include <stdbool.h>

struct identity {
    const char *user_id, *project_id; /* NULL: none */
    const char *roles;                /* "admin,member,reader" */
    const char *system_scope;         /* "all" or NULL */
    const char *domain_id;
};

#endif
