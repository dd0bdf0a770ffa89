/*
 * model: what the Placement API is about, as plain data that client, server and agent
 * share. JSON for these is in placement/codec.
 *
 * Uuids are text in lower case (lib/uuid.h). Amounts and generations are integers as
 * the API has them: amounts are 32-bit in upstream's database (1 to 2147483647),
 * generations only ever compared and passed on.
 */
#ifndef PLACEMENT_MODEL_H
#define PLACEMENT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

#define PLACEMENT_MAX_AMOUNT 2147483647
#define PLACEMENT_MAX_NAME 255 /* traits, resource classes */
#define PLACEMENT_MAX_PROVIDER_NAME 200

/* A resource provider. `root` is its own uuid for a root; `parent` is "" for a root. */
struct provider {
    char uuid[UUID_TEXT_SIZE];
    char root[UUID_TEXT_SIZE];
    char parent[UUID_TEXT_SIZE];
    char *name;
    int64_t generation;
};

/* What a provider has of one resource class. Placement takes any allocation_ratio, also
 * 0 and one below it: then nothing can be allocated. */
struct inventory {
    int64_t total, reserved, min_unit, max_unit, step_size;
    double allocation_ratio;
};

/* (total - reserved) * allocation_ratio, not rounded: Placement compares what is used
 * with the exact number. */
static inline double inventory_capacity(const struct inventory *inventory)
{
    return (double)(inventory->total - inventory->reserved) *
           inventory->allocation_ratio;
}

/* Whether a single allocation may have that amount, by min_unit, max_unit and step_size.
 */
static inline bool inventory_allows(const struct inventory *inventory, int64_t amount)
{
    return amount >= inventory->min_unit && amount <= inventory->max_unit &&
           amount % inventory->step_size == 0;
}

/* One class with its inventory; a provider's set is an array of them, ordered by class
 * name. */
struct class_inventory {
    char *resource_class;
    struct inventory inventory;
};

/* The same in every member. */
bool inventory_equal(const struct inventory *a, const struct inventory *b);
/* The inventory of the class in such an array; NULL: there is none. */
const struct inventory *class_inventory_find(const struct class_inventory *items,
                                             size_t count, const char *resource_class);

/* What is used of one class on one provider, by all consumers. */
struct class_usage {
    char *resource_class;
    int64_t used;
};

/* What one consumer has of one class on one provider. */
struct provider_allocation {
    char consumer[UUID_TEXT_SIZE];
    char *resource_class;
    int64_t amount;
};

/* What one consumer has on all providers; sorted by provider, then class. */
struct consumer_allocation {
    char provider[UUID_TEXT_SIZE];
    char *resource_class;
    int64_t amount;
};
struct consumer_allocations {
    char consumer[UUID_TEXT_SIZE];
    struct consumer_allocation *items;
    size_t count;
};
void consumer_allocations_clear(struct consumer_allocations *allocations);
#define _cleanup_consumer_allocations_ _cleanup_(consumer_allocations_clear)

/* Frees what it holds; the struct itself is the caller's. */
void provider_clear(struct provider *provider);
/* Free an array with all that its items hold. NULL is no array. */
void providers_free(struct provider *items, size_t count);
void class_inventories_free(struct class_inventory *items, size_t count);
void class_usages_free(struct class_usage *items, size_t count);
void provider_allocations_free(struct provider_allocation *items, size_t count);

#endif
