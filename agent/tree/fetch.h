/*
 * fetch: reads the providers of this host from Placement with as few requests as
 * possible. It caches the last struct observed. One GET of the tree tells which
 * providers' generations have changed, and only those are read again. An idle cycle is
 * that one request, or one that reads the allocations of a single provider.
 *
 * The agent's children, and those with a name that the agent or Nova would give a GPU
 * (agent/tree/ours.h), are read in detail, and so are those of placement_fetch_expect().
 * Others are only listed.
 *
 * The root is looked up (agent/tree/root_identity.h) at the start, and again whenever
 * it is not found under its uuid: a root that was made anew with another uuid under the
 * same name is then found. A root that compute_id names and Placement does not have
 * gives `root_found` = false.
 *
 * One thread. The client and the configuration are borrowed for the whole life, the
 * journal until placement_fetch_set_journal(): what was seen of Placement is noted in
 * it, and by that an older view is recognised (agent/tree/seen.h).
 */
#ifndef AGENT_TREE_FETCH_H
#define AGENT_TREE_FETCH_H

#include "agent/state/journal.h"
#include "agent/tree/observed.h"
#include "config/config.h"
#include "placement/client/client.h"

struct placement_fetch;

struct placement_fetch *placement_fetch_new(struct placement_client *client,
                                            const struct config *config,
                                            struct journal *journal);
void placement_fetch_set_journal(struct placement_fetch *fetch,
                                 struct journal *journal);
void placement_fetch_free(struct placement_fetch *fetch);
DEFINE_CLEANUP(struct placement_fetch *, placement_fetch_free)

/* Brings the cache up to date. *out is borrowed and stays valid until the next call of
 * placement_fetch_tree(), placement_fetch_forget() or placement_fetch_free(). After a
 * failure the cache is as before (dropped for a view that is older and was so for long
 * enough), and what was read is kept for the next call. A missing
 * root is no failure. CONFLICT for a view that is older than what was seen; the first one
 * of this fetch's may be another Placement that an operator has named, and is accepted at
 * once where it has an allocation for each device. A root that the journal does not name
 * is not judged. `now` is in seconds of boot_clock. */
int placement_fetch_tree(struct placement_fetch *fetch, int64_t now,
                         const struct observed **out, struct error *err);

/* Names the uuids of the providers that are the agent's, as far as is known: they are
 * read in detail whatever their names are, since somebody may have renamed one. True when
 * the last tree has such a provider that was not, and was not named before, so that it
 * could not be: then the tree must be fetched again.
 * The list is copied. */
bool placement_fetch_expect(struct placement_fetch *fetch, const struct strlist *uuids);

/* Adds to observed->known_traits those of `names` that the server has. Requests only
 * names whose existence is not known yet; a name that the server did not have is
 * requested again after something in the tree has changed, or a request has failed. To be called after
 * placement_fetch_tree(). */
int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err);

/* Sets observed->root_classes to those of `classes` that the root itself has inventory
 * of. Reads them once, until placement_fetch_forget() or placement_fetch_doubt(): on a
 * host of nova-compute's the root's generation changes all the time. To be called after placement_fetch_tree(). */
int placement_fetch_root(struct placement_fetch *fetch, const struct strlist *classes,
                         struct error *err);

/* Sends one request about one provider, for what the generations in the tree do not show
 * (agent/tree/recheck.h).
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

/* Whether the journal has changed since the last call, and is to be saved. */
bool placement_fetch_take_news(struct placement_fetch *fetch);

/* Drops the cache, so that the next fetch reads everything: after a step whose failure
 * shows that the cache was wrong. */
void placement_fetch_forget(struct placement_fetch *fetch);
/* After a request that failed: nothing but placement_fetch_tree() uses the cache before
 * it has succeeded, and placement_fetch_one() then compares a part first, since another
 * database may answer now. What placement_fetch_tree() does not read is asked for again
 * from the second tree on. All hosts meet the same outage: if each read everything
 * anew after it, Placement had many times its usual load in the moment of its return,
 * and would fail again. */
void placement_fetch_doubt(struct placement_fetch *fetch);

#endif
