/*
 * agent: what lives across cycles: the connection to Placement with what is known of
 * it, the journal, the worker that touches devices, and, for those that act, the lock
 * that makes them the only one.
 *
 * One thread. Nothing here logs or prints.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/act/device_worker.h"
#include "agent/act/rewrites.h"
#include "agent/backend/reader.h"
#include "agent/state/journal.h"
#include "agent/tree/fetch.h"
#include "config/config.h"

enum agent_access {
    AGENT_LOOKS, /* changes nothing, and needs no lock */
    AGENT_ACTS,
    AGENT_RESTORES, /* acts, but never asks Placement: [placement] may be incomplete */
};

/* The members are the cycle's; others ask by the functions below. */
struct agent {
    const struct config *config; /* borrowed */
    enum agent_access access;
    int lock;                        /* -1 when it only looks */
    struct placement_client *client; /* NULL: it never asks, or cannot */
    struct error no_client;          /* why it cannot, which only looks */
    unsigned long earlier_requests;  /* of clients before this one */
    struct placement_fetch *fetch;
    struct journal *journal;
    bool journal_unsaved;
    bool doubts_root; /* the root that was read is not the journal's */
    bool adopts_root; /* an order to change that is being carried out */
    struct host_reader *reader;
    struct device_worker *worker;
    struct strlist drained, prune; /* what the operator wants */
    struct strlist servers;        /* whose devices were asked for */
    bool closely; /* the next cycle looks who uses the devices, needed or not */
    unsigned patience;
    unsigned looks; /* at Placement */
    struct rewrites rewrites;
    bool (*interrupted)(void *data);
    void *data;
};

/* Takes the lock (unless AGENT_LOOKS; BUSY when another has it), in the name of
 * `command`, and loads the journal. Sends nothing yet. Who only looks does so with a
 * [placement] that is no good as well, and cycle_look() then says why. `config` is
 * borrowed until agent_reconfigure() or agent_free(). `now` is in seconds since the
 * epoch. *note (the caller's, else untouched) is what an operator must hear about the
 * journal. */
int agent_new(const struct config *config, enum agent_access access,
              const char *command, int64_t now, struct agent **out, char **note,
              struct error *err);
/* The time to give to cycle_look() and the like: agent/state/boot_clock.h. */
int64_t agent_now(const struct agent *agent);
void agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)

/* Goes on with another configuration; on failure with the old one. What Placement has
 * is read anew. INVALID when state_file, sysfs_root, host_root or one of libvirt's
 * folders differ: they need a restart. */
int agent_reconfigure(struct agent *agent, const struct config *config,
                      struct error *err);

/* Asked before each step and each round, and about once a second within a request; true
 * ends the cycle early. */
void agent_set_interrupt(struct agent *agent, bool (*interrupted)(void *data),
                         void *data);
/* How long a cycle waits for devices that the kernel is slow with (struct executor). */
void agent_set_patience(struct agent *agent, unsigned milliseconds);

/* Uuids of providers to delete in the cycles to come, if they are no longer configured
 * and free. Copied. */
void agent_set_prune(struct agent *agent, const struct strlist *providers);

/* The state file belongs to this root provider from now on; on disk when it returns. */
int agent_adopt_root(struct agent *agent, const char *uuid, const char *name,
                     struct error *err);

/* Of the next cycle: somebody waits for it, and may have seen what only a look at who
 * uses the devices shows. */
void agent_look_closely(struct agent *agent);

/* For those that only look: what those that act have written down by now. */
int agent_reread_journal(struct agent *agent, struct error *err);

/* Requests sent to Placement and Keystone so far, and when the token expires (seconds
 * since the epoch; 0: there is none). */
unsigned long agent_requests(const struct agent *agent);
int64_t agent_token_expires_at(const struct agent *agent);

/* Readable when a device operation that outlived its cycle has come to its end; the
 * next cycle takes note of it. */
int agent_fd(const struct agent *agent);

#endif
