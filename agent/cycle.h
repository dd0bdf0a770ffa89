/*
 * cycle: observe, decide, act: the one sequence that `run`, `sync`, `plan`,
 * `allocations` and the other commands share. A struct cycle is what one cycle saw,
 * decided and did; a struct agent (agent/agent.h) is what lives from cycle to cycle. To
 * look means to read the host, Placement and the state file, and to make a plan.
 *
 * One thread. Nothing here logs or prints.
 */
#ifndef AGENT_CYCLE_H
#define AGENT_CYCLE_H

#include "agent/act/plan_execute.h"
#include "agent/agent.h"
#include "agent/desired/desired.h"
#include "agent/host/device_use.h"

/* A plan and the results of its steps. */
struct cycle_round {
    struct plan *plan;
    struct execution *execution; /* NULL: not executed */
};

/* Plain data; all zero before the first use. cycle_clear() leaves it so. */
struct cycle {
    const struct config *config; /* borrowed from the agent */
    struct host *host;
    /* The devices that were made since the host was looked at, below their parents;
     * nothing else of these is known. NULL: none was. */
    struct host *made;
    /* Borrowed from the agent until its next cycle. NULL: Placement was not read. */
    const struct observed *observed;
    struct desired_tree *desired;
    const struct strlist *drained;      /* names of GPUs; borrowed from the agent */
    const struct type_choices *choices; /* borrowed from the agent; NULL: not read */
    const struct journal *journal; /* borrowed from the agent, until its next cycle */
    struct device_use *use;        /* NULL: the cycle did not need to know */
    struct device_use *named;      /* struct plan_input */
    bool
        serves; /* it is cycle_serve()'s: which processes use the devices is not looked at */
    struct cycle_round *rounds; /* the last one is current */
    size_t round_count;
    struct strlist late; /* operations of earlier cycles that have failed since */
    bool whole;          /* the last look has read the whole tree of Placement's */
    /* Placement's database was replaced by one that may not know all allocations, or
     * has no provider of this host's, or the state file was lost: nothing follows from
     * an allocation that is not there. */
    bool may_lack;
    struct strlist notes; /* what could not be read, for the report of problems */
};

/* Observes and decides, without acting: adds one round that is not executed.
 * `want_use`: look who uses the devices even where the plan does not need it, so that
 * allocations can be shown as IN_USE. */
int cycle_look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
               struct error *err);

/* Observes, decides and acts. Repeats at once when what was seen had changed meanwhile
 * or when the plan has a further part: at most CYCLE_ROUNDS rounds, and one more for
 * each failure to clear a device. 0 when it came to its end, whatever the results of
 * single steps: cycle_problems() reports those. -1 when it could not observe. Where
 * only Placement could not be read, devices that a reboot removed have then been
 * created again as far as the journal knows them, and `cycle` says so. */
#define CYCLE_ROUNDS 4
int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err);

/* For a consumer that has just got its first allocations here, and whose guest is about
 * to start: makes its devices in the shortest way that is safe, and leaves all else to
 * the next cycle. It decides on the host as the last cycle left it and on Placement as
 * that cycle saw it, with what the consumer has: whether its steps fit the host as it is
 * now, the kernel judges, and whether a process has the device, the child that clears it
 * or makes it where somebody may be (struct backend). The intentions are on disk before a
 * device is touched; what was done is not yet: the caller calls agent_save_journal()
 * afterwards.
 *
 * True when the consumer has all its devices: `cycle` then has one round, as after
 * cycle_run(). False when it takes a whole cycle. */
bool cycle_serve(struct agent *agent, int64_t now,
                 const struct consumer_allocations *have, struct cycle *cycle);

/* Observes once, and carries out only the deletion of what agent_set_prune() names. */
int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err);

/* Observes, and carries out only operators' orders for single devices, whose answers say
 * what came of them. -1 when it could not observe; where only Placement could not be
 * read, orders that do not depend on it were carried out. */
int cycle_orders(struct agent *agent, int64_t now, struct cycle *cycle,
                 struct error *err);

void cycle_clear(struct cycle *cycle);
/* As cycle_clear(), after cycle_run() and cycle_serve(): keeps the host for the next
 * cycle_serve(). */
void cycle_end(struct agent *agent, struct cycle *cycle);

/* The plan of the last round. */
const struct plan *cycle_plan(const struct cycle *cycle);

#endif
