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
    /* folders in which relative paths of the configuration are looked for, in this
     * order */
    const struct strlist *places;
    bool anywhere; /* noauth2 may listen beyond loopback */
};

/* Runs until a signal ends it. 0, or -1 when it could not start. */
int server_run(const struct server_options *options, struct error *err);

#endif
