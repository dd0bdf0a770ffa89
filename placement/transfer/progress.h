/*
 * progress: tells how far something long has come: on a terminal one line that changes,
 * else a line every ten seconds, and in both cases one at the end. One thread.
 */
#ifndef PLACEMENT_TRANSFER_PROGRESS_H
#define PLACEMENT_TRANSFER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; /* NULL: tell nothing */
    bool terminal;
    int64_t begun, told; /* clock_monotonic_ms() */
    char what[128];      /* is being done */
};

void progress_open(struct progress *progress, FILE *out);
/* What is begun: "http://...: reading providers". */
void progress_begin(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `done` of `total` of it are done. To be called for each, and once with both equal. */
void progress_tell(struct progress *progress, size_t done, size_t total);

#endif
