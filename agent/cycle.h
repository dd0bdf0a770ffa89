/*
 * cycle: observe, decide, act: the one way through the agent that `run`, `sync`,
 * `plan`, `allocations` and the rest share. A struct agent is what lives across cycles:
 * the connection to Placement with what is known of it, the journal, the worker that
 * touches devices, and, for those that act, the lock that makes them the only one. A
 * struct cycle is what one cycle saw, decided and did.
 *
 * One thread. Nothing here logs or prints.
 */
#ifndef AGENT_CYCLE_H
#define AGENT_CYCLE_H

#include "agent/act/plan_execute.h"
#include "config/config.h"

struct agent;

enum agent_access {
    AGENT_LOOKS, /* changes nothing, and needs no lock */
    AGENT_ACTS,
    AGENT_RESTORES, /* acts, but never asks Placement: [placement] may be incomplete */
};

/* Takes the lock (unless AGENT_LOOKS; BUSY when another has it), in the name of
 * `command`, and loads the journal. Sends nothing yet. `config` is borrowed until
 * agent_reconfigure() or agent_free(). `now` is in seconds since the epoch. *note (the
 * caller's, else untouched) is what an operator must hear about the journal. */
int agent_new(const struct config *config, enum agent_access access,
              const char *command, int64_t now, struct agent **out, char **note,
              struct error *err);
void agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)

/* Goes on with another configuration; on failure with the old one. What Placement has
 * is read anew. INVALID when state_file, sysfs_root or host_root differ: they need a
 * restart. */
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

/* Requests sent to Placement and Keystone so far, and when the token expires (seconds
 * since the epoch; 0: there is none). */
unsigned long agent_requests(const struct agent *agent);
int64_t agent_token_expires_at(const struct agent *agent);

/* Readable when a device operation that outlived its cycle has come to its end; the
 * next cycle takes note of it. */
int agent_fd(const struct agent *agent);

/* A plan and what became of its steps. */
struct cycle_round {
    struct plan *plan;
    struct execution *execution; /* NULL: not executed */
};

/* Plain data; all zero before the first use. cycle_clear() leaves it so. */
struct cycle {
    struct host *host;
    const struct observed *observed; /* borrowed from the agent, until its next cycle;
                                        NULL: Placement could not be read */
    struct desired_tree *desired;
    const struct strlist *drained; /* GPUs; borrowed from the agent */
    struct device_use *use;        /* NULL: nobody needed to know */
    struct cycle_round *rounds;    /* the last is what counts now */
    size_t round_count;
    struct strlist late;  /* operations of earlier cycles that failed at last */
    struct strlist notes; /* places that could not be read */
};

/* Everything but the acting: one round without execution. `want_use`: look who uses the
 * devices even where the plan does not need it, so that allocations are shown IN_USE.
 */
int cycle_look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
               struct error *err);

/* Looks and acts, again at once when what was seen had changed meanwhile, at most
 * CYCLE_ROUNDS times. 0 when it came to its end, whatever became of single steps:
 * cycle_problems() says. -1 when it could not look; where only Placement could not be
 * read, devices that a reboot took have then been put back as far as the journal knows
 * them, and `cycle` tells of it. */
#define CYCLE_ROUNDS 4
int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err);

/* One look, and of what is to be done only the deletion of the providers that
 * agent_set_prune() names. */
int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err);

void cycle_clear(struct cycle *cycle);

/* The plan of the last round. */
const struct plan *cycle_plan(const struct cycle *cycle);

#endif
