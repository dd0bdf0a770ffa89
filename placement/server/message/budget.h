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

enum budget_end {
    BUDGET_LEFT,      /* the budget is not spent */
    BUDGET_WORK_DONE, /* all steps are used up */
    BUDGET_TIME_OVER,
    BUDGET_MEMORY_USED,
    BUDGET_CLIENT_GONE,
};

struct budget {
    enum budget_end end;   /* why it is spent */
    uint64_t work_left;    /* steps */
    uint64_t before_look;  /* steps until it looks at the clock and the client */
    size_t memory_left;    /* bytes */
    size_t written;        /* bytes of the reply that have been counted as steps */
    int64_t deadline;      /* of the thread's processor time, in nanoseconds; 0: none */
    const int *connection; /* the client's socket, borrowed; NULL: there is none */
};

/* `seconds` of processor time, so that requests do not fail because the machine is
 * busy; 0: any. `memory` in bytes; 0: any. */
void budget_begin(struct budget *budget, double seconds, size_t memory,
                  const int *connection);

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
