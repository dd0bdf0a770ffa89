#include "placement/model.h"

#include <stdlib.h>
#include <string.h>

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

bool inventory_equal(const struct inventory *a, const struct inventory *b)
{
    return a->total == b->total && a->reserved == b->reserved &&
           a->min_unit == b->min_unit && a->max_unit == b->max_unit &&
           a->step_size == b->step_size && a->allocation_ratio == b->allocation_ratio;
}

const struct inventory *class_inventory_find(const struct class_inventory *items,
                                             size_t count, const char *resource_class)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].resource_class, resource_class) == 0)
            return &items[i].inventory;
    return NULL;
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

void consumer_allocations_clear(struct consumer_allocations *allocations)
{
    for (size_t i = 0; i < allocations->count; i++)
        free(allocations->items[i].resource_class);
    free(allocations->items);
    *allocations = (struct consumer_allocations){0};
}

void provider_allocations_free(struct provider_allocation *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].resource_class);
    free(items);
}
