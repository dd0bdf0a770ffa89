/*
 * batch: many calls of the API of which none depends on another's outcome. Up to so many
 * of them are under way at once, each on a connection of its own that is kept, in one
 * thread. A server that asks to be asked later (503 or 429 with Retry-After, up to a
 * minute) is left alone as long, by all of them; what it refused then, and what needs a new
 * token or a new microversion, is sent once more, one after the other. It may ask for ten
 * such pauses in a row; then its refusal is told.
 */
#ifndef PLACEMENT_CLIENT_BATCH_H
#define PLACEMENT_CLIENT_BATCH_H

#include "placement/client/client.h"

struct placement_call {
    const char *method;
    char *path;     /* with the query; begins with '/' */
    char *body;     /* JSON; NULL: none */
    unsigned minor; /* an older microversion than the negotiated one; 0: that one */
    size_t number;  /* the caller's own: which of many it is about */
    long status;    /* for done(): of the reply; 0: there was none */
};

void placement_call_clear(struct placement_call *call);

struct placement_batch {
    void *data;
    /* Fills in the next call, all zero before, whose path and body it gives away. False:
     * there are no more. */
    bool (*next)(void *data, struct placement_call *call);
    /* What became of a call, in the order in which replies come: `rc` and `err` are those
     * of placement_client_call(). `reply` is borrowed, and NULL where there was no body. 0
     * to go on; -1, with `err`, ends the batch: what is under way is waited for, and told,
     * and nothing more is begun. */
    int (*done)(void *data, const struct placement_call *call, int rc,
                struct json_object *reply, struct error *err);
};

/* 0 when all calls were made and each done() was content. */
int placement_client_run(struct placement_client *client, size_t connections,
                         const struct placement_batch *batch, struct error *err);

#endif
