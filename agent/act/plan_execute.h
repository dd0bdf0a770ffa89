/*
 * plan_execute: carries out a plan. Before the first step, all that the plan is going
 * to make (devices, traits) is in the journal and on disk. First come the steps of no
 * GPU, in order; then the steps of the GPUs: each GPU's in order, different GPUs in
 * parallel. Device steps run in the worker's children, requests to Placement in this
 * process.
 *
 * A failed step stops the later steps of its GPU, never another GPU's. A failed step
 * that makes or removes a device stops nothing, since the devices are independent. A
 * step that fails because the state is no longer what the plan was made for (409, a
 * provider that is gone, a uuid that exists already) also asks for another look: the
 * caller then observes, plans and executes again. A device operation that is still
 * running when everything else is done and `patience` is over continues; the worker
 * keeps track of it, and a later cycle takes its result.
 *
 * Right before a device is removed, its provider's allocations are read once more: if
 * its consumer has an allocation again, the device stays.
 *
 * Only one thread may call it; nothing is kept between calls.
 */
#ifndef AGENT_ACT_PLAN_EXECUTE_H
#define AGENT_ACT_PLAN_EXECUTE_H

#include "agent/act/device_worker.h"
#include "agent/plan/steps/plan.h"
#include "agent/state/journal.h"
#include "placement/client/client.h"

/* What the executor needs; all members are borrowed. */
struct executor {
    struct placement_client *client;
    struct device_worker *worker;
    const char *root_uuid;   /* the parent of new providers */
    struct journal *journal; /* changed, and saved at journal_path */
    const char *journal_path;
    bool *journal_unsaved; /* true from a change of the journal until it is on disk; the
                              caller keeps it between executions */
    /* What was done is not saved: the caller does it soon, and something is more urgent.
     * After a crash it is as if the execution had been cut short: all intentions are on
     * disk. */
    bool saves_later;
    struct strlist *late; /* gets what late_result_note() says of operations that an
                              earlier execution left under way */
    unsigned patience;    /* milliseconds to wait for device operations after all else
                              is done */
    /* Called once, before any device is touched, with the addresses of those that the
     * plan removes or gives to other consumers: takes them back from who is about to
     * give them to a guest. Adds to `held` those that may still be given to one: their
     * steps fail with BUSY. NULL: nobody gives devices to guests. */
    void (*take_back)(void *attacher, const struct strlist *addresses,
                      struct strlist *held);
    void *attacher;
    /* Called before each step; true ends the execution (the rest is skipped). NULL:
     * never interrupted. */
    bool (*interrupted)(void *data);
    void *data;
};

enum step_outcome {
    STEP_SKIPPED, /* not tried (`reason`) */
    STEP_DONE,
    STEP_FAILED,    /* see `code` and `reason` */
    STEP_UNDER_WAY, /* the kernel has not answered yet */
    STEP_OUTCOMES,
};

struct step_result {
    enum step_outcome outcome;
    enum error_code code; /* FAILED */
    char *reason;         /* NULL when DONE */
    int64_t generation;   /* the provider's new generation, after a write to a provider
                             that is DONE */
};

struct execution {
    struct step_result *results; /* in the order of the plan's steps */
    size_t count;
    size_t outcomes[STEP_OUTCOMES]; /* the number of results with each outcome */
    bool look_again; /* the plan was made for a state that has changed since */
    char *unsaved;   /* why the state file could not be saved; NULL: it is up to date */
};

/* Carries out the plan. The caller frees the result with execution_free(). At the end
 * it saves the journal with what was done; where that fails, the journal stays unsaved
 * and the next execution starts by saving it. */
struct execution *plan_execute(const struct executor *executor,
                               const struct plan *plan);
void execution_free(struct execution *execution);
DEFINE_CLEANUP(struct execution *, execution_free)

/* Notes the result of an operation that ended after its execution. A failure is added
 * to `late` as one line. Successes show in the next look at the host, except for the
 * address of a new device, which goes into the journal. True when the journal has
 * changed. */
bool late_result_note(struct strlist *late, struct journal *journal,
                      const struct device_done *done);

/* The name of the outcome: "skipped", "done", "failed", "under way". */
const char *step_outcome_name(enum step_outcome outcome);

#endif
