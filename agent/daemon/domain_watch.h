/*
 * domain_watch: libvirt's domains as its files have them, read again only when a file
 * was made, replaced or removed: libvirt never writes into one. Where nothing has
 * changed, that costs two calls of stat(2). One thread.
 */
#ifndef AGENT_DAEMON_DOMAIN_WATCH_H
#define AGENT_DAEMON_DOMAIN_WATCH_H

#include <time.h>

#include "agent/host/device_use.h"

/* All zero: nothing was read yet. */
struct domain_watch {
    bool
        known; /* `seen` and `unseen` are from the folders as they were at these times */
    struct timespec running, defined;
    struct domains seen;
    struct domains_unseen unseen;
};

void domain_watch_look(struct domain_watch *watch, const struct use_places *places);
void domain_watch_clear(struct domain_watch *watch);

#endif
