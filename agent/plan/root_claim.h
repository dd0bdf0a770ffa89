/*
 * root_claim: is the root provider that was found the one that the state file belongs
 * to? A short host name (DNS away at a start), an edited name or another compute_id lead
 * to another root, below which none of the host's allocations are: every GPU would be
 * reported twice, and every device seem to be nobody's. Pure.
 */
#ifndef AGENT_PLAN_ROOT_CLAIM_H
#define AGENT_PLAN_ROOT_CLAIM_H

#include "agent/plan/plan.h"

/* The state file tells of another root's things, as far as can be seen: by the root
 * that it names or, in a file of an older version, by its providers. Not so where
 * Placement was not read. */
bool root_is_another(const struct plan_input *in);
/* What an operator should know of that. The caller frees. */
char *root_problem(const struct plan_input *in);

#endif
