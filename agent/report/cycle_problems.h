/*
 * cycle_problems: the problems that a cycle has found, as texts. Stateless.
 */
#ifndef AGENT_REPORT_CYCLE_PROBLEMS_H
#define AGENT_REPORT_CYCLE_PROBLEMS_H

#include "agent/cycle.h"
#include "agent/report/problems.h"

/* Adds all problems after this cycle: steps that failed, allocations that are not met,
 * GPUs that are gone. An operation that still runs in the kernel is no problem yet; a
 * later cycle reports it if it has not ended by then. */
void cycle_problems(const struct cycle *cycle, struct problem_list *out);
/* Whether all steps of the last round are done, no allocation waits for devices, and
 * the plan has no problem. */
bool cycle_settled(const struct cycle *cycle);

#endif
