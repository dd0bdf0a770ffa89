#include "placement/server/schema/inventory_body.h"

#include <json-c/linkhash.h>
#include <stdlib.h>

#include "lib/xalloc.h"

/* ---- the form ---- */

static const struct schema from_zero = {.type = SCHEMA_INTEGER,
                                        .has_minimum = true,
                                        .minimum = 0,
                                        .maximum = PLACEMENT_MAX_AMOUNT};
static const struct schema from_one = {.type = SCHEMA_INTEGER,
                                       .has_minimum = true,
                                       .minimum = 1,
                                       .maximum = PLACEMENT_MAX_AMOUNT};
/* The maximum is upstream's: the largest single-precision number, which is what its SQL
 * databases take. Upstream has no minimum, but its database refuses what is below this
 * one. */
static const struct schema ratio = {.type = SCHEMA_NUMBER,
                                    .has_minimum = true,
                                    .minimum = -3.40282e+38,
                                    .maximum = 3.40282e+38};
static const struct schema generation = {.type = SCHEMA_INTEGER};
static const struct schema class_name = {.type = SCHEMA_STRING,
                                         .pattern = &schema_class_name};

#define RECORD                                                                     \
    {"total", &from_one, true}, {"reserved", &from_zero}, {"min_unit", &from_one}, \
        {"max_unit", &from_one}, {"step_size", &from_one},                         \
    {                                                                              \
        "allocation_ratio", &ratio                                                 \
    }

static const struct schema record_schema = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){
            {"resource_provider_generation", &generation}, RECORD, {0}},
};
const struct schema inventory_schema = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){
            RECORD, {"resource_provider_generation", &generation, true}, {0}},
};
const struct schema inventory_post_schema = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){{"resource_provider_generation", &generation},
                                         RECORD,
                                         {"resource_class", &class_name, true},
                                         {0}},
};
/* Names of another form pass the schema; the class is then not found. */
static const struct schema by_class_schema = {
    .type = SCHEMA_OBJECT,
    .pattern_names = &schema_class_name,
    .pattern_schema = &record_schema,
    .open = true,
};
const struct schema inventories_schema = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){
            {"resource_provider_generation", &generation, true},
            {"inventories", &by_class_schema, true},
            {0}},
};

static int64_t number_or(struct json_object *json, const char *name, int64_t otherwise)
{
    struct json_object *member = json_member(json, name);
    return member ? schema_integer(member) : otherwise;
}

void inventory_read(struct json_object *json, struct inventory *out)
{
    struct json_object *member = json_member(json, "allocation_ratio");
    *out = (struct inventory){
        .total = number_or(json, "total", 0),
        .reserved = number_or(json, "reserved", 0),
        .min_unit = number_or(json, "min_unit", 1),
        .max_unit = number_or(json, "max_unit", PLACEMENT_MAX_AMOUNT),
        .step_size = number_or(json, "step_size", 1),
        .allocation_ratio = member ? json_object_get_double(member) : 1.0,
    };
}

/* ---- plans ---- */

const char *inventory_plan_read(const struct graph *graph,
                                struct resource_provider *provider,
                                struct json_object *inventories,
                                struct inventory_plan *out)
{
    struct inventory_plan plan = {.provider = provider};
    json_object_object_foreach (inventories, name, json) {
        struct resource_class *class = graph_class(graph, name);
        if (!class) {
            inventory_plan_clear(&plan);
            return name;
        }
        struct inventory_plan_item *item = array_add(plan.items, plan.count);
        item->class = class;
        inventory_read(json, &item->limits);
    }
    *out = plan;
    return NULL;
}

int inventory_plan_compare(const void *a, const void *b)
{
    const struct inventory_plan *left = a, *right = b;
    return (left->provider->id > right->provider->id) -
           (left->provider->id < right->provider->id);
}

void inventory_plan_clear(struct inventory_plan *plan)
{
    free(plan->items);
    *plan = (struct inventory_plan){0};
}

const struct inventory *inventory_plan_find(const struct inventory_plan *plan,
                                            const struct resource_class *class)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].class == class)
            return &plan->items[i].limits;
    return NULL;
}

char *inventory_plan_in_use(const struct inventory_plan *plan)
{
    const struct inventory_list *inventories = &plan->provider->inventories;
    _cleanup_strlist_ struct strlist classes = {0};
    for (size_t i = 0; i < inventories->count; i++)
        if (inventories->items[i]->allocation_count > 0 &&
            !inventory_plan_find(plan, inventories->items[i]->class))
            strlist_add(&classes, inventories->items[i]->class->name);
    if (classes.count == 0)
        return NULL;
    _cleanup_free_ char *names = strlist_join(&classes, ", ");
    return xasprintf("Inventory for '%s' on resource provider '%s' in use.", names,
                     plan->provider->uuid);
}

int inventory_plan_apply(struct store *store, const struct inventory_plan *plan,
                         bool remove, struct error *err)
{
    struct resource_provider *provider = plan->provider;
    for (size_t i = provider->inventories.count; remove && i-- > 0;)
        if (!inventory_plan_find(plan, provider->inventories.items[i]->class) &&
            store_remove_inventory(store, provider->inventories.items[i], err) != 0)
            return -1;
    for (size_t i = 0; i < plan->count; i++)
        if (store_set_inventory(store, provider, plan->items[i].class,
                                &plan->items[i].limits, err) != 0)
            return -1;
    return store_raise_generation(store, provider, err);
}
