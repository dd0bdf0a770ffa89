/*
 * random_events: what can happen in a random_world between two looks of the agent: by
 * guests, operators, the scheduler, the hardware, and by accident.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_EVENTS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_EVENTS_H

#include "tests/unit/agent/plan/random_world.h"

void chance_event(struct chance *c);
/* Between a look and what is done about it: the journal is in memory then. */
void chance_event_meanwhile(struct chance *c);

#endif
