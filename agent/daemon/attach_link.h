/*
 * attach_link: the program vgpu-agent-libvirt as a process, and the lines that the
 * daemon and it send each other. Nothing here waits: what cannot be written yet is kept,
 * and a program that has ended, or that says what makes no sense, is left behind. One
 * thread, the daemon's.
 */
#ifndef AGENT_DAEMON_ATTACH_LINK_H
#define AGENT_DAEMON_ATTACH_LINK_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/attach/message.h"
#include "lib/buffer.h"
#include "lib/line_reader.h"
#include "lib/log.h"
#include "lib/subprocess.h"

/* All zero: no program was started yet. */
struct attach_link {
    bool runs;
    struct subprocess child;
    struct line_reader in;
    struct buffer out;
    size_t written; /* of `out` */
    pid_t *left;    /* programs that are about to end, and are to be waited for */
    size_t left_count;
};

/* No program may run yet. */
int attach_link_start(struct attach_link *link, const char *program, const char *uri,
                      enum log_level level, struct error *err);
/* Leaves the program, which then ends. */
void attach_link_stop(struct attach_link *link);
void attach_link_send(struct attach_link *link, const struct message *message);
/* Writes what can be written, and calls take() for each message that has come. -1 when
 * the program has ended or is not understood: it has been left then. */
int attach_link_run(struct attach_link *link,
                    void (*take)(void *data, struct message *message), void *data,
                    struct error *err);
/* -1 and 0 while none runs. */
int attach_link_fd(const struct attach_link *link);
short attach_link_events(const struct attach_link *link);
void attach_link_clear(struct attach_link *link);

#endif
