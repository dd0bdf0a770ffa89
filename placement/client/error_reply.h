/*
 * error_reply: turns a reply with an error status into a struct error: a code by which
 * callers decide, and one line with the status, the server's message, its code and the
 * request's id, by which an operator finds the request in the server's log. Stateless.
 */
#ifndef PLACEMENT_CLIENT_ERROR_REPLY_H
#define PLACEMENT_CLIENT_ERROR_REPLY_H

#include "placement/client/auth.h"

/* Secrets of `auth` are hidden in the text. Returns -1. */
int error_reply_set(struct error *err, const char *method,
                    const struct http_reply *reply, const struct auth *auth);

#endif
