/*
 * error_body: what a server says about a request that failed, as one short line. Known
 * are Placement's {"errors": [{"title", "detail", "code", "request_id"}]} (detail with
 * paragraphs in it, code from microversion 1.23 on), Keystone's {"error": {"title",
 * "message", "code"}} (code a number, or with keystonemiddleware a string; message at
 * times kilobytes), and HTML or text from a proxy on the way. Never fails: what is none
 * of these gives an empty text. What repeats a secret is starred before it is cut.
 */
#ifndef PLACEMENT_CLIENT_ERROR_BODY_H
#define PLACEMENT_CLIENT_ERROR_BODY_H

#include <stddef.h>

#include "placement/client/auth.h"

struct error_body {
    bool from_placement; /* it has the form of Placement's */
    char text[400];      /* no control characters, blanks collapsed, cut with "..." */
    char code[80];       /* "placement.concurrent_update"; "" where there is none */
    char request_id[64]; /* "req-..."; "" where the body names none */
};

/* `auth` has the secrets; NULL: there are none. */
struct error_body error_body_parse(const char *body, size_t length,
                                   const struct auth *auth);

#endif
