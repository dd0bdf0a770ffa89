/*
 * monitor: tells others how the daemon stands: the log (each problem once), systemd's
 * status line, the file that `vgpu-agent status` reads (agent/report/problems_file.h), and,
 * where [agent] listen is set, /metrics, /healthz and /readyz (agent/daemon/pages.h).
 * Nothing of it can fail the daemon: what cannot be served or written is a problem like
 * others, and tried again. One thread, the daemon's.
 */
#ifndef AGENT_DAEMON_MONITOR_H
#define AGENT_DAEMON_MONITOR_H

#include "agent/cycle.h"
#include "agent/daemon/watch.h"

struct monitor;

struct monitor *monitor_new(void);
void monitor_free(struct monitor *monitor);
DEFINE_CLEANUP(struct monitor *, monitor_free)

/* Before each cycle: serves what `config` says. Both are borrowed until the next call.
 */
void monitor_follow(struct monitor *monitor, const struct config *config,
                    const struct agent *agent);

/* After each cycle; `failure` is why it could not look, or NULL. `took`: milliseconds.
 */
void monitor_note_cycle(struct monitor *monitor, const struct cycle *cycle,
                        const struct error *failure, uint64_t took);

/* After the files were to be read again; `problem` is why the old configuration stays,
 * or NULL. It stands among what is not well until they are read. */
void monitor_note_reload(struct monitor *monitor, const char *problem);

/* Whether the files say something else than the configuration that the daemon goes by,
 * which is a problem until they are read. */
void monitor_note_files(struct monitor *monitor, bool changed);

/* For the loop; monitor_run() also for moments in which it does not wait. */
struct watch monitor_watch(const struct monitor *monitor);
void monitor_run(const struct monitor *monitor);

#endif
