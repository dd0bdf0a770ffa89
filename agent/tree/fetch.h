/*
 * fetch: what Placement has of this host, read with as few requests as can
 * be. It keeps the last struct observed; one GET of the tree tells which providers'
 * generations moved, and only those are read again. An idle cycle is that one request,
 * or one that asks a provider for its allocations.
 *
 * Read in detail are the agent's children (their uuid is uuid5 of the root's uuid and
 * their name) and those with a name that the agent or Nova would give a GPU: the root's
 * name, '_', a libvirt device name. Others are listed only.
 *
 * The root is looked up (agent/tree/root_identity.h) at first, and again whenever it is not
 * where it was: a root that was made anew with another uuid under the same name is then
 * found; one that compute_id names and Placement does not have is `root_found` = false.
 *
 * One thread. The client and the configuration are borrowed for the whole life.
 */
#ifndef AGENT_TREE_FETCH_H
#define AGENT_TREE_FETCH_H

#include "agent/tree/observed.h"
#include "config/config.h"
#include "placement/client/client.h"

struct placement_fetch;

struct placement_fetch *placement_fetch_new(struct placement_client *client,
                                            const struct config *config);
void placement_fetch_free(struct placement_fetch *fetch);
DEFINE_CLEANUP(struct placement_fetch *, placement_fetch_free)

/* Makes the cache current. *out is borrowed and stays valid until the next call of
 * placement_fetch_tree(), placement_fetch_forget() or placement_fetch_free().
 * On failure the cache keeps what it had. A root that is not there is no failure. */
int placement_fetch_tree(struct placement_fetch *fetch, const struct observed **out,
                         struct error *err);

/* Adds to observed->known_traits those of `names` that the server has. Asks only about
 * names whose existence is not known yet; a name that the server lacked is asked again
 * once something in the tree has changed. To be called after placement_fetch_tree(). */
int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err);

/* In place of placement_fetch_tree() where nothing is known to have changed: DELETE
 * /allocations leaves a provider's generation as it was (all other ways to change an
 * allocation raise it), so the tree cannot tell of it. Asks one provider, the next in
 * turn of those that have allocations, for them. *out becomes what is remembered, when
 * that is still true as far as this one request can tell; NULL when the tree must be
 * fetched. */
int placement_fetch_allocations(struct placement_fetch *fetch,
                                const struct observed **out, struct error *err);

/* Drops all that is remembered, so that the next fetch reads everything: for a step
 * that failed in a way that shows that what we knew was wrong. */
void placement_fetch_forget(struct placement_fetch *fetch);

#endif
