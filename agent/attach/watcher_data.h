/*
 * watcher_data: what watcher.c and watcher_news.c share: the watcher itself. Nobody else
 * includes this.
 */
#ifndef AGENT_ATTACH_WATCHER_DATA_H
#define AGENT_ATTACH_WATCHER_DATA_H

#include "agent/attach/lingering.h"
#include "agent/attach/watched.h"
#include "agent/attach/watcher.h"

struct watcher {
    /* Domains, and consumers in the table that have none. */
    struct map map;
    struct watched **all;
    size_t count;
    struct wanted_table table;
    bool connected;
    uint64_t
        connection;  /* grows with each; the results of an older one count no more */
    bool all_looked; /* each domain that was listed has been seen, or is gone */
    bool tell_all;
    uint64_t doubts; /* the number of the last question of that kind */
    uint64_t order;  /* of the last occasion that came due */
    struct lingering lingering;
};

/* When an early question about it (doubt.h) is of use; -1: not before the next input. */
int64_t watcher_asks_early_at(const struct watcher *watcher,
                              const struct watched *watched);

/* To be called where the consumer's state may have changed. */
void watcher_news_state(struct watcher *watcher, struct watched *watched, int64_t now);

#endif
