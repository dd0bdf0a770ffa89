#include "placement/model.h"

#include <stdlib.h>

void provider_clear(struct provider *provider)
{
    free(provider->name);
    *provider = (struct provider){0};
}

void providers_free(struct provider *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        provider_clear(&items[i]);
    free(items);
}

void class_inventories_free(struct class_inventory *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].resource_class);
    free(items);
}

void class_usages_free(struct class_usage *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].resource_class);
    free(items);
}

void provider_allocations_free(struct provider_allocation *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].resource_class);
    free(items);
}
