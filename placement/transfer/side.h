/*
 * side: a Placement as one end of a transfer: something that takes calls of its API.
 * remote.h makes one over HTTP, placement/server/local_side.h one of a database.
 *
 * Errors of a call are those of placement/client/client.h. One thread.
 */
#ifndef PLACEMENT_TRANSFER_SIDE_H
#define PLACEMENT_TRANSFER_SIDE_H

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/json_read.h"
#include "lib/json_write.h"

struct side_call {
    const char *method, *path; /* with the query */
    const char *body;          /* JSON; NULL: none */
    unsigned minor;            /* an older microversion than side->minor; 0: that one */
};

struct side {
    char *name; /* for messages: a URL, or a path */
    /* the highest microversion that it and we know; 0 before the first call */
    unsigned minor;
    /* The caller frees *reply, which is NULL where there was no body. `reply` may be NULL
     * when none is wanted. */
    int (*call)(struct side *side, const struct side_call *call,
                struct json_object **reply, struct error *err);
    /* Makes sure of all that was changed so far. */
    int (*settle)(struct side *side, struct error *err);
    void (*free)(struct side *side); /* all but `name` */
};

void side_free(struct side *side);
DEFINE_CLEANUP(struct side *, side_free)

/* Asks for the first time, and checks that the side speaks a microversion with which a
 * whole Placement can be read and written (1.28, of 2018). UNSUPPORTED when not. */
int side_begin(struct side *side, struct error *err);

/* GET of a path made of `format`. */
int side_get(struct side *side, struct json_object **reply, struct error *err,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A write of what `w` has, which is emptied; `w` may be NULL. `minor` and `reply` as
 * above. */
int side_write(struct side *side, const char *method, struct json_writer *w,
               unsigned minor, struct json_object **reply, struct error *err,
               const char *format, ...) __attribute__((format(printf, 7, 8)));

#endif
