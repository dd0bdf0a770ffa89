#include "agent/tree/observed.h"

#include <stdlib.h>
#include <string.h>

void observed_provider_clear(struct observed_provider *provider)
{
    provider_clear(&provider->provider);
    class_inventories_free(provider->inventories, provider->inventory_count);
    strlist_clear(&provider->traits);
    provider_allocations_free(provider->allocations, provider->allocation_count);
}

void observed_free(struct observed *observed)
{
    if (!observed)
        return;
    for (size_t i = 0; i < observed->provider_count; i++)
        observed_provider_clear(&observed->providers[i]);
    free(observed->providers);
    free(observed->root_name);
    strlist_clear(&observed->known_traits);
    strlist_clear(&observed->root_classes);
    free(observed);
}

const struct observed_provider *observed_by_uuid(const struct observed *observed,
                                                 const char *uuid)
{
    for (size_t i = 0; i < observed->provider_count; i++)
        if (strcmp(observed->providers[i].provider.uuid, uuid) == 0)
            return &observed->providers[i];
    return NULL;
}

const struct observed_provider *observed_by_name(const struct observed *observed,
                                                 const char *name)
{
    for (size_t i = 0; i < observed->provider_count; i++)
        if (strcmp(observed->providers[i].provider.name, name) == 0)
            return &observed->providers[i];
    return NULL;
}

bool observed_has_consumer(const struct observed *observed, const char *consumer)
{
    for (size_t i = 0; i < observed->provider_count; i++)
        for (size_t j = 0; j < observed->providers[i].allocation_count; j++)
            if (strcmp(observed->providers[i].allocations[j].consumer, consumer) == 0)
                return true;
    return false;
}
