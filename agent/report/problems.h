/*
 * problems: what is not well, said once. Each cycle collects all that is wrong at that
 * moment; what was not there before is logged as a warning, what is there no more as an
 * info line that begins with "over: ", and what stays is not repeated. One thread.
 */
#ifndef AGENT_REPORT_PROBLEMS_H
#define AGENT_REPORT_PROBLEMS_H

#include <stddef.h>

#include "lib/cleanup.h"

struct problem {
    char *about; /* the same for as long as it is the same trouble, unlike the text,
                    which may hold a time or the id of a request */
    char *text;  /* one line */
};

/* All zero is: all is well. */
struct problem_list {
    struct problem *items;
    size_t count;
};

/* Adds one; the second about the same is dropped. `about` NULL: the text itself. */
void problems_add(struct problem_list *notices, const char *about, const char *text);
void problems_add_take(struct problem_list *notices, const char *about, char *text);
/* Logs what came and what went from `standing` to `now`, which takes its place and is
 * empty afterwards. */
void problems_update(struct problem_list *standing, struct problem_list *now);
void problems_clear(struct problem_list *notices);

#define _cleanup_problem_list_ _cleanup_(problems_clear)

#endif
