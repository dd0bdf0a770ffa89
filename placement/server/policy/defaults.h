/*
 * defaults: the rules that upstream comes with, by release. Up to Zed (8.0) they tell
 * administrators and readers of the system (a token with system scope) from those of a
 * project; since 2023.1 they let in the roles admin and service of any project, and no
 * token with system scope. 2024.2 only enforces what 2023.1 has, which is the
 * configuration's. Constant data.
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
    bool was_admin; /* in the deprecated form role:admin was enough */
};

/* Gives the rule of that index, counted from 0, of the release; false at the end. */
bool policy_default_at(enum policy_release release, size_t index,
                       struct policy_default *out);

/* The name of the rule in policy files, "placement:traits:list"; NULL for POLICY_OPEN.
 */
const char *policy_rule_name(enum policy_rule rule);

/* Whether `rule` is meant for tokens of the scope that this identity's token has. */
bool policy_default_fits_scope(enum policy_release release, enum policy_rule rule,
                               const struct identity *identity);

#endif
