/*
 * tree_build: a new tree out of the list of its providers: what the old tree has of a
 * provider is kept where its generation has not changed, and the rest is read
 * (agent/tree/provider_read.h). What can be kept is only noted at first, so that the old
 * tree stays intact when a request fails. One thread, the client's.
 */
#ifndef AGENT_TREE_TREE_BUILD_H
#define AGENT_TREE_TREE_BUILD_H

#include "agent/tree/observed.h"
#include "agent/tree/pieces.h"
#include "config/config.h"
#include "placement/client/client.h"

struct tree_build {
    /* Of a tree that could not be read to its end, which goes on with them; borrowed. When
     * this one cannot be either, they get what it has read. */
    struct pieces *pieces;
    struct observed *observed;
    /* By index of observed->providers, of the old tree's or of the pieces; NULL: this one
     * was read anew. */
    struct observed_provider **kept;
    bool changed; /* a part was read anew, or providers have come or gone */
};

void tree_build_clear(struct tree_build *build);
#define _cleanup_tree_build_ _cleanup_(tree_build_clear)

/* Moves the root to the front and sorts the others by name. false when the root is not
 * in the list. */
bool tree_build_order(struct provider *list, size_t count, const char *root);

/* `build` must be all zero but for `pieces`. `list` has the root first, then the others
 * by name; their names become the tree's. Those of `expected` (uuids) are read whatever
 * they are named. `old` may be NULL, and stays as it is. */
int tree_build_make(struct tree_build *build, struct placement_client *client,
                    const struct config *config, const struct strlist *expected,
                    struct observed *old, struct provider *list, size_t count,
                    struct error *err);
/* Gives the pieces what was read anew, where the tree is not used. */
void tree_build_keep(struct tree_build *build);
/* Moves what is still current from the old tree (NULL: there is none) and the pieces to
 * the new one, and frees the old one and the other pieces. The caller frees the result. */
struct observed *tree_build_take_over(struct tree_build *build, struct observed *old);

#endif
