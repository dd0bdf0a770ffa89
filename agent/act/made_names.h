/*
 * made_names: traits and resource classes that the agent itself has made in Placement,
 * which others may use by now, and the deletion of those that nobody uses. A name is
 * the agent's only when its own request made it, as the journal says: one that was
 * there already is not, whoever made it.
 */
#ifndef AGENT_ACT_MADE_NAMES_H
#define AGENT_ACT_MADE_NAMES_H

#include "agent/desired/desired.h"
#include "agent/state/journal.h"
#include "placement/client/client.h"

/* Adds those of the journal that the configuration has no use for. */
void made_names_unwanted(const struct journal *journal, const struct config *config,
                         const struct desired_tree *desired, struct strlist *traits,
                         struct strlist *classes);

/* Deletes these names from Placement, which refuses where a provider has one: it stays.
 * Those that are gone are dropped from the journal, which the caller saves; *changed is
 * true then. Goes on to the end; the error is the first one. */
int made_names_delete(struct placement_client *client, const struct strlist *traits,
                      const struct strlist *classes, struct journal *journal,
                      bool *changed, struct error *err);

#endif
