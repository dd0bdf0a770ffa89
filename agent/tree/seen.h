/*
 * seen: the newest state of Placement that was seen, by which an older view is
 * recognised: a read replica that lags shows a past state, and a database that was
 * restored from a backup or made anew shows a state that never comes back to the
 * present one. Either would have the agent remove devices whose allocations exist. So
 * such a view is refused at first, and accepted only when it has persisted for
 * SEEN_PATIENCE. What was seen is in the state file, so that a restart, a reload and a
 * command know it as well. Pure: no I/O, no clock.
 */
#ifndef AGENT_TREE_SEEN_H
#define AGENT_TREE_SEEN_H

#include "agent/state/journal.h"
#include "agent/tree/observed.h"
#include "lib/error.h"
#include "placement/model.h"

/* In seconds: how long an older view is refused; how long, after it was accepted, devices
 * without an allocation are kept. */
#define SEEN_PATIENCE 60
#define KEEP_AFTER_REPLACEMENT 3600

/* To be called with a state file that was just read. Where it does not say what was seen,
 * as those of older versions, the providers below the root that it names were, and with
 * them the root; one without any may have been adopted before it was made. */
void seen_begin(struct journal *journal);

/* Records that the provider has this generation by a write of our own. True when the
 * journal has changed. */
bool seen_note(struct journal *journal, const char *uuid, int64_t generation);
/* Forgets a provider that the agent itself has made or deleted: its earlier generations
 * say nothing about it any more. True when the journal has changed. */
bool seen_drop(struct journal *journal, const char *uuid);

/* Why the view is older than what was seen, as a text that the caller frees; NULL: it is
 * not. `list` is the whole tree, or empty where there is no root. It is older where a
 * provider has a lower generation than before, the root is missing, all of several other
 * providers are, or one is whose devices were allocated: Placement deletes no provider
 * that has allocations. */
char *seen_older(const struct journal *journal, const struct provider *list,
                 size_t count);

/* Whether the tree has an allocation for each device that stands for one. Then nothing is
 * lost by believing it. */
bool seen_has_all(const struct journal *journal, const struct observed *tree);

/* For a view that is older, because of `older`. CONFLICT until it has been older for
 * SEEN_PATIENCE; 0: it may be accepted, and nothing that was read before may be kept.
 * `now` is in seconds of boot_clock. *changed is set to true when the journal has
 * changed. */
int seen_doubt(struct journal *journal, const char *older, int64_t now, bool *changed,
               struct error *err);
/* Records that such a view was accepted: once it was read to its end, since the doubt
 * would begin anew otherwise. */
void seen_accept(struct journal *journal, int64_t now);

/* Records the tree as the newest view: the root, the providers that are read in detail,
 * and those that were once and are still listed. True when the journal has changed and is to be saved: the root's generation
 * alone, which other services raise all the time, is not worth it. */
bool seen_take(struct journal *journal, const struct observed *tree);

#endif
