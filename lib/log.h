/*
 * log: one line a message to standard error: level, subsystem, text, then key=value
 * pairs.
 *
 *     log_info("plan", "device created pci=%s type=%s uuid=%s consumer=%s", ...);
 *
 * The keys are the same everywhere: pci= type= uuid= consumer= provider= trait= error=.
 * Under systemd (JOURNAL_STREAM names our standard error) each line starts with the
 * journal's "<priority>" instead of a level's name. Control characters in what is
 * logged are shown as '?', so that nothing from outside can forge a line. Any thread
 * may call; a line is one write(2). Where nobody reads what is written, lines are
 * dropped and counted, and the first that is taken again says how many. Libraries
 * return errors and never log them.
 *
 * log_to_file() makes a file the standard error; its lines begin with the time (UTC).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

#include "lib/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the least important level that is written; at start INFO. */
void log_set_level(enum log_level level);
/* From now on log lines are appended to `path`, which is created where missing. To be
 * called again after a log rotation has moved the file away; when that fails, the old
 * file stays in use. */
int log_to_file(const char *path, struct error *err);
/* Parses "error", "warning", "info" or "debug". False when `name` is none of them. */
bool log_level_parse(const char *name, enum log_level *level);

/* As log_level_parse() takes it. */
const char *log_level_name(enum log_level level);

/* The journal's prefix for that level, such as "<3>", when standard error goes to the
 * journal; else "". For lines that are not written by log_message(). */
const char *log_journal_prefix(enum log_level level);

void log_message(enum log_level level, const char *subsystem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(subsystem, ...) log_message(LOG_LEVEL_ERROR, subsystem, __VA_ARGS__)
#define log_warning(subsystem, ...) \
    log_message(LOG_LEVEL_WARNING, subsystem, __VA_ARGS__)
#define log_info(subsystem, ...) log_message(LOG_LEVEL_INFO, subsystem, __VA_ARGS__)
#define log_debug(subsystem, ...) log_message(LOG_LEVEL_DEBUG, subsystem, __VA_ARGS__)

#endif
