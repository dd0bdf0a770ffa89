/*
 * random_checks: what must hold in a random_world, whatever happened. Each fails the
 * test where it does not.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_CHECKS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_CHECKS_H

#include "tests/unit/agent/plan/random_world.h"

/* What was on a provider that has gone is gone. To be called before the others. */
void chance_forget_foreign(struct chance *c);
/* What others have put onto providers is as it was. */
void chance_check_foreign(struct chance *c);
/* No device serves two, and no unit has two. */
void chance_check_journal(struct chance *c);
/* No more is reported than there is; of a world for which the last plan was made, and
 * carried out whole. */
void chance_check_capacities(struct chance *c);
/* All of it, of a world that has settled. */
void chance_check_settled(struct chance *c);
/* Until nothing is to be done, neither in sight of who uses the devices. */
void chance_settle(struct model *model);
/* Nobody gets what another's guest has: of a plan before it is carried out. */
void chance_check_owners(struct chance *c, const struct plan *plan);
/* In nova mode Nova is the one who makes, reports and removes. */
void chance_check_nova_steps(struct chance *c, const struct plan *plan);
/* For another root than the journal's nothing is done. */
void chance_check_root_steps(struct chance *c, const struct plan *plan);

#endif
