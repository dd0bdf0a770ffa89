/*
 * reader: scans the host (agent/backend/scan.h) in a child process, so that a driver
 * that hangs in the read of a file does not hang the agent. One child does all scans.
 * When it makes no progress, the card that it is reading does not answer: the child is
 * abandoned, and a new child scans without that card. As long as the abandoned child
 * hangs, no other process reads the card: it counts as unreadable (its devices are
 * still listed), and scans take no longer than usual. When the driver returns, the next
 * scan reads the card again.
 *
 * One thread (the agent's).
 */
#ifndef AGENT_BACKEND_READER_H
#define AGENT_BACKEND_READER_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/cleanup.h"
#include "lib/error.h"

struct host_reader;

/* `sysfs_root` as in host_scan(); copied. The first host_reader_look() starts the
 * child. */
struct host_reader *host_reader_new(const char *sysfs_root);
/* Does not wait for the child to end. */
void host_reader_free(struct host_reader *reader);
DEFINE_CLEANUP(struct host_reader *, host_reader_free)

/* For the cards and types that only the configuration names (host_scan_configured()).
 * Borrowed until the next call; at first there is none. With another one a new child
 * scans. */
void host_reader_set_config(struct host_reader *reader, const struct config *config);

/* The cards that are not to be taken whole yet (struct scan's `awaited`); copied. At
 * first there is none. With others a new child scans. */
void host_reader_set_awaited(struct host_reader *reader, const struct strlist *awaited);

/* How long the read of one file may take before its card counts as not answering. */
void host_reader_set_patience(struct host_reader *reader, unsigned milliseconds);

/* `interrupted` is called about ten times a second while the agent waits for the child;
 * when it returns true, the scan ends. */
void host_reader_set_interrupt(struct host_reader *reader,
                               bool (*interrupted)(void *data), void *data);

/* As host_scan(). TIMEOUT when the child hangs outside of any card. */
int host_reader_look(struct host_reader *reader, struct host **out, struct error *err);

/* The file STATE_FILE.hung lists the cards that do not answer, with the hanging child,
 * so that other agent processes, and later ones, do not send a child of their own to
 * the same card. This function reads the file; with `writes`, the reader also keeps it
 * up to date. */
void host_reader_set_notes(struct host_reader *reader, const char *state_file,
                           bool writes);

/* A single scan, with a reader of its own. `config` and `awaited` as in
 * host_scan_configured(). `state_file` NULL: STATE_FILE.hung is not used. */
int host_look(const char *sysfs_root, const struct config *config,
              const struct strlist *awaited, const char *state_file, struct host **out,
              struct error *err);

#endif
