/*
 * paths: where the policy's files are. Absolute paths are as they are; relative
 * ones are looked for in the folders that the configuration came from, and then in
 * /etc/placement, as oslo.config does. Stateless.
 */
#ifndef PLACEMENT_SERVER_POLICY_PATHS_H
#define PLACEMENT_SERVER_POLICY_PATHS_H

#include "config/placementd_options.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* The policy file, NULL when there is none: only one that is called "policy.yaml", as
 * it is by default, may be missing. The caller frees. */
int policy_paths_file(const struct placementd_config *config,
                      const struct strlist *places, char **out, struct error *err);

/* Adds the folders of further policy files that exist to `out`. */
void policy_paths_folders(const struct placementd_config *config,
                          const struct strlist *places, struct strlist *out);

#endif
