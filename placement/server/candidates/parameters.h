/*
 * parameters: which query parameters GET /allocation_candidates knows in
 * which microversion, and what upstream's JSON schema says of a query that has others.
 * Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_PARAMETERS_H
#define PLACEMENT_SERVER_CANDIDATES_PARAMETERS_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* The parameters of a request group, whose suffix follows the name. */
enum group_parameter { IN_TREE, MEMBER_OF, REQUIRED, RESOURCES, NO_GROUP_PARAMETER };

/* Which parameter of a group `name` is; *suffix points to the suffix in `name`. */
enum group_parameter candidates_group_parameter(const char *name, int microversion,
                                                const char **suffix);

/* Checks the names of all parameters, and the values of `limit` and `group_policy`.
 * Returns 0, or -1 with a problem (400) in `reply`. */
int candidates_parameters_check(const struct request *request, struct reply *reply);

#endif
