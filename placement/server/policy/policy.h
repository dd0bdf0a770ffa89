/*
 * policy: who may do what. Each route names a rule; the rules
 * are upstream's (policy/defaults.h), in the old form (role:admin may do all) beside
 * the new one or in the new form alone, and what files say in their place. One thread.
 */
#ifndef PLACEMENT_SERVER_POLICY_POLICY_H
#define PLACEMENT_SERVER_POLICY_POLICY_H

#include <stdbool.h>

#include "config/placementd_options.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "placement/server/message/identity.h"
#include "placement/server/message/reply.h"

struct policy;

/* What the routes ask for; policy files name them "placement:resource_classes:list" and
 * so on. */
enum policy_rule {
    POLICY_OPEN, /* no rule: allowed to all */
    POLICY_RESOURCE_CLASSES_LIST,
    POLICY_RESOURCE_CLASSES_CREATE,
    POLICY_RESOURCE_CLASSES_SHOW,
    POLICY_RESOURCE_CLASSES_UPDATE,
    POLICY_RESOURCE_CLASSES_DELETE,
    POLICY_RESOURCE_PROVIDERS_LIST,
    POLICY_RESOURCE_PROVIDERS_CREATE,
    POLICY_RESOURCE_PROVIDERS_SHOW,
    POLICY_RESOURCE_PROVIDERS_UPDATE,
    POLICY_RESOURCE_PROVIDERS_DELETE,
    POLICY_RESOURCE_PROVIDERS_INVENTORIES_LIST,
    POLICY_RESOURCE_PROVIDERS_INVENTORIES_CREATE,
    POLICY_RESOURCE_PROVIDERS_INVENTORIES_SHOW,
    POLICY_RESOURCE_PROVIDERS_INVENTORIES_UPDATE,
    POLICY_RESOURCE_PROVIDERS_INVENTORIES_DELETE,
    POLICY_RESOURCE_PROVIDERS_USAGES,
    POLICY_RESOURCE_PROVIDERS_AGGREGATES_LIST,
    POLICY_RESOURCE_PROVIDERS_AGGREGATES_UPDATE,
    POLICY_RESOURCE_PROVIDERS_TRAITS_LIST,
    POLICY_RESOURCE_PROVIDERS_TRAITS_UPDATE,
    POLICY_RESOURCE_PROVIDERS_TRAITS_DELETE,
    POLICY_RESOURCE_PROVIDERS_ALLOCATIONS_LIST,
    POLICY_ALLOCATIONS_MANAGE,
    POLICY_ALLOCATIONS_LIST,
    POLICY_ALLOCATIONS_UPDATE,
    POLICY_ALLOCATIONS_DELETE,
    POLICY_ALLOCATION_CANDIDATES_LIST,
    POLICY_TRAITS_LIST,
    POLICY_TRAITS_SHOW,
    POLICY_TRAITS_UPDATE,
    POLICY_TRAITS_DELETE,
    POLICY_USAGES,
    POLICY_RESHAPER_RESHAPE,
    POLICY_RULES
};

struct policy_options {
    const char *file;              /* see policy/file.h; NULL: none */
    const struct strlist *folders; /* folders with further such files; NULL: none */
    enum policy_release release;
    bool enforce_new_defaults; /* without the deprecated form */
    bool enforce_scope;        /* refuse tokens whose scope the rule is not made for */
};

int policy_new(const struct policy_options *options, struct policy **out,
               struct error *err);
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

/* May `identity` do what `rule` guards, to something of `project_id` (NULL: none) and
 * `user_id` (NULL: nobody's)? 0, or -1 with 403. */
int policy_enforce(const struct policy *policy, enum policy_rule rule,
                   const struct identity *identity, const char *project_id,
                   const char *user_id, struct reply *reply);

#endif
