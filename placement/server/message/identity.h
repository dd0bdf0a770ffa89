/*
 * identity: who asks, as the authentication found out, for the policy to decide on.
 * Plain data with its own copies of what is kept.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_IDENTITY_H
#define PLACEMENT_SERVER_MESSAGE_IDENTITY_H

#include <stdbool.h>

struct identity {
    char *user_id, *project_id, *domain_id; /* NULL: none */
    char *user_domain_id, *project_domain_id;
    char *roles;        /* "admin,member,reader" */
    char *system_scope; /* "all" for a token with system scope, else NULL */
    /* the cloud has an admin project, and this is another one */
    bool outside_admin_project;
};

void identity_clear(struct identity *identity);

#endif
