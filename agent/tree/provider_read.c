#include "agent/tree/provider_read.h"

#include <stdlib.h>
#include <string.h>

/* How often a provider that changes during the read is read again. */
#define MOST_READS 5

/* ---- reading ---- */

void provider_clear_details(struct observed_provider *provider)
{
    class_inventories_free(provider->inventories, provider->inventory_count);
    strlist_clear(&provider->traits);
    provider_allocations_free(provider->allocations, provider->allocation_count);
    provider->inventories = NULL;
    provider->allocations = NULL;
    provider->inventory_count = provider->allocation_count = 0;
}

int provider_read_part(struct placement_client *client, const char *uuid,
                       enum provider_part part, struct observed_provider *out,
                       int64_t *generation, struct error *err)
{
    switch (part) {
    case PART_INVENTORIES:
        return placement_get_inventories(client, uuid, &out->inventories,
                                         &out->inventory_count, generation, err);
    case PART_TRAITS:
        return placement_get_provider_traits(client, uuid, &out->traits, generation,
                                             err);
    default:
        return placement_get_provider_allocations(
            client, uuid, &out->allocations, &out->allocation_count, generation, err);
    }
}

static int read_parts(struct placement_client *client, struct observed_provider *out,
                      int64_t generations[PROVIDER_PARTS], struct error *err)
{
    provider_clear_details(out);
    for (enum provider_part part = 0; part < PROVIDER_PARTS; part++)
        if (provider_read_part(client, out->provider.uuid, part, out,
                               &generations[part], err) != 0)
            return -1;
    return 0;
}

int provider_read_details(struct placement_client *client,
                          struct observed_provider *out, struct error *err)
{
    for (unsigned i = 0; i < MOST_READS; i++) {
        int64_t generations[PROVIDER_PARTS];
        if (read_parts(client, out, generations, err) != 0)
            return -1;
        /* A generation lower than in the list means that a replica with older data has
         * answered. */
        if (generations[0] == generations[1] && generations[0] == generations[2] &&
            generations[0] >= out->provider.generation) {
            out->provider.generation = generations[0];
            out->detailed = true;
            return 0;
        }
    }
    return error_set(err, ERROR_CONFLICT,
                     "provider %s changed, or was older than the tree, each of the %u "
                     "times that it was read",
                     out->provider.name, MOST_READS);
}

/* ---- comparing ---- */

static bool same_allocations(const struct observed_provider *a,
                             const struct observed_provider *b)
{
    if (a->allocation_count != b->allocation_count)
        return false;
    for (size_t i = 0; i < a->allocation_count; i++) {
        const struct provider_allocation *x = &a->allocations[i],
                                         *y = &b->allocations[i];
        if (strcmp(x->consumer, y->consumer) != 0 ||
            strcmp(x->resource_class, y->resource_class) != 0 || x->amount != y->amount)
            return false;
    }
    return true;
}

/* Both are sorted by class. */
static bool same_inventories(const struct observed_provider *a,
                             const struct observed_provider *b)
{
    if (a->inventory_count != b->inventory_count)
        return false;
    for (size_t i = 0; i < a->inventory_count; i++)
        if (strcmp(a->inventories[i].resource_class,
                   b->inventories[i].resource_class) != 0 ||
            !inventory_equal(&a->inventories[i].inventory,
                             &b->inventories[i].inventory))
            return false;
    return true;
}

bool provider_same_part(const struct observed_provider *a,
                        const struct observed_provider *b, enum provider_part part)
{
    switch (part) {
    case PART_INVENTORIES:
        return same_inventories(a, b);
    case PART_TRAITS:
        return strlist_equal(&a->traits, &b->traits);
    default:
        return same_allocations(a, b);
    }
}
