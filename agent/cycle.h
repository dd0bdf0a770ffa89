/*
 * cycle: observe, decide, act: the one way through the agent that `run`, `sync`,
 * `plan`, `allocations` and the rest share. A struct cycle is what one cycle saw,
 * decided and did; a struct agent (agent/agent.h) is what lives across cycles.
 *
 * One thread. Nothing here logs or prints.
 */
#ifndef AGENT_CYCLE_H
#define AGENT_CYCLE_H

#include "agent/act/plan_execute.h"
#include "agent/agent.h"

/* A plan and what became of its steps. */
struct cycle_round {
    struct plan *plan;
    struct execution *execution; /* NULL: not executed */
};

/* Plain data; all zero before the first use. cycle_clear() leaves it so. */
struct cycle {
    const struct config *config; /* borrowed from the agent */
    struct host *host;
    const struct observed *observed; /* borrowed from the agent, until its next cycle;
                                        NULL: Placement could not be read */
    struct desired_tree *desired;
    const struct strlist *drained; /* GPUs; borrowed from the agent */
    const struct journal *journal; /* borrowed from the agent, until its next cycle */
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

/* Looks and acts, again at once when what was seen had changed meanwhile or the plan
 * goes on, at most CYCLE_ROUNDS times, and once more for each failure to hand a device
 * over. 0 when it came to its end, whatever became of single steps: cycle_problems()
 * says. -1 when it could not look; where only Placement could not be read, devices that
 * a reboot took have then been put back as far as the journal knows them, and `cycle`
 * tells of it. */
#define CYCLE_ROUNDS 4
int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err);

/* One look, and of what is to be done only the deletion of the providers that
 * agent_set_prune() names. */
int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err);

/* Reserves nothing of the GPU in Placement any more, as an operator does by hand, on the
 * state that `cycle` saw: for one whose service is GPU_RESERVED. The daemon takes it as
 * the operator's own wish. */
int cycle_unreserve(struct agent *agent, const struct cycle *cycle, const char *gpu,
                    struct error *err);

void cycle_clear(struct cycle *cycle);

/* The plan of the last round. */
const struct plan *cycle_plan(const struct cycle *cycle);

#endif
