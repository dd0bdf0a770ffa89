/*
 * http_many: several requests of one http under way at once, each on a connection that is
 * kept, in one thread. No retries: who has begun them knows what may be sent again.
 */
#ifndef PLACEMENT_CLIENT_HTTP_MANY_H
#define PLACEMENT_CLIENT_HTTP_MANY_H

#include "placement/client/http.h"

struct http_many;

/* `http` is borrowed for its whole life. At most `most` requests are under way. */
struct http_many *http_many_new(struct http *http, size_t most);
/* Gives up what is under way. */
void http_many_free(struct http_many *many);
DEFINE_CLEANUP(struct http_many *, http_many_free)

size_t http_many_under_way(const struct http_many *many);
/* Begins a request while fewer than `most` are under way. Its body is borrowed until it has
 * ended. `tag` comes back with the reply. */
void http_many_begin(struct http_many *many, const struct http_request *request,
                     void *tag);
/* Waits until one of those under way has ended, and gives its tag. 0 and -1 are those of
 * http_perform(). The caller clears the reply in either case. */
int http_many_end(struct http_many *many, void **tag, struct http_reply *reply,
                  struct error *err);

#endif
