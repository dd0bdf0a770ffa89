/*
 * provider_read: what Placement has on one provider: its inventories, traits and
 * allocations, each a request of its own, and each with the generation that it was true
 * at. Keeps nothing. One thread, the client's.
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

/* One request. `out` has nothing of that part yet, and gets it. */
int provider_read_part(struct placement_client *client, const char *uuid,
                       enum provider_part part, struct observed_provider *out,
                       int64_t *generation, struct error *err);
/* All parts of out->provider, as they were at one moment; sets `detailed` and the
 * generation. CONFLICT when it never rests, or is older than out->provider says. */
int provider_read_details(struct placement_client *client,
                          struct observed_provider *out, struct error *err);
/* Frees all parts. */
void provider_clear_details(struct observed_provider *provider);

/* Whether both have the same of it. */
bool provider_same_part(const struct observed_provider *a,
                        const struct observed_provider *b, enum provider_part part);

#endif
