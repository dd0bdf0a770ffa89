/*
 * cycle_problems: what came of a cycle, in words. Stateless.
 */
#ifndef AGENT_REPORT_CYCLE_PROBLEMS_H
#define AGENT_REPORT_CYCLE_PROBLEMS_H

#include "agent/cycle.h"
#include "agent/report/problems.h"

/* Adds all that is not well after this cycle: steps that failed, allocations
 * that are not met, GPUs that are gone. What the kernel is still at work on is told by
 * the next cycle, if it then still is. */
void cycle_problems(const struct cycle *cycle, struct problem_list *out);
/* True when all steps of the last round are done, no allocation waits for more, and the
 * plan names no problem. */
bool cycle_settled(const struct cycle *cycle);

#endif
