#include "placement/transfer/wave.h"

#include <string.h>

#include "lib/xalloc.h"

/* A local database makes its changes durable after so many writes. */
#define SETTLE_AFTER 500
/* How often a write is sent that always meets another. The last times none of ours is under
 * way beside it. */
#define TRIES 4
#define TRIES_TOGETHER 2
/* After so many answers of 500 in a row it is not what was written. */
#define MOST_FAULTS 50

/* A write that met another, or maybe itself. */
struct doubt {
    size_t number;
    char *refusal; /* NULL: it can be sent again */
    bool there;    /* it was taken */
};

struct running {
    struct writer *writer;
    const struct wave *wave;
    unsigned try;
    const size_t *numbers; /* NULL: all from wave->first on */
    size_t count, begun;
    struct doubt *doubts;
    size_t doubt_count, looked;
};

void writer_begin(struct writer *writer, const char *what, size_t total)
{
    writer->told = 0;
    writer->total = total;
    progress_begin(writer->progress, "%s: %s written:", writer->side->name, what);
}

static void count_end(struct running *running)
{
    struct writer *writer = running->writer;
    if (writer->total && running->try == 1)
        progress_tell(writer->progress, ++writer->told, writer->total);
}

static bool next_write(void *data, struct placement_call *call)
{
    struct running *running = data;
    while (running->begun < running->count) {
        size_t at = running->begun++;
        call->number =
            running->numbers ? running->numbers[at] : running->wave->first + at;
        if (running->wave->fill(running->writer, call->number, call))
            return true;
        count_end(running);
    }
    return false;
}

static int count_taken(struct running *running, struct error *err)
{
    struct writer *writer = running->writer;
    ++*running->wave->count;
    writer->faults = 0;
    return ++writer->unsettled % SETTLE_AFTER == 0
               ? writer->side->settle(writer->side, err)
               : 0;
}

static int note_taken(struct running *running, size_t number, struct json_object *reply,
                      struct error *err)
{
    const struct wave *wave = running->wave;
    if (count_taken(running, err) != 0)
        return -1;
    if (wave->taken && wave->taken(running->writer, number, reply, err) != 0)
        return error_prefix(err, "%s: unexpected reply for %s %s",
                            running->writer->side->name, wave->what,
                            wave->name(running->writer, number));
    return 0;
}

/* Whether this one write was refused, and others may be taken. OpenStack's Placement
 * answers 500 to what its database does not take, as text of four bytes a character. */
static bool is_refusal(struct writer *writer, const struct placement_call *call,
                       const struct error *err)
{
    switch (err->code) {
    case ERROR_CONFLICT:
    case ERROR_INVALID:
    case ERROR_NOT_FOUND:
    case ERROR_EXISTS:
    case ERROR_BUSY:
    case ERROR_EXHAUSTED:
        writer->faults = 0;
        return true;
    default:
        return call->status == 500 && ++writer->faults < MOST_FAULTS;
    }
}

/* 0 when the rest can go on. */
static int note_failure(struct running *running, const struct placement_call *call,
                        struct error *err)
{
    struct writer *writer = running->writer;
    bool met = err->code == ERROR_CONFLICT, again = met && running->try < TRIES;
    bool may_be_own = running->wave->is_there && (met || err->code == ERROR_EXISTS);
    bool refused = is_refusal(writer, call, err);
    (void)error_prefix(err, "%s %s", running->wave->what,
                       running->wave->name(writer, call->number));
    if (again || may_be_own) {
        *array_add(running->doubts, running->doubt_count) = (struct doubt){
            .number = call->number, .refusal = again ? NULL : xstrdup(err->text)};
        return 0;
    }
    if (!refused)
        return writer->faults >= MOST_FAULTS
                   ? error_prefix(err, "%u writes in a row were answered with 500",
                                  writer->faults)
                   : -1;
    strlist_add(writer->refused, err->text);
    return 0;
}

/* What is to be deleted and is not there was deleted, maybe by ourselves: see is_there. */
static bool is_gone(const struct placement_call *call, const struct error *err)
{
    return strcmp(call->method, "DELETE") == 0 && err->code == ERROR_NOT_FOUND;
}

static int end_write(void *data, const struct placement_call *call, int rc,
                     struct json_object *reply, struct error *err)
{
    struct running *running = data;
    rc = rc == 0 || is_gone(call, err) ? note_taken(running, call->number, reply, err)
                                       : note_failure(running, call, err);
    count_end(running);
    return rc;
}

/* ---- those in doubt ---- */

static bool next_look(void *data, struct placement_call *call)
{
    struct running *running = data;
    if (running->looked == running->doubt_count)
        return false;
    call->number = running->looked++;
    running->wave->fill_look(running->writer, running->doubts[call->number].number,
                             call);
    return true;
}

static int end_look(void *data, const struct placement_call *call, int rc,
                    struct json_object *reply, struct error *err)
{
    struct running *running = data;
    struct doubt *doubt = &running->doubts[call->number];
    if (rc != 0)
        return is_refusal(running->writer, call, err) ? 0 : -1;
    doubt->there =
        reply && running->wave->is_there(running->writer, doubt->number, reply);
    return doubt->there ? count_taken(running, err) : 0;
}

static int run_batch(const struct running *running, const struct placement_batch *batch,
                     struct error *err)
{
    return running->wave->singly || running->try > TRIES_TOGETHER
               ? side_run_singly(running->writer->side, batch, err)
               : side_run(running->writer->side, batch, err);
}

static int run_once(struct running *running, struct error *err)
{
    const struct placement_batch writes = {running, next_write, end_write},
                                 looks = {running, next_look, end_look};
    if (run_batch(running, &writes, err) != 0)
        return -1;
    return running->wave->is_there && running->doubt_count
               ? run_batch(running, &looks, err)
               : 0;
}

/* The numbers of those to be sent again, of which there are *count; the caller frees. What
 * was refused is noted. */
static size_t *end_doubts(struct running *running, size_t *count)
{
    size_t *numbers = NULL;
    *count = 0;
    for (size_t i = 0; i < running->doubt_count; i++) {
        struct doubt *doubt = &running->doubts[i];
        if (!doubt->there && doubt->refusal)
            strlist_add(running->writer->refused, doubt->refusal);
        else if (!doubt->there)
            *array_add(numbers, *count) = doubt->number;
        free(doubt->refusal);
    }
    free(running->doubts);
    return numbers;
}

int wave_run(struct writer *writer, const struct wave *wave, struct error *err)
{
    _cleanup_free_ size_t *numbers = NULL;
    size_t count = wave->end - wave->first;
    for (unsigned try = 1; count; try++) {
        struct running running = {.writer = writer,
                                  .wave = wave,
                                  .try = try,
                                  .numbers = numbers,
                                  .count = count};
        int rc = run_once(&running, err);
        free(numbers);
        numbers = end_doubts(&running, &count);
        if (rc != 0)
            return -1;
    }
    return 0;
}
