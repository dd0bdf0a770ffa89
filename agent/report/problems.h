/*
 * problems: what is wrong, logged once. Each cycle collects all problems of that
 * moment. A new one is logged as a warning; one that has ended is logged at level info,
 * as a line that begins with "over: "; one that continues is not logged again. One
 * thread.
 */
#ifndef AGENT_REPORT_PROBLEMS_H
#define AGENT_REPORT_PROBLEMS_H

#include <stddef.h>

#include "lib/cleanup.h"

struct problem {
    /* What identifies the problem as long as it lasts. The text may change meanwhile,
     * since it may contain a time or the id of a request. */
    char *about;
    char *text; /* one line */
};

/* All zero: no problems. */
struct problem_list {
    struct problem *items;
    size_t count;
};

/* Adds a problem, unless there is one with the same `about`. `about` NULL: the text
 * serves as such. */
void problems_add(struct problem_list *problems, const char *about, const char *text);
void problems_add_take(struct problem_list *problems, const char *about, char *text);
/* Logs the problems that are new in `now` and those that have ended since `standing`.
 * Then `standing` takes the contents of `now`, which is empty afterwards. */
void problems_update(struct problem_list *standing, struct problem_list *now);
void problems_clear(struct problem_list *problems);

#define _cleanup_problem_list_ _cleanup_(problems_clear)

#endif
