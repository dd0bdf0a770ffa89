/*
 * hint: advice for the end of an error's text, when a service has answered that is not
 * the intended one. Stateless.
 */
#ifndef PLACEMENT_CLIENT_HINT_H
#define PLACEMENT_CLIENT_HINT_H

#include "placement/client/http.h"

/* Says which service answered where Placement's list of versions was expected, such as
 * "this is Keystone's list of versions", and which option names that service.
 * `location` is that of a redirection, else NULL. The caller frees. */
char *hint_not_placement(const struct placement_config *options,
                         const struct http_reply *reply, const char *location);

/* Advice for a refusal of our credentials by Placement. A static text. */
const char *hint_refused(const struct placement_config *options);

/* For a reply that Keystone does not send. */
#define HINT_NO_KEYSTONE                                                      \
    "this is not Keystone; auth_url must name it, as http://HOST:5000/v3 or " \
    "http://HOST/identity/v3"

/* Advice for a reply from `auth_url` that Keystone does not send, or that refuses our
 * credentials; NULL: the reply says all itself. A static text. */
const char *hint_keystone(const struct placement_config *options,
                          const struct http_reply *reply);

#endif
