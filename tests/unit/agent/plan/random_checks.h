/*
 * random_checks: what must hold in a random_world, whatever has happened. Each check
 * fails the test where it does not hold.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_CHECKS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_CHECKS_H

#include "tests/unit/agent/plan/random_world.h"

/* Forgets foreign values on providers that no longer exist. To be called before the
 * other checks. */
void chance_forget_foreign(struct chance *c);
/* Foreign values on providers must be unchanged. */
void chance_check_foreign(struct chance *c);
/* No device may meet two allocations, and no unit may have two devices. */
void chance_check_journal(struct chance *c);
/* No provider may report more than there is. The world's last plan must have been made
 * and carried out completely. */
void chance_check_capacities(struct chance *c);
/* Makes all checks on a world that has settled. */
void chance_check_settled(struct chance *c);
/* Plans and executes until nothing is to be done, with and without knowing who uses the
 * devices. */
void chance_settle(struct model *model);
/* No consumer may get a device that another's guest has. To be called before the plan
 * is carried out. */
void chance_check_owners(struct chance *c, const struct plan *plan);
/* In nova mode only Nova may make devices, report inventories and remove devices. */
void chance_check_nova_steps(struct chance *c, const struct plan *plan);
/* Where the root is not the journal's, the plan may only make lost devices again, and
 * must report the problem. */
void chance_check_root_steps(struct chance *c, const struct plan *plan);

#endif
