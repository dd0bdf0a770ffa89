/*
 * random_events: what can happen in a random_world between two looks of the agent,
 * caused by guests, operators, the scheduler, the hardware or an accident.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_EVENTS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_EVENTS_H

#include "tests/unit/agent/plan/random_world.h"

void chance_event(struct chance *c);
/* An event between a look and the steps that follow from it: the journal is in memory
 * then, so it is not lost. */
void chance_event_meanwhile(struct chance *c);

#endif
