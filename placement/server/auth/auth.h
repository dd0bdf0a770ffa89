/*
 * auth: finds out who asks. `noauth2` believes what the headers say: the token is
 * "admin", "user" or "user:project", X-Roles the roles (without it only the user admin
 * has one). For the machine's own loopback; upstream has the same, for tests.
 * `keystone` asks Keystone whom the token belongs to. The path "/" is open to all.
 */
#ifndef PLACEMENT_SERVER_AUTH_AUTH_H
#define PLACEMENT_SERVER_AUTH_AUTH_H

#include "placement/server/auth/tokens.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* Fills request->identity; -1 with 401 in the reply when there is no token. Unless
 * `any_host`, 403 where the Host header is a name that is not this machine's: a web
 * page whose name was made to mean 127.0.0.1 (DNS rebinding) has its own name there. */
int auth_noauth2(struct request *request, bool any_host, struct reply *reply);

/* With Keystone: fills request->identity and returns 0; or -1 with 401 (and
 * WWW-Authenticate, which names `uri`) or 503 in the reply, worded as by
 * keystonemiddleware; or AUTH_LATER: to be called again after tokens_collect(). */
#define AUTH_LATER 1
int auth_keystone(struct tokens *tokens, const char *uri, struct request *request,
                  struct reply *reply);

#endif
