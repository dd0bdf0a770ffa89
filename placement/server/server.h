/*
 * server: the running placementd: HTTP, the API and the store in one loop on one
 * thread. Requests that are ready together share one commit. SIGTERM and SIGINT let the
 * requests that have begun be answered and end it; SIGHUP reads the policy and the
 * certificate again and opens the log again.
 */
#ifndef PLACEMENT_SERVER_SERVER_H
#define PLACEMENT_SERVER_SERVER_H

#include <stdbool.h>

#include "config/placementd_options.h"
#include "lib/error.h"

struct server_options {
    const struct placementd_config *config;
    const struct strlist *places; /* folders in which its relative paths are looked for,
                                     the first one first */
    bool anywhere;                /* noauth2 may listen beyond loopback */
};

/* Returns when it was told to end; 0, or -1 when it could not start. */
int server_run(const struct server_options *options, struct error *err);

#endif
