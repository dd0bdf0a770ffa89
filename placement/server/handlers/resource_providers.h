/*
 * resource_providers: a provider as JSON, for those who list some.
 */
#ifndef PLACEMENT_SERVER_HANDLERS_RESOURCE_PROVIDERS_H
#define PLACEMENT_SERVER_HANDLERS_RESOURCE_PROVIDERS_H

#include "lib/json_write.h"
#include "placement/server/graph/graph.h"

void resource_provider_write(struct json_writer *w,
                             const struct resource_provider *provider,
                             int microversion);

#endif
