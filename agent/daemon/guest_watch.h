/*
 * guest_watch: keeps an eye on the guests of consumers (agent/report/guests.h), also
 * between cycles: by what libvirt itself has said where that is complete, else by its
 * files, and notes how they stand for the commands (agent/report/guests_file.h). One
 * thread, the daemon's.
 */
#ifndef AGENT_DAEMON_GUEST_WATCH_H
#define AGENT_DAEMON_GUEST_WATCH_H

#include "agent/daemon/attacher.h"
#include "agent/daemon/metrics.h"
#include "agent/report/guests_file.h"

/* All zero: nothing was seen yet. */
struct guest_watch {
    struct guests_report report;
    /* Of libvirt's files, where libvirt itself has not said all. */
    struct domain_files files;
    struct guests_file file;
    bool file_failed;  /* it could not be written; that was logged */
    int64_t next_look; /* milliseconds, monotonic; -1: after the next cycle */
    size_t overdue;    /* guests that run without their devices for too long */
};

/* Looks at the guests, and adds to report.problems what is not well with them and with
 * the attaching of their devices. */
void guest_watch_look(struct guest_watch *watch, const struct config *config,
                      const struct attacher *attacher);
/* The program that attaches devices is about to be started, and may be gone a moment later,
 * as the daemon may be: that is noted before. */
void guest_watch_begin(struct guest_watch *watch, const char *state_file);
/* Something may have changed: they are to be looked at soon, once for all that changes
 * at the same time. */
void guest_watch_soon(struct guest_watch *watch);
/* Their numbers, as they were at the last look. */
struct metrics_guests guest_watch_numbers(const struct guest_watch *watch,
                                          const struct attacher *attacher);
/* The daemon ends in an orderly way. */
void guest_watch_end(struct guest_watch *watch, const char *state_file);
void guest_watch_clear(struct guest_watch *watch);

#endif
