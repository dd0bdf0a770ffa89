/*
 * reader: looks at the host (agent/backend/scan.h) in a child process, so that a
 * driver that hangs in the read of a file does not hang the agent. One child does look
 * after look. When it does not come on, the card that it is at does not answer: the
 * child is left there, and another goes on without that card. As long as the first one
 * is stuck, nobody else is sent to the card: it counts as unreadable (its devices are
 * seen all the same), and looks are as quick as ever. When the driver lets go, the next
 * look reads the card again.
 *
 * One thread (the agent's).
 */
#ifndef AGENT_BACKEND_READER_H
#define AGENT_BACKEND_READER_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/cleanup.h"
#include "lib/error.h"

struct host_reader;

/* `sysfs_root` as in host_scan(); copied. The child comes with the first look. */
struct host_reader *host_reader_new(const char *sysfs_root);
/* Waits for nobody. */
void host_reader_free(struct host_reader *reader);
DEFINE_CLEANUP(struct host_reader *, host_reader_free)

/* How long one file may take before its card counts as one that does not answer. */
void host_reader_set_patience(struct host_reader *reader, unsigned milliseconds);

/* Asked about ten times a second while nothing comes; true ends the look. */
void host_reader_set_interrupt(struct host_reader *reader,
                               bool (*interrupted)(void *data), void *data);

/* As host_scan(). TIMEOUT when something hangs that is no card's. */
int host_reader_look(struct host_reader *reader, struct host **out, struct error *err);

/* Which cards do not answer is told to other processes, and to those that come after,
 * in STATE_FILE.hung, so that they do not send children of their own after the one that
 * is stuck. Reads that file; with `writes`, keeps it. */
void host_reader_set_notes(struct host_reader *reader, const char *state_file,
                           bool writes);

/* One look, for those who need no other; `state_file` NULL: without the notes. */
int host_look(const char *sysfs_root, const char *state_file, struct host **out,
              struct error *err);

#endif
