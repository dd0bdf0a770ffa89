/*
 * fetch: reads the providers of this host from Placement with as few requests as
 * possible. It caches the last struct observed. One GET of the tree tells which
 * providers' generations have changed, and only those are read again. An idle cycle is
 * that one request, or one that reads the allocations of a single provider.
 *
 * The agent's children (their uuid is uuid5 of the root's uuid and their name) are read
 * in detail, and so are children with a name that the agent or Nova would give a GPU:
 * the root's name, '_', a libvirt device name. Others are only listed.
 *
 * The root is looked up (agent/tree/root_identity.h) at the start, and again whenever
 * it is not found under its uuid: a root that was made anew with another uuid under the
 * same name is then found. A root that compute_id names and Placement does not have
 * gives `root_found` = false.
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

/* Brings the cache up to date. *out is borrowed and stays valid until the next call of
 * placement_fetch_tree(), placement_fetch_forget() or placement_fetch_free(). After a
 * failure the cache is as before. A missing root is no failure. CONFLICT for a view
 * that is older than what was seen (agent/tree/seen.h); `now` is in seconds of a clock
 * that only goes forward. */
int placement_fetch_tree(struct placement_fetch *fetch, int64_t now,
                         const struct observed **out, struct error *err);

/* Adds to observed->known_traits those of `names` that the server has. Requests only
 * names whose existence is not known yet; a name that the server did not have is
 * requested again after something in the tree has changed. To be called after
 * placement_fetch_tree(). */
int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err);

/* Sets observed->root_classes to those of `classes` that the root itself has inventory
 * of. Reads them once, until placement_fetch_forget(): on a host of nova-compute's the
 * root's generation changes all the time. To be called after placement_fetch_tree(). */
int placement_fetch_root(struct placement_fetch *fetch, const struct strlist *classes,
                         struct error *err);

/* Sends one request about one provider. The removal of allocations raises no generation
 * (DELETE /allocations, and a PUT or POST that moves a consumer away), so it does not
 * show in the tree. So the providers that have allocations are read in turn. And after
 * a restored database, equal generations do not mean equal contents: after each such
 * turn one part of one provider is compared, and the next part after the next turn.
 *
 * *out becomes the cached tree when it is still current as far as this one request can
 * tell, and NULL when the tree must be fetched. Removed allocations are gone from it by
 * then; when anything else differs, the whole cache is dropped. */
int placement_fetch_one(struct placement_fetch *fetch, const struct observed **out,
                        struct error *err);
/* Sends one request for each of `providers` (uuids) that has allocations, and reads
 * these: for providers whose removed allocations must be known in the next cycle. The
 * result is in the tree that placement_fetch_tree() gave. To be called after that. */
int placement_fetch_departures(struct placement_fetch *fetch,
                               const struct strlist *providers, struct error *err);
/* Adds to the cached tree what a consumer was seen to have, of which the tree shows
 * nothing yet, without reading its providers again: their generations stay as they were,
 * so that the next fetch does read them. The result is borrowed as
 * placement_fetch_tree()'s. NULL where nothing is cached, or the tree shows allocations of
 * the consumer. */
const struct observed *
placement_fetch_add_consumer(struct placement_fetch *fetch,
                             const struct consumer_allocations *have);
/* Whether the cached tree shows the same of the consumer, on the providers that were read
 * in detail. */
bool placement_fetch_knows(const struct placement_fetch *fetch,
                           const struct consumer_allocations *have);
/* Whether a part of the last tree was read anew, since its generation had changed. */
bool placement_fetch_moved(const struct placement_fetch *fetch);

/* Records what the agent itself has written, so that a view without it is known to be
 * an older one (agent/tree/seen.h): the generation that a write gave; that the agent
 * has made or deleted the provider. */
void placement_fetch_wrote(struct placement_fetch *fetch, const char *provider,
                           int64_t generation);
void placement_fetch_remade(struct placement_fetch *fetch, const char *provider);

/* The time (`now` of placement_fetch_tree()) at which a view that was older than what
 * was seen had to be accepted: the database was restored or made anew, and may lack
 * what it is still to get. 0: never. */
int64_t placement_fetch_replaced_at(const struct placement_fetch *fetch);

/* Drops the cache, so that the next fetch reads everything: after a step whose failure
 * shows that the cache was wrong, and after a request that failed, since another
 * database may answer next. */
void placement_fetch_forget(struct placement_fetch *fetch);

#endif
