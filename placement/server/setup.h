/*
 * setup: the parts that a server is made of, each opened as the configuration says. What
 * they do then is server.c's. The caller ends what it is given.
 */
#ifndef PLACEMENT_SERVER_SETUP_H
#define PLACEMENT_SERVER_SETUP_H

#include "config/placementd_options.h"
#include "lib/error.h"
#include "placement/server/auth/auth.h"
#include "placement/server/http/http.h"
#include "placement/server/policy/policy.h"
#include "placement/server/server.h"
#include "placement/server/store/store.h"

/* Opens the log, anew where it is open. NOT_FOUND and FORBIDDEN are of the file that the
 * configuration names. */
int setup_log(const struct placementd_config *config, struct error *err);
/* The same of its files. */
int setup_policy(const struct server_options *options, struct policy **out,
                 struct error *err);
int setup_store(const struct placementd_config *config, struct store **out,
                struct error *err);
/* Those that Keystone is asked about; *out stays as it is where it is not asked. */
int setup_tokens(const struct placementd_config *config, struct tokens **out,
                 struct error *err);
/* A descriptor from which SIGTERM, SIGINT and SIGHUP are read. */
int setup_signals(int *out, struct error *err);
/* Descriptors are needed for each connection, for lingering ones, and for the server
 * itself. */
void setup_descriptor_limit(unsigned connections);

int setup_api(const struct server_options *options, const struct http_hooks *hooks,
              struct http **out, struct error *err);
/* *out stays as it is where `address` is NULL. */
int setup_metrics(const char *address, const struct http_hooks *hooks,
                  struct http **out, struct error *err);

#endif
