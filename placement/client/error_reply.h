/*
 * error_reply: a reply with an error status as a struct error: the code that tells callers
 * what to do, and one line with the status, the server's words, its code and the
 * request's id, by which the operator finds it in the server's log. Stateless.
 */
#ifndef PLACEMENT_CLIENT_ERROR_REPLY_H
#define PLACEMENT_CLIENT_ERROR_REPLY_H

#include "placement/client/auth.h"

/* `request_id` is the reply's header x-openstack-request-id, or NULL. The text has no
 * secret of `auth` in it. Returns -1. */
int refusal_set(struct error *err, const char *method, const struct http_reply *reply,
                const char *request_id, const struct auth *auth);

#endif
