/*
 * match: may this provider fill that slot, looked at alone? What several
 * slots ask of one provider together is candidates_search's matter. Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_MATCH_H
#define PLACEMENT_SERVER_CANDIDATES_MATCH_H

#include "placement/server/candidates/slots.h"

/* `anchor` is the root of the tree that the candidate is about; `provider` is in that
 * tree or shares with it. A group without a suffix counts what the anchor is a member
 * of for the whole tree, and leaves its required traits to all its providers together.
 */
bool candidates_match(const struct slot *slot, const struct resource_provider *provider,
                      const struct resource_provider *anchor);

/* Whether any provider at all meets the member_of of the group. False also when the
 * budget is spent. */
bool candidates_has_member(const struct wanted *wanted, struct budget *budget);

bool candidates_has_any_trait(const struct resource_provider *provider,
                              const struct trait_list *traits);
bool candidates_in_any_aggregate(const struct resource_provider *provider,
                                 const struct aggregate_list *list);

#endif
