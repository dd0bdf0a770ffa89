/*
 * root_claim: decides whether the state file belongs to the root provider that was
 * found. A short host name (DNS not available at a start), an edited name or another
 * compute_id lead to another root, below which none of the host's allocations are.
 * Without this check every GPU would be reported twice, and every device would seem to
 * belong to nobody. Pure.
 */
#ifndef AGENT_PLAN_PROVIDERS_ROOT_CLAIM_H
#define AGENT_PLAN_PROVIDERS_ROOT_CLAIM_H

#include "agent/plan/world/input.h"

/* True when the state file belongs to another root, as far as that can be known: by the
 * root that it names or, in a file of an older version, by its providers. False where
 * Placement was not read. */
bool root_is_another(const struct plan_input *in);
/* The problem as a text for an operator. The caller frees. */
char *root_problem(const struct plan_input *in);

#endif
