/*
 * problems: what is wrong with a configuration, collected instead of stopping at the
 * first: an operator mends a file once. Plain data; the list owns its texts. Not thread
 * safe.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"

/* Where a value was written. */
struct config_place {
    char *file;    /* NULL: nowhere, it is the default or the command line's */
    unsigned line; /* from 1; 0: the file as a whole */
};

/* A copy; what it holds is freed with config_place_clear(). */
struct config_place config_place_copy(const struct config_place *place);
void config_place_clear(struct config_place *place);

/* One thing that is wrong in the configuration, or (warning) that looks wrong. */
struct config_problem {
    struct config_place place;
    bool warning;
    size_t index; /* in the order of finding */
    char *text; /* "mdev_nvidia-35.device_addresses: what is wrong, what is accepted" */
};

/* All zero is the empty list. */
struct config_problems {
    struct config_problem *items;
    size_t count;
};

/* `place` may be NULL: nowhere. Control characters in the text become '?', so that
 * nothing from a file can forge a line. */
void config_error(struct config_problems *problems, const struct config_place *place,
                  const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_warning(struct config_problems *problems, const struct config_place *place,
                    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* By file and line; those that stand nowhere at the end. */
void config_problems_sort(struct config_problems *problems);

/* "file:line: section.option: text", with "warning: " before the text of a warning. The
 * caller frees. */
char *config_problem_text(const struct config_problem *problem);
/* The same without "warning: ", for what says the level itself. */
char *config_problem_log_text(const struct config_problem *problem);
bool config_has_errors(const struct config_problems *problems);
/* Is there an error of just this option, "section.option" as it was written? What
 * follows from it alone need not be said as well. */
bool config_has_error_of(const struct config_problems *problems, const char *section,
                         const char *option);
void config_problems_clear(struct config_problems *problems);

#define _cleanup_problems_ _cleanup_(config_problems_clear)

#endif
