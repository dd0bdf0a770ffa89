/*
 * guests_file: how the guests of consumers stand, as the daemon sees it, for `status`
 * and `allocations`: the file "<state file>.guests". A command can read libvirt's files
 * itself, but not ask libvirt, nor see what it has refused. The daemon removes the file
 * when it ends in an orderly way; agent/state/attach_left.h says what one that is left
 * means.
 *
 * One thread, the daemon's; guests_file_read() keeps nothing.
 */
#ifndef AGENT_REPORT_GUESTS_FILE_H
#define AGENT_REPORT_GUESTS_FILE_H

#include <sys/types.h>

#include "agent/report/guests.h"

struct guests_report {
    /* The agent attaches devices, or why it does not (NULL: it is not known). */
    bool attaches;
    char *reason;
    /* libvirt has been, or may be, asked to give a guest a device (attach_left.h), also by
     * a program that does not run any more. */
    bool may_be_left;
    struct guests guests;
    struct problem_list problems; /* what is not well with any of it */
};
void guests_report_clear(struct guests_report *report);
#define _cleanup_guests_report_ _cleanup_(guests_report_clear)

/* What was written last; NULL: nothing was. The caller frees. */
struct guests_file {
    char *text;
};

/* Writes the file, unless it says so already. `now` as in guests_problems(). */
int guests_file_write(struct guests_file *file, const char *state_file,
                      const struct guests_report *report, struct error *err);
void guests_file_remove(struct guests_file *file, const char *state_file);
/* Reads what the daemon `pid` has written: NOT_FOUND where it has written nothing. */
int guests_file_read(const char *state_file, pid_t pid, struct guests_report *out,
                     struct error *err);

#endif
