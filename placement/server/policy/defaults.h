/*
 * defaults: the rules that upstream comes with, of two of its releases. Up to
 * Zed (8.0) they tell administrators and readers of the system (a token with system
 * scope) from those of a project; since 2023.1 they let in the roles admin and service
 * of any project, and no token with system scope. Constant data.
 */
#ifndef PLACEMENT_SERVER_POLICY_DEFAULTS_H
#define PLACEMENT_SERVER_POLICY_DEFAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "placement/server/policy/policy.h"

/* The deprecated rule that those with `was_admin` stand for, as policy files name it.
 */
#define POLICY_OLD_NAME "rule:admin_api"
#define POLICY_OLD_RULE "role:admin"

struct policy_default {
    const char *name, *rule;
    bool was_admin; /* in the old form, role:admin was enough */
};

/* The release's rule of that index, from 0; false when there are no more. */
bool policy_default_at(enum policy_release release, size_t index,
                       struct policy_default *out);

/* As policy files name it: "placement:traits:list". NULL for POLICY_OPEN. */
const char *policy_rule_name(enum policy_rule rule);

/* Is `rule` made for tokens of the scope that this one has? */
bool policy_default_fits_scope(enum policy_release release, enum policy_rule rule,
                               const struct identity *identity);

#endif
