/*
 * side: a Placement as one end of a transfer: something that takes calls of its API.
 * remote.h makes one over HTTP, placement/server/local_side.h one of a database.
 *
 * Calls and batches of them are those of placement/client/batch.h, and their errors those
 * of placement/client/client.h. One thread.
 */
#ifndef PLACEMENT_TRANSFER_SIDE_H
#define PLACEMENT_TRANSFER_SIDE_H

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/json_read.h"
#include "lib/json_write.h"
#include "placement/client/batch.h"

struct side {
    char *name; /* for messages: a URL, or a path */
    /* the highest microversion that it and we know; 0 before the first call */
    unsigned minor;
    /* The caller frees *reply, which is NULL where there was no body. `reply` may be NULL
     * when none is wanted. */
    int (*call)(struct side *side, const struct placement_call *call,
                struct json_object **reply, struct error *err);
    /* As placement_client_run(), with a single connection where told to; NULL: one call
     * after the other, without a status. */
    int (*run)(struct side *side, const struct placement_batch *batch, bool singly,
               struct error *err);
    /* Makes sure of all that was changed so far. */
    int (*settle)(struct side *side, struct error *err);
    void (*free)(struct side *side); /* all but `name` */
};

void side_free(struct side *side);
DEFINE_CLEANUP(struct side *, side_free)

/* Asks for the first time, and checks that the side speaks a microversion with which a
 * whole Placement can be read and written (1.28, of 2018). UNSUPPORTED when not. */
int side_begin(struct side *side, struct error *err);

/* Makes all calls of a batch, several at once where the side can, or one after the other.
 */
int side_run(struct side *side, const struct placement_batch *batch, struct error *err);
int side_run_singly(struct side *side, const struct placement_batch *batch,
                    struct error *err);

/* GET of a path made of `format`. */
int side_get(struct side *side, struct json_object **reply, struct error *err,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
/* For next() of a batch: fills in the call. The body is what `w` has, which is emptied; `w`
 * may be NULL. */
void side_fill_call(struct placement_call *call, const char *method,
                    struct json_writer *w, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* For done() of a batch of GETs: -1 when the call has failed, or its reply is empty. */
int side_take_reply(const struct side *side, const struct placement_call *call, int rc,
                    struct json_object *reply, struct error *err);

#endif
