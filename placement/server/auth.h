/*
 * auth: finds out who asks. `noauth2` believes what the headers say: the token is
 * "admin", "user" or "user:project", X-Roles the roles (without it only the user admin
 * has one). For the machine's own loopback; upstream has the same, for tests.
 */
#ifndef PLACEMENT_SERVER_AUTH_H
#define PLACEMENT_SERVER_AUTH_H

#include "placement/server/reply.h"
#include "placement/server/request.h"

/* Fills request->identity; -1 with 401 in the reply when there is no token. The path
 * "/" is open to all. */
int auth_noauth2(struct request *request, struct reply *reply);

#endif
