/*
 * budget: what one request may take of the only thread, which serves everybody: steps
 * of work, processor time, memory for what it collects; and whether its client still
 * waits. Whatever loops over things of which a client can make, or name, many spends
 * from it and ends when it is spent. One thread.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_BUDGET_H
#define PLACEMENT_SERVER_MESSAGE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The steps of one request: about half a second. Only requests that ask for the nearly
 * impossible of wide trees come near it. */
#define BUDGET_WORK 50000000
/* What a request has in any case: a hundredth of a second, in which all that can be
 * asked in earnest of a thousand compute nodes is found. */
#define BUDGET_WORK_ALWAYS 1000000

enum budget_end {
    BUDGET_LEFT,      /* the budget is not spent */
    BUDGET_WORK_DONE, /* all steps are used up */
    BUDGET_TIME_OVER,
    BUDGET_MEMORY_USED,
    BUDGET_CLIENT_GONE,
};

struct budget {
    enum budget_end end;   /* why it is spent */
    uint64_t work;         /* steps that it was given */
    uint64_t work_left;    /* steps */
    uint64_t before_look;  /* steps until it looks at the clock and the client */
    size_t memory_left;    /* bytes */
    size_t written;        /* bytes of the reply that have been counted as steps */
    int64_t deadline;      /* of the thread's processor time, in nanoseconds; 0: none */
    const int *connection; /* the client's socket, borrowed; NULL: there is none */
};

/* What requests have beyond BUDGET_WORK_ALWAYS is shared by all: each one's most as long
 * as there is enough, and then about a tenth of the processor's time. Else many
 * connections that each ask for the most would hold the thread in turn. */
struct budget_pool {
    uint64_t used; /* steps, at most BUDGET_SHARED */
    int64_t since; /* seconds since 1970 */
};
#define BUDGET_SHARED (4 * (uint64_t)BUDGET_WORK)
#define BUDGET_SHARED_PER_SECOND 10000000

/* How many steps a request may have now. All zero is a pool of which nothing is used. */
uint64_t budget_pool_offer(struct budget_pool *pool, int64_t now);

/* `work` in steps. `seconds` of processor time, so that requests do not fail because the
 * machine is busy; 0: any. `memory` in bytes; 0: any. */
void budget_begin(struct budget *budget, uint64_t work, double seconds, size_t memory,
                  const int *connection);
/* What it has used, and so many steps more, is no longer in the pool. */
void budget_charge(const struct budget *budget, uint64_t more,
                   struct budget_pool *pool);

bool budget_look_(struct budget *budget);
bool budget_end_(struct budget *budget, enum budget_end why);

/* For work that has been bounded otherwise: only the clock and the client end it. Like
 * the two below it gives false when the budget is spent, from then on always. */
static inline bool budget_pass(struct budget *budget, uint64_t steps)
{
    if (steps >= budget->before_look)
        return budget_look_(budget);
    budget->before_look -= steps;
    return true;
}

static inline bool budget_spend(struct budget *budget, uint64_t steps)
{
    if (steps >= budget->work_left)
        return budget_end_(budget, BUDGET_WORK_DONE);
    budget->work_left -= steps;
    return budget_pass(budget, steps);
}

/* The reply has so many bytes by now: each that is new is a step of such work. */
static inline bool budget_pass_written(struct budget *budget, size_t length)
{
    size_t before = budget->written;
    budget->written = length;
    return budget_pass(budget, length - before);
}

bool budget_take_memory(struct budget *budget, size_t bytes);

#endif
