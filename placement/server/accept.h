/*
 * accept: the Accept header of HTTP: which of the types that we can give does the
 * client want most. Stateless.
 */
#ifndef PLACEMENT_SERVER_ACCEPT_H
#define PLACEMENT_SERVER_ACCEPT_H

/* One of `offers` (NULL at its end), or NULL when none is acceptable. No header, an
 * empty one or "*" + "/" + "*" alone asks for application/json; one that cannot be
 * understood takes the first offer. Among equals the first offer wins. */
const char *accept_best(const char *accept, const char *const *offers);

#endif
