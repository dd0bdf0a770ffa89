/*
 * parameters: which query parameters GET /allocation_candidates knows in
 * which microversion, and what upstream's JSON schema says of a query that has others.
 * Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_PARAMETERS_H
#define PLACEMENT_SERVER_CANDIDATES_PARAMETERS_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* Those of a group: followed by its suffix. */
enum group_parameter { IN_TREE, MEMBER_OF, REQUIRED, RESOURCES, NO_GROUP_PARAMETER };

/* `suffix` gets where it begins in `name`. */
enum group_parameter candidates_group_parameter(const char *name, int microversion,
                                                const char **suffix);

/* The names of all parameters, and the values of `limit` and `group_policy`. -1 with a
 * problem (400) in `reply`. */
int candidates_parameters_check(const struct request *request, struct reply *reply);

#endif
