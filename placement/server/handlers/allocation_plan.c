#include "placement/server/handlers/allocation_plan.h"

#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

void allocation_plan_clear(struct allocation_plan *plan)
{
    free(plan->consumers);
    free(plan->items);
    free(plan->demands);
    *plan = (struct allocation_plan){0};
}

/* ---- checking ---- */

static int by_place(const void *a, const void *b)
{
    const struct demand *left = a, *right = b;
    if (left->provider != right->provider)
        return left->provider->id < right->provider->id ? -1 : 1;
    return (left->class->id > right->class->id) - (left->class->id < right->class->id);
}

static struct demand *find_demand(const struct allocation_plan *plan,
                                  const struct resource_provider *provider,
                                  const struct resource_class *class)
{
    const struct demand key = {.provider = (struct resource_provider *)provider,
                               .class = (struct resource_class *)class};
    if (plan->demand_count == 0)
        return NULL;
    return bsearch(&key, plan->demands, plan->demand_count, sizeof key, by_place);
}

static void add_demand(struct allocation_plan *plan, struct resource_provider *provider,
                       struct resource_class *class, bool raises)
{
    *array_add(plan->demands, plan->demand_count) =
        (struct demand){.provider = provider, .class = class, .raises = raises};
}

static const struct inventory *limits_of(struct resource_provider *provider,
                                         const struct resource_class *class,
                                         const struct inventory_plan *inventories,
                                         size_t count)
{
    const struct inventory_plan key = {.provider = provider};
    const struct inventory_plan *plan =
        count ? bsearch(&key, inventories, count, sizeof key, inventory_plan_compare)
              : NULL;
    const struct inventory *planned = plan ? inventory_plan_find(plan, class) : NULL;
    const struct provider_inventory *inventory = provider_inventory_of(provider, class);
    return planned ? planned : inventory ? &inventory->limits : NULL;
}

/* Collects one demand for each class of each provider that the plan allocates from or
 * releases. */
static void collect_demands(struct allocation_plan *plan)
{
    for (size_t i = 0; i < plan->item_count; i++)
        add_demand(plan, plan->items[i].provider, plan->items[i].class, true);
    for (size_t i = 0; i < plan->consumer_count; i++) {
        const struct planned_consumer *consumer = &plan->consumers[i];
        const struct allocation *a =
            consumer->known ? consumer->known->allocations : NULL;
        for (; a; a = a->next_of_consumer)
            add_demand(plan, a->inventory->provider, a->inventory->class,
                       consumer->count == 0);
    }
    if (plan->demand_count == 0)
        return;
    qsort(plan->demands, plan->demand_count, sizeof *plan->demands, by_place);
    struct demand *kept = plan->demands;
    for (size_t i = 1; i < plan->demand_count; i++)
        if (by_place(&plan->demands[i], kept) != 0)
            *++kept = plan->demands[i];
        else
            kept->raises |= plan->demands[i].raises;
    plan->demand_count = (size_t)(kept - plan->demands) + 1;
}

static void fill_demands(struct allocation_plan *plan,
                         const struct inventory_plan *inventories, size_t count)
{
    for (size_t i = 0; i < plan->demand_count; i++) {
        struct demand *demand = &plan->demands[i];
        const struct provider_inventory *inventory =
            provider_inventory_of(demand->provider, demand->class);
        demand->limits = limits_of(demand->provider, demand->class, inventories, count);
        demand->before = inventory ? inventory->used : 0;
        demand->used = demand->before;
    }
    for (size_t i = 0; i < plan->consumer_count; i++) {
        const struct consumer *known = plan->consumers[i].known;
        const struct allocation *a = known ? known->allocations : NULL;
        for (; a; a = a->next_of_consumer) {
            struct demand *demand =
                find_demand(plan, a->inventory->provider, a->inventory->class);
            demand->used -= a->used;
        }
    }
}

static char *refusal(const struct planned_allocation *item, const char *format)
{
    return xasprintf(
        "Unable to create allocation for '%s' on resource provider '%s'. The "
        "requested amount would %s.",
        item->class_name, item->provider->uuid, format);
}

/* The amounts of the plan only add up, so that the items before the last one of a class
 * exceed nothing that all of them do not. */
static bool exceeds_capacity(const struct demand *demand, bool strict)
{
    int64_t after = demand->used + demand->wanted;
    return inventory_capacity(demand->limits) < (double)after &&
           (strict || after > demand->before);
}

/* Why the item does not fit together with the items before it; NULL when it does. The
 * caller frees. */
static char *check_item(struct allocation_plan *plan,
                        const struct planned_allocation *item, bool strict)
{
    struct demand *demand = find_demand(plan, item->provider, item->class);
    const struct inventory *limits = demand->limits;
    if (!limits)
        return xasprintf("Inventory for '%s' on resource provider '%s' invalid.",
                         item->class_name, item->provider->uuid);
    if (!inventory_allows(limits, item->used))
        return refusal(item, "violate inventory constraints");
    /* Cannot overflow: each amount is at most max_unit. */
    demand->wanted += item->used;
    if (exceeds_capacity(demand, strict))
        return refusal(item, "exceed the capacity");
    return NULL;
}

static int by_class(const void *a, const void *b)
{
    const struct resource_class *left = *(struct resource_class *const *)a;
    const struct resource_class *right = *(struct resource_class *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

/* The distinct classes that the plan asks for. The caller frees the array. */
static struct resource_class **classes_of(const struct allocation_plan *plan,
                                          size_t *count)
{
    struct resource_class **classes = xcalloc(plan->demand_count, sizeof *classes);
    *count = 0;
    for (size_t i = 0; i < plan->demand_count; i++)
        if (plan->demands[i].raises)
            classes[(*count)++] = plan->demands[i].class;
    handler_sort_unique(classes, count, by_class);
    return classes;
}

static char *join_names(struct resource_class *const *classes, size_t count)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < count; i++)
        strlist_add(&names, classes[i]->name);
    return strlist_join(&names, ", ");
}

