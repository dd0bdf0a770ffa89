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
 * On failure the cache keeps what it had. A root that is not there is no failure.
 * CONFLICT for a view that is older than what was seen (agent/tree/seen.h); `now` is in
 * seconds of a clock that only goes forward. */
int placement_fetch_tree(struct placement_fetch *fetch, int64_t now,
                         const struct observed **out, struct error *err);

/* Adds to observed->known_traits those of `names` that the server has. Asks only about
 * names whose existence is not known yet; a name that the server lacked is asked again
 * once something in the tree has changed. To be called after placement_fetch_tree(). */
int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err);

/* Puts those of `classes` that the root itself has inventory of into
 * observed->root_classes. Asks once until all is forgotten: on a host of nova-compute's the
 * root's generation moves all the time. To be called after placement_fetch_tree(). */
int placement_fetch_root(struct placement_fetch *fetch, const struct strlist *classes,
                         struct error *err);

/* One request about one provider. Departures raise no generation (DELETE /allocations,
 * and a PUT or POST that moves a consumer away), so that the tree cannot tell of them:
 * each provider that has allocations is asked for them in turn. And the same generation
 * is not the same contents after a restored database: after each such turn one part of
 * one provider is compared, the next in turn of all.
 *
 * *out becomes what is remembered, when that is still true as far as this one request
 * can tell; NULL when the tree must be fetched. Departures are in it by then; where
 * anything else was not as remembered, all of it is forgotten. */
int placement_fetch_one(struct placement_fetch *fetch, const struct observed **out,
                        struct error *err);
/* One request for each of `providers` (uuids) that has allocations, about them: where a
 * departure is to be known in the cycle after it. What it finds is in the tree that
 * placement_fetch_tree() gave. To be called after that. */
int placement_fetch_departures(struct placement_fetch *fetch,
                               const struct strlist *providers, struct error *err);
/* Something of the last tree was read anew, since its generation had moved. */
bool placement_fetch_moved(const struct placement_fetch *fetch);

/* What the agent itself did, from which on another view is an older one
 * (agent/tree/seen.h): the generation that a write gave; that it has made or deleted
 * the provider. */
void placement_fetch_wrote(struct placement_fetch *fetch, const char *provider,
                           int64_t generation);
void placement_fetch_remade(struct placement_fetch *fetch, const char *provider);

/* When a view that was older than what was seen had to be believed, as `now` of
 * placement_fetch_tree(): its database was restored or made anew, and may not know yet
 * what it is to know. 0: never. */
int64_t placement_fetch_replaced_at(const struct placement_fetch *fetch);

/* Drops all that is remembered, so that the next fetch reads everything: for a step
 * that failed in a way that shows that what we knew was wrong, and after a request that
 * failed: what answers next may be another database. */
void placement_fetch_forget(struct placement_fetch *fetch);

#endif
