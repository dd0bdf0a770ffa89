/*
 * notices: what is not well, said once. Each cycle collects all that is wrong at that
 * moment; a line that was not there before is logged as a warning, one that is there no
 * more as an info line that begins with "over: ", and one that stays is not repeated.
 * One thread.
 */
#ifndef AGENT_NOTICES_H
#define AGENT_NOTICES_H

#include "lib/strlist.h"

/* All zero is: all is well. */
struct notices {
    struct strlist standing; /* what was said and is still true */
};

/* `now` is all that is wrong now. Lines should not hold numbers that change each cycle.
 */
void notices_update(struct notices *notices, const struct strlist *now);
void notices_clear(struct notices *notices);

#endif
