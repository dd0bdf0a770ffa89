/*
 * wave: writes of one kind to a side, to many things and in no order among them: several
 * may be under way at once. A write that is refused is noted and the rest goes on; one that
 * met another in the same moment is sent again.
 */
#ifndef PLACEMENT_TRANSFER_WAVE_H
#define PLACEMENT_TRANSFER_WAVE_H

#include "placement/transfer/progress.h"
#include "placement/transfer/side.h"

/* What all waves of a replay share. */
struct writer {
    struct side *side;
    struct progress *progress;
    struct strlist *refused; /* a line for each write that was not taken */
    void *data;              /* the caller's own */
    size_t unsettled;
    unsigned faults;    /* 500 was answered so often in a row */
    size_t told, total; /* for progress; total 0: nothing is told */
};

/* "inventories of providers": what the next waves write, of `total` things in all. */
void writer_begin(struct writer *writer, const char *what, size_t total);

struct wave {
    const char *what;  /* "inventories of provider": what is written, for a refusal */
    size_t first, end; /* the numbers of the things; each is below `end` */
    /* Fills in the write for that one. False: nothing is to be done. */
    bool (*fill)(struct writer *writer, size_t number, struct placement_call *call);
    const char *(*name)(const struct writer *writer, size_t number);
    /* NULL: nothing more than counting. -1, with `err`: there is no sense in going on. */
    int (*taken)(struct writer *writer, size_t number, struct json_object *reply,
                 struct error *err);
    /* A write whose answer was lost is sent again, also by libcurl, and then meets what it
     * has done itself. So after a CONFLICT or EXISTS that is asked which the first fills in,
     * a GET, and where the second finds in the reply what was wanted, it was taken; the
     * second notes that as taken() does. NULL, both: a refusal is one. */
    void (*fill_look)(struct writer *writer, size_t number,
                      struct placement_call *call);
    bool (*is_there)(struct writer *writer, size_t number, struct json_object *reply);
    size_t *count; /* of writes that were taken */
    bool singly;   /* one after the other */
};

/* -1 when it could not go on: the other side cannot be reached, does not let us write, or
 * answers 500 to one write after the other. */
int wave_run(struct writer *writer, const struct wave *wave, struct error *err);

#endif
