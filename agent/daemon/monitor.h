/*
 * monitor: reports the state of the daemon: in the log (each problem once), in
 * systemd's status line, in the file that `vgpu-agent status` reads
 * (agent/report/problems_file.h), and, where [agent] listen is set, over HTTP
 * (agent/daemon/pages.h). An error here never ends the daemon:
 * what cannot be served or written is a problem like others, and is tried again. One
 * thread, the daemon's.
 */
#ifndef AGENT_DAEMON_MONITOR_H
#define AGENT_DAEMON_MONITOR_H

#include "agent/cycle.h"
#include "agent/daemon/metrics.h"
#include "agent/daemon/watch.h"
#include "agent/report/guests_file.h"

struct monitor;

struct monitor *monitor_new(void);
void monitor_free(struct monitor *monitor);
DEFINE_CLEANUP(struct monitor *, monitor_free)

/* To be called before each cycle: serves at the address in `config`. Both are borrowed
 * until the next call. */
void monitor_follow(struct monitor *monitor, const struct config *config,
                    const struct agent *agent);

/* To be called after each cycle. `failure` is why it could not look; NULL: it could.
 * `took` is in milliseconds. */
void monitor_note_cycle(struct monitor *monitor, const struct cycle *cycle,
                        const struct error *failure, uint64_t took);

/* To be called after each reload. `problem` is why the old configuration stays in use;
 * NULL: it does not. It is among the problems until a reload succeeds. */
void monitor_note_reload(struct monitor *monitor, const char *problem);

/* To be called when the guests were looked at: how they stand, with what is not well
 * with them and with the attaching of their devices, and their numbers. The report is
 * borrowed as long as the monitor lives; it may change without notice. */
void monitor_note_guests(struct monitor *monitor, const struct guests_report *report,
                         const struct metrics_guests *guests);

/* Sets whether the files differ from the configuration that the daemon uses. If so,
 * that is a problem until they are read again. */
void monitor_note_files(struct monitor *monitor, bool changed);

/* monitor_watch() is for the daemon's loop; monitor_run() does the same work while the
 * loop does not wait, as during a request. */
struct watch monitor_watch(const struct monitor *monitor);
void monitor_run(const struct monitor *monitor);

#endif
