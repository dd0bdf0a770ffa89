/*
 * accept: the Accept header of HTTP: which of the types that we can give does the
 * client want most. Stateless.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_ACCEPT_H
#define PLACEMENT_SERVER_MESSAGE_ACCEPT_H

/* What the header asks for: no header, an empty one or "*" + "/" + "*" alone asks for
 * application/json. */
const char *accept_asked(const char *accept);

/* One of `offers` (NULL at its end), or NULL when none is acceptable. A
 * header that cannot be understood takes the first offer. Among equals the first offer
 * wins. */
const char *accept_best(const char *accept, const char *const *offers);

#endif