static bool misses_limits(const struct allocation_plan *plan)
{
    for (size_t i = 0; i < plan->demand_count; i++)
        if (!plan->demands[i].limits)
            return true;
    return false;
}

/* Upstream looks first for providers that have none of the plan's classes, and its
 * message names all classes. NULL when there is no such provider. */
static char *find_bare_providers(const struct allocation_plan *plan,
                                 const struct inventory_plan *inventories, size_t count)
{
    if (!misses_limits(plan))
        return NULL;
    _cleanup_strlist_ struct strlist bare = {0};
    size_t class_count;
    _cleanup_free_ struct resource_class **classes = classes_of(plan, &class_count);
    const struct resource_provider *last = NULL;
    for (size_t i = 0; i < plan->demand_count; i++) {
        struct resource_provider *provider = plan->demands[i].provider;
        bool has_one = provider == last || !plan->demands[i].raises;
        last = provider;
        for (size_t k = 0; k < class_count && !has_one; k++)
            has_one = limits_of(provider, classes[k], inventories, count);
        if (!has_one)
            strlist_add(&bare, provider->uuid);
    }
    if (bare.count == 0)
        return NULL;
    _cleanup_free_ char *names = join_names(classes, class_count);
    _cleanup_free_ char *uuids = strlist_join(&bare, ", ");
    return xasprintf("Inventory for '%s' on resource provider '%s' invalid.", names,
                     uuids);
}

int allocation_plan_check(struct allocation_plan *plan,
                          const struct inventory_plan *inventories, size_t count,
                          bool strict_capacity, char **why, bool *unknown_class)
{
    for (size_t i = 0; i < plan->item_count; i++)
        if (!plan->items[i].class) {
            *why = xasprintf("No such resource class %s.", plan->items[i].class_name);
            *unknown_class = true;
            return -1;
        }
    collect_demands(plan);
    fill_demands(plan, inventories, count);
    *unknown_class = false;
    *why = find_bare_providers(plan, inventories, count);
    for (size_t i = 0; !*why && i < plan->item_count; i++)
        *why = check_item(plan, &plan->items[i], strict_capacity);
    return *why ? -1 : 0;
}

int64_t allocation_plan_use_after(const struct allocation_plan *plan,
                                  const struct provider_inventory *inventory)
{
    const struct demand *demand =
        find_demand(plan, inventory->provider, inventory->class);
    return demand ? demand->used + demand->wanted : inventory->used;
}

/* ---- carrying it out ---- */

static int ensure_external_ids(struct store *store,
                               const struct planned_consumer *planned,
                               struct external_id **project, struct external_id **user,
                               struct external_id **type, struct error *err)
{
    /* The API shows a consumer without a type as "unknown". */
    *type = planned->known ? planned->known->type : NULL;
    if (store_ensure_project(store, planned->project, project, err) != 0 ||
        store_ensure_user(store, planned->user, user, err) != 0)
        return -1;
    return planned->type ? store_ensure_consumer_type(store, planned->type, type, err)
                         : 0;
}

/* Creates, updates or deletes the consumer. *out is NULL when it was deleted, as it has
 * no allocations any more. */
static int put_consumer(struct store *store, const struct planned_consumer *planned,
                        struct consumer **out, struct error *err)
{
    struct external_id *project, *user, *type;
    struct consumer *known = planned->known;
    *out = NULL;
    if (known && planned->count == 0 && known->allocations)
        return store_delete_consumer(store, known, err);
    if (ensure_external_ids(store, planned, &project, &user, &type, err) != 0)
        return -1;
    bool touched = planned->count > 0;
    if (!known)
        return store_create_consumer(store, planned->uuid, project, user, type, touched,
                                     out, err);
    *out = known;
    if (store_clear_allocations(store, known, err) != 0)
        return -1;
    return store_update_consumer(store, known, project, user, type,
                                 known->generation + touched, err);
}

static int put_allocations(struct store *store, const struct allocation_plan *plan,
                           const struct planned_consumer *planned,
                           struct consumer *consumer, struct error *err)
{
    for (size_t i = 0; i < planned->count; i++) {
        const struct planned_allocation *item = &plan->items[planned->first + i];
        if (store_add_allocation(store, consumer,
                                 provider_inventory_of(item->provider, item->class),
                                 item->used, err) != 0)
            return -1;
    }
    return 0;
}

/* Raises the generation of each provider once. Demands are sorted by provider. */
static int raise_generations(struct store *store, const struct allocation_plan *plan,
                             struct error *err)
{
    struct resource_provider *raised = NULL;
    for (size_t i = 0; i < plan->demand_count; i++) {
        struct resource_provider *provider = plan->demands[i].provider;
        if (!plan->demands[i].raises || provider == raised)
            continue;
        if (store_raise_generation(store, provider, err) != 0)
            return -1;
        raised = provider;
    }
    return 0;
}

int allocation_plan_apply(struct store *store, const struct allocation_plan *plan,
                          struct error *err)
{
    for (size_t i = 0; i < plan->consumer_count; i++) {
        struct consumer *consumer;
        if (put_consumer(store, &plan->consumers[i], &consumer, err) != 0 ||
            put_allocations(store, plan, &plan->consumers[i], consumer, err) != 0)
            return -1;
    }
    return raise_generations(store, plan, err);
}
