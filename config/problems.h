/*
 * problems: collects all problems of a configuration instead of stopping at the first,
 * so that an operator can correct a file in one go. Plain data; the list owns its
 * texts. Not thread safe.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"

/* Where a value was written. */
struct config_place {
    char *file;    /* NULL: in no file, but a default or on the command line */
    unsigned line; /* from 1; 0: the file as a whole */
};

/* A copy; what it holds is freed with config_place_clear(). */
struct config_place config_place_copy(const struct config_place *place);
void config_place_clear(struct config_place *place);

/* A problem of the configuration: an error, or a warning. */
struct config_problem {
    struct config_place place;
    bool warning;
    size_t index; /* in the order in which they were found */
    char *text; /* "mdev_nvidia-35.device_addresses: what is wrong, what is accepted" */
};

/* All zero is the empty list. */
struct config_problems {
    struct config_problem *items;
    size_t count;
};

/* `place` may be NULL: no file. Control characters in the text become '?', so that the
 * contents of a file cannot forge a log line. */
void config_error(struct config_problems *problems, const struct config_place *place,
                  const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_warning(struct config_problems *problems, const struct config_place *place,
                    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sorts by file and line; problems without a file come last. */
void config_problems_sort(struct config_problems *problems);

/* "file:line: section.option: text", with "warning: " before the text of a warning. The
 * caller frees. */
char *config_problem_text(const struct config_problem *problem);
/* Like config_problem_text(), without "warning: ", for a log that shows the level
 * itself. */
char *config_problem_log_text(const struct config_problem *problem);
bool config_has_errors(const struct config_problems *problems);
/* Whether there is an error of this option, "section.option" as it was written.
 * Problems that only follow from it need not be reported. */
bool config_has_error_of(const struct config_problems *problems, const char *section,
                         const char *option);
void config_problems_clear(struct config_problems *problems);

#define _cleanup_problems_ _cleanup_(config_problems_clear)

#endif
