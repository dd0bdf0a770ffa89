/*
 * plan_execute: carries out a plan. Before the first act, all that the plan is going to
 * make (devices, traits) is in the journal and on disk. Then the steps of no GPU, in
 * order; then those of the GPUs, each GPU's in order and the GPUs beside each other:
 * device steps run in the worker's children, requests to Placement in this process.
 *
 * A step that fails stops its GPU's later steps, never another GPU's; one that makes or
 * removes a device stops nothing, since each device is for itself. A step that fails
 * because the world is no longer as it was when the plan was made (409, a
 * provider that has gone, a uuid that exists already) also asks for another look: then
 * observe, plan and execute again. A device operation that is still at work when
 * everything else is done and `patience` is over goes on by itself; the worker knows
 * of it, and the next cycle finds what became of it.
 *
 * Right before a device is removed its provider's allocations are read once more: one
 * whose consumer has an allocation again stays.
 *
 * One thread calls; nothing here is kept between calls.
 */
#ifndef AGENT_ACT_PLAN_EXECUTE_H
#define AGENT_ACT_PLAN_EXECUTE_H

#include "agent/act/device_worker.h"
#include "agent/plan/plan.h"
#include "agent/state/journal.h"
#include "placement/client/client.h"

/* What the executor works with, all borrowed. */
struct executor {
    struct placement_client *client;
    struct device_worker *worker;
    const char *root_uuid;   /* the parent of new providers */
    struct journal *journal; /* changed, and saved at journal_path */
    const char *journal_path;
    bool *journal_unsaved; /* true from a change until it is on disk; kept by the caller
                              from one execution to the next */
    struct strlist *late;  /* gets late_result_note() of operations that an earlier
                              execution had left under way */
    unsigned patience;     /* milliseconds to wait for devices after all else is done */
    /* Asked before each step; true ends the execution (the rest is skipped). NULL: goes
     * on to the end. */
    bool (*interrupted)(void *data);
    void *data;
};

enum step_outcome {
    STEP_SKIPPED, /* not tried: `reason` */
    STEP_DONE,
    STEP_FAILED,    /* `code`, `reason` */
    STEP_UNDER_WAY, /* the kernel has not answered yet */
    STEP_OUTCOMES,
};

struct step_result {
    enum step_outcome outcome;
    enum error_code code; /* FAILED */
    char *reason;         /* NULL when DONE */
    int64_t generation; /* of a write to a provider that is DONE: what it has become */
};

struct execution {
    struct step_result *results; /* by the plan's order */
    size_t count;
    size_t outcomes[STEP_OUTCOMES]; /* how many results are each */
    bool look_again; /* the plan was made on something that is so no more */
    char *unsaved;   /* why the state file does not say what it should; NULL: it does */
};

/* The last thing it does is to save what was done in the journal; where that fails, the
 * journal stays unsaved and the next execution begins with it. */
struct execution *plan_execute(const struct executor *executor,
                               const struct plan *plan);
void execution_free(struct execution *execution);
DEFINE_CLEANUP(struct execution *, execution_free)

/* Of an operation that came to its end after its execution: a line for one that has
 * failed. What became of those that went well shows in the next look at the host, but for
 * the address of a new device, which goes into the journal: true when that has changed. */
bool late_result_note(struct strlist *late, struct journal *journal,
                      const struct device_done *done);

/* "skipped", "done", "failed", "under way" */
const char *step_outcome_name(enum step_outcome outcome);

#endif
