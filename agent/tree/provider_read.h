/*
 * provider_read: reads one provider from Placement: its inventories, traits and
 * allocations, one request each, each with the generation at which it was true. Keeps
 * nothing. One thread, the client's.
 */
#ifndef AGENT_TREE_PROVIDER_READ_H
#define AGENT_TREE_PROVIDER_READ_H

#include "agent/tree/observed.h"
#include "placement/client/client.h"

enum provider_part {
    PART_INVENTORIES,
    PART_TRAITS,
    PART_ALLOCATIONS,
    PROVIDER_PARTS,
};

/* Sends one request. Adds the part to `out`, which must not have it yet. */
int provider_read_part(struct placement_client *client, const char *uuid,
                       enum provider_part part, struct observed_provider *out,
                       int64_t *generation, struct error *err);
/* Reads all parts of out->provider as of one moment, and sets `detailed` and the
 * generation. CONFLICT when it changed during every attempt, or is older than
 * out->provider says. */
int provider_read_details(struct placement_client *client,
                          struct observed_provider *out, struct error *err);
/* Frees all parts. */
void provider_clear_details(struct observed_provider *provider);

/* Whether both are equal in that part. */
bool provider_same_part(const struct observed_provider *a,
                        const struct observed_provider *b, enum provider_part part);

#endif
