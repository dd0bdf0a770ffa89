/*
 * inventory_body: inventories as clients send them, and the change of a provider's
 * whole set, for the requests on inventories and for the reshaper.
 */
#ifndef PLACEMENT_SERVER_SCHEMA_INVENTORY_BODY_H
#define PLACEMENT_SERVER_SCHEMA_INVENTORY_BODY_H

#include "placement/server/schema/schema.h"
#include "placement/server/store/store.h"

/* of one inventory, with the provider's generation */
extern const struct schema inventory_schema;
extern const struct schema inventory_post_schema; /* of one inventory, with its class */
/* {"resource_provider_generation": 3, "inventories": {"VGPU": {...}}} */
extern const struct schema inventories_schema;

/* Reads an object that the schema has accepted. Missing members get their defaults. */
void inventory_read(struct json_object *json, struct inventory *out);

/* The inventories that a provider is to have. Plain data, borrows from the graph. */
struct inventory_plan {
    struct resource_provider *provider;
    struct inventory_plan_item {
        struct resource_class *class;
        struct inventory limits;
    } * items;
    size_t count;
};

/* Reads an "inventories" object that the schema has accepted. Gives NULL, or the name
 * of a class that does not exist (borrowed from `inventories`). */
const char *inventory_plan_read(const struct graph *graph,
                                struct resource_provider *provider,
                                struct json_object *inventories,
                                struct inventory_plan *out);
/* Compares by the id of the provider: for qsort(3) and bsearch(3). */
int inventory_plan_compare(const void *a, const void *b);
void inventory_plan_clear(struct inventory_plan *plan);

/* The inventory of that class in the plan; NULL when the plan does not have it. */
const struct inventory *inventory_plan_find(const struct inventory_plan *plan,
                                            const struct resource_class *class);

/* The names of the classes that are in use and not in the plan, in words; the caller
 * frees. NULL: there are none. */
char *inventory_plan_in_use(const struct inventory_plan *plan);

/* Adds and changes the inventories of the plan, with `remove` removes those that are
 * not in it, and raises the generation of the provider. */
int inventory_plan_apply(struct store *store, const struct inventory_plan *plan,
                         bool remove, struct error *err);

#endif
