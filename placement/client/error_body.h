/*
 * error_body: reduces a server's message about a failed request to one short line.
 * Known formats are Placement's {"errors": [{"title", "detail", "code", "request_id"}]}
 * (detail with paragraphs in it, code from microversion 1.23 on), Keystone's {"error":
 * {"title", "message", "code"}} (code a number, or with keystonemiddleware a string;
 * message sometimes of kilobytes), and HTML or text from a proxy. Never fails: any
 * other format gives an empty text. Secrets are replaced by stars before the text is
 * cut.
 */
#ifndef PLACEMENT_CLIENT_ERROR_BODY_H
#define PLACEMENT_CLIENT_ERROR_BODY_H

#include <stddef.h>

#include "placement/client/auth.h"

struct error_body {
    bool from_placement; /* it has Placement's format */
    char text[400];      /* no control characters, blanks collapsed, cut with "..." */
    char code[80];       /* "placement.concurrent_update"; "" where there is none */
    char request_id[64]; /* "req-..."; "" where the body names none */
};

/* `auth` has the secrets; NULL: there are none. */
struct error_body error_body_parse(const char *body, size_t length,
                                   const struct auth *auth);

#endif
