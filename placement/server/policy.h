/*
 * policy: who may do what. Each route names a rule ("placement:traits:list"); the rules
 * are upstream's of Placement 8.0, in the old form (role:admin may do all) beside the
 * new one (readers and admins with system scope) or in the new form alone, and what a
 * YAML file says in their place. One thread.
 */
#ifndef PLACEMENT_SERVER_POLICY_H
#define PLACEMENT_SERVER_POLICY_H

#include <stdbool.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "placement/server/identity.h"
#include "placement/server/reply.h"

struct policy;

struct policy_options {
    const char *file; /* YAML: a mapping of names to rules; NULL: none */
    bool file_may_be_missing;
    bool enforce_new_defaults; /* only the new form */
    bool enforce_scope;        /* all but /usages wants a token with system scope */
};

int policy_new(const struct policy_options *options, struct policy **out,
               struct error *err);
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

/* May `identity` do what `rule` guards, to something of `project_id` (which for most
 * rules is the identity's own)? 0, or -1 with 403. */
int policy_enforce(const struct policy *policy, const char *rule,
                   const struct identity *identity, const char *project_id,
                   struct reply *reply);

#endif
