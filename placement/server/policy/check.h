/*
 * check: one rule of a policy in oslo.policy's language, parsed:
 *
 *     role:admin and system_scope:all
 *     rule:admin_api or (role:reader and project_id:%(project_id)s)
 *     @ (always), ! (never), not role:guest
 *
 * "rule:NAME" is another rule, "role:NAME" one of the roles in whatever case, every
 * other "WORD:TEXT" compares what is known of who asks (user_id, project_id, domain_id,
 * system_scope, user_domain_id, project_domain_id, is_admin_project, each of the roles;
 * of a service beside a user nothing is known: service_user_id and so on are None) or a
 * literal with the text, in which %(project_id)s and %(user_id)s stand for the
 * target's. Rules that ask another
 * server (http:) are not supported. One thread.
 */
#ifndef PLACEMENT_SERVER_POLICY_CHECK_H
#define PLACEMENT_SERVER_POLICY_CHECK_H

#include <stdbool.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "placement/server/message/identity.h"

/* Bounds the nesting of parentheses, which is refused beyond it, and how many rules
 * refer to the next one: policy_check_allows() follows no more, and then allows
 * nothing. A rule that leads straight to itself is as one that there is not: it is not
 * true. */
#define POLICY_CHECK_DEPTH 32

struct policy_check;

/* Parses a rule. An empty text always allows. ERROR_INVALID when it cannot be parsed.
 */
int policy_check_parse(const char *text, struct policy_check **out, struct error *err);
/* A check that allows what `a` or `b` allows. Takes ownership of both. */
struct policy_check *policy_check_either(struct policy_check *a,
                                         struct policy_check *b);
void policy_check_free(struct policy_check *check);
DEFINE_CLEANUP(struct policy_check *, policy_check_free)

/* Tells `tell` the name of each rule that it refers to; -1 ends that. */
int policy_check_references(const struct policy_check *check,
                            int (*tell)(void *context, const char *name,
                                        struct error *err),
                            void *context, struct error *err);

/* What a check is evaluated against. */
struct policy_question {
    const struct identity *identity;
    const char *project_id; /* the target's; NULL: "None" */
    const char *user_id;    /* the target's; NULL: it belongs to no user */
    /* Finds the rule that "rule:NAME" refers to; NULL when there is none. */
    const struct policy_check *(*rule)(const void *context, const char *name);
    const void *context;
};

bool policy_check_allows(const struct policy_check *check,
                         const struct policy_question *question);

#endif
