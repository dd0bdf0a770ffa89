/*
 * hint: what to try where the service that answered is not the one that was meant: for the
 * end of an error's text. Stateless.
 */
#ifndef PLACEMENT_CLIENT_HINT_H
#define PLACEMENT_CLIENT_HINT_H

#include "placement/client/http.h"

/* What answered where Placement's list of versions was asked for, "this is Keystone's list
 * of versions", and which option names it. `location`: of a redirection, else NULL. The
 * caller frees. */
char *hint_not_placement(const struct placement_config *options,
                         const struct http_reply *reply, const char *location);

/* For Placement's refusal of who we are: where to look. Static. */
const char *hint_refused(const struct placement_config *options);

/* For an answer that is none of Keystone's. */
#define HINT_NO_KEYSTONE                                                      \
    "this is not Keystone; auth_url must name it, as http://HOST:5000/v3 or " \
    "http://HOST/identity/v3"

/* For an answer of `auth_url` that is not Keystone's, or refuses who we are; NULL: it says
 * all itself. Static. */
const char *hint_keystone(const struct placement_config *options,
                          const struct http_reply *reply);

#endif
