#include "placement/server/allocation_plan.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void allocation_plan_clear(struct allocation_plan *plan)
{
    free(plan->consumers);
    free(plan->items);
    free(plan->demands);
    *plan = (struct allocation_plan){0};
}

/* ---- reading ---- */

static int refuse_generation(struct reply *reply, const struct consumer *known,
                             struct json_object *given)
{
    char expected[24] = "null";
    if (known)
        snprintf(expected, sizeof expected, "%lld", (long long)known->generation);
    _cleanup_free_ char *got = schema_show(given);
    return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                         "consumer generation conflict - expected %s but got %s",
                         expected, got);
}

/* Since 1.28: null for one that there is not, else its generation. */
static int check_generation(const struct consumer *known, struct json_object *body,
                            struct reply *reply)
{
    struct json_object *given = json_member(body, "consumer_generation");
    bool right = known ? given && schema_integer(given) == known->generation : !given;
    return right ? 0 : refuse_generation(reply, known, given);
}

static void add_resources(struct allocation_plan *plan, const struct graph *graph,
                          struct node *node, struct json_object *resources)
{
    json_object_object_foreach (resources, name, amount) {
        *array_add(plan->items, plan->item_count) = (struct planned_allocation){
            .node = node,
            .class_name = name,
            .class = graph_class(graph, name),
            .used = schema_integer(amount),
        };
    }
}

static int add_provider(struct allocation_plan *plan, const struct graph *graph,
                        const char *uuid, struct json_object *resources,
                        struct reply *reply)
{
    struct node *node = graph_node(graph, uuid);
    if (!node)
        return reply_problem(
            reply, 400, NULL,
            "Allocation for resource provider '%s' that does not exist.", uuid);
    add_resources(plan, graph, node, resources);
    return 0;
}

/* In the list of old clients the last entry of a provider counts. */
static bool comes_again(struct json_object *list, size_t at, const char *uuid)
{
    for (size_t i = at + 1; i < json_object_array_length(list); i++) {
        struct json_object *provider =
            json_member(json_object_array_get_idx(list, i), "resource_provider");
        if (strcmp(json_object_get_string(json_member(provider, "uuid")), uuid) == 0)
            return true;
    }
    return false;
}

static int add_list(struct allocation_plan *plan, const struct graph *graph,
                    struct json_object *list, struct reply *reply)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        struct json_object *provider = json_member(item, "resource_provider");
        const char *uuid = json_object_get_string(json_member(provider, "uuid"));
        if (!comes_again(list, i, uuid) &&
            add_provider(plan, graph, uuid, json_member(item, "resources"), reply) != 0)
            return -1;
    }
    return 0;
}

static int add_object(struct allocation_plan *plan, const struct graph *graph,
                      struct json_object *object, struct reply *reply)
{
    json_object_object_foreach (object, uuid, item) {
        if (add_provider(plan, graph, uuid, json_member(item, "resources"), reply) != 0)
            return -1;
    }
    return 0;
}

static const char *text_or(struct json_object *body, const char *name,
                           const char *otherwise)
{
    struct json_object *member = json_member(body, name);
    return member ? json_object_get_string(member) : otherwise;
}

static int check_consumer(const struct store *store, const struct request *request,
                          const char *consumer, struct json_object *body,
                          struct reply *reply)
{
    const struct consumer *known = graph_consumer(&store->graph, consumer);
    return request_at_least(request, 28) ? check_generation(known, body, reply) : 0;
}

static int add_consumer(struct allocation_plan *plan, const struct store *store,
                        const char *consumer, struct json_object *body,
                        struct reply *reply)
{
    const struct graph *graph = &store->graph;
    struct planned_consumer planned = {
        .known = graph_consumer(graph, consumer),
        .project = text_or(body, "project_id", store->options.incomplete_project_id),
        .user = text_or(body, "user_id", store->options.incomplete_user_id),
        .type = text_or(body, "consumer_type", NULL),
        .first = plan->item_count,
    };
    memcpy(planned.uuid, consumer, sizeof planned.uuid);
    struct json_object *allocations = json_member(body, "allocations");
    if ((json_object_is_type(allocations, json_type_array)
             ? add_list(plan, graph, allocations, reply)
             : add_object(plan, graph, allocations, reply)) != 0)
        return -1;
    planned.count = plan->item_count - planned.first;
    *array_add(plan->consumers, plan->consumer_count) = planned;
    return 0;
}

int allocation_plan_add(struct allocation_plan *plan, const struct store *store,
                        const struct request *request, const char *consumer,
                        struct json_object *body, struct reply *reply)
{
    if (check_consumer(store, request, consumer, body, reply) != 0)
        return -1;
    return add_consumer(plan, store, consumer, body, reply);
}

int allocation_plan_add_all(struct allocation_plan *plan, const struct store *store,
                            const struct request *request, struct json_object *bodies,
                            struct reply *reply)
{
    json_object_object_foreach (bodies, consumer, body) {
        if (check_consumer(store, request, consumer, body, reply) != 0)
            return -1;
    }
    json_object_object_foreach (bodies, uuid, wanted) {
        if (add_consumer(plan, store, uuid, wanted, reply) != 0)
            return -1;
    }
    return 0;
}

/* ---- checking ---- */

static int by_place(const void *a, const void *b)
{
    const struct demand *left = a, *right = b;
    if (left->node != right->node)
        return left->node->id < right->node->id ? -1 : 1;
    return (left->class->id > right->class->id) - (left->class->id < right->class->id);
}

static struct demand *find_demand(const struct allocation_plan *plan,
                                  const struct node *node,
                                  const struct resource_class *class)
{
    const struct demand key = {.node = (struct node *)node,
                               .class = (struct resource_class *)class};
    if (plan->demand_count == 0)
        return NULL;
    return bsearch(&key, plan->demands, plan->demand_count, sizeof key, by_place);
}

static void add_demand(struct allocation_plan *plan, struct node *node,
                       struct resource_class *class)
{
    *array_add(plan->demands, plan->demand_count) =
        (struct demand){.node = node, .class = class};
}

static const struct inventory *limits_of(const struct demand *demand,
                                         const struct inventory_plan *inventories,
                                         size_t count)
{
    const struct stock *stock = node_stock(demand->node, demand->class);
    for (size_t i = 0; i < count; i++) {
        const struct inventory *planned =
            inventories[i].node == demand->node
                ? inventory_plan_find(&inventories[i], demand->class)
                : NULL;
        if (planned)
            return planned;
    }
    return stock ? &stock->limits : NULL;
}

/* One for each class of each provider that the plan takes from, and of those that
 * consumers without new allocations give back to: these providers' generations rise as
 * well. */
static void collect_demands(struct allocation_plan *plan)
{
    for (size_t i = 0; i < plan->item_count; i++)
        add_demand(plan, plan->items[i].node, plan->items[i].class);
    for (size_t i = 0; i < plan->consumer_count; i++) {
        const struct planned_consumer *consumer = &plan->consumers[i];
        const struct allocation *a =
            consumer->known ? consumer->known->allocations : NULL;
        for (; a && consumer->count == 0; a = a->next_of_consumer)
            add_demand(plan, a->stock->node, a->stock->class);
    }
    if (plan->demand_count == 0)
        return;
    qsort(plan->demands, plan->demand_count, sizeof *plan->demands, by_place);
    size_t kept = 1;
    for (size_t i = 1; i < plan->demand_count; i++)
        if (by_place(&plan->demands[i], &plan->demands[kept - 1]) != 0)
            plan->demands[kept++] = plan->demands[i];
    plan->demand_count = kept;
}

static void fill_demands(struct allocation_plan *plan,
                         const struct inventory_plan *inventories, size_t count)
{
    for (size_t i = 0; i < plan->demand_count; i++) {
        struct demand *demand = &plan->demands[i];
        const struct stock *stock = node_stock(demand->node, demand->class);
        demand->limits = limits_of(demand, inventories, count);
        demand->used = stock ? stock->used : 0;
    }
    for (size_t i = 0; i < plan->consumer_count; i++) {
        const struct consumer *known = plan->consumers[i].known;
        const struct allocation *a = known ? known->allocations : NULL;
        for (; a; a = a->next_of_consumer) {
            struct demand *demand = find_demand(plan, a->stock->node, a->stock->class);
            if (demand)
                demand->used -= a->used;
        }
    }
}

static char *refusal(const struct planned_allocation *item, const char *format)
{
    return xasprintf(
        "Unable to create allocation for '%s' on resource provider '%s'. The "
        "requested amount would %s.",
        item->class_name, item->node->uuid, format);
}

/* NULL when it fits with what came before it in the plan. */
static char *check_item(struct allocation_plan *plan,
                        const struct planned_allocation *item)
{
    struct demand *demand = find_demand(plan, item->node, item->class);
    const struct inventory *limits = demand->limits;
    if (!limits)
        return xasprintf("Inventory for '%s' on resource provider '%s' invalid.",
                         item->class_name, item->node->uuid);
    if (item->used < limits->min_unit || item->used > limits->max_unit ||
        item->used % limits->step_size != 0)
        return refusal(item, "violate inventory constraints");
    /* At most max_unit each, so that the sum stays far from overflowing. */
    demand->wanted += item->used;
    double capacity =
        (double)(limits->total - limits->reserved) * limits->allocation_ratio;
    if (capacity < (double)(demand->used + demand->wanted))
        return refusal(item, "exceed the capacity");
    return NULL;
}

/* The provider has an inventory of some class that the plan is about. */
static bool has_any(const struct allocation_plan *plan, const struct node *node,
                    const struct inventory_plan *inventories, size_t count)
{
    for (size_t i = 0; i < plan->demand_count; i++) {
        struct demand probe = {.node = (struct node *)node,
                               .class = plan->demands[i].class};
        if (limits_of(&probe, inventories, count))
            return true;
    }
    return false;
}

/* Upstream's first look: providers without any of the classes. It names all classes.
 * NULL when there is none. */
static char *find_bare_providers(const struct allocation_plan *plan,
                                 const struct inventory_plan *inventories, size_t count)
{
    _cleanup_strlist_ struct strlist classes = {0}, bare = {0};
    for (size_t i = 0; i < plan->demand_count; i++) {
        const struct demand *demand = &plan->demands[i];
        strlist_add_unique(&classes, demand->class->name);
        if (!demand->limits && !has_any(plan, demand->node, inventories, count))
            strlist_add_unique(&bare, demand->node->uuid);
    }
    if (bare.count == 0)
        return NULL;
    _cleanup_free_ char *names = strlist_join(&classes, ", ");
    _cleanup_free_ char *uuids = strlist_join(&bare, ", ");
    return xasprintf("Inventory for '%s' on resource provider '%s' invalid.", names,
                     uuids);
}

int allocation_plan_check(struct allocation_plan *plan, const struct graph *graph,
                          const struct inventory_plan *inventories, size_t count,
                          char **why, bool *unknown_class)
{
    (void)graph;
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
        *why = check_item(plan, &plan->items[i]);
    return *why ? -1 : 0;
}

int64_t allocation_plan_use_after(const struct allocation_plan *plan,
                                  const struct stock *stock)
{
    const struct demand *demand = find_demand(plan, stock->node, stock->class);
    if (demand)
        return demand->used + demand->wanted;
    int64_t used = stock->used;
    for (const struct allocation *a = stock->allocations; a; a = a->next_of_stock)
        for (size_t i = 0; i < plan->consumer_count; i++)
            if (plan->consumers[i].known == a->consumer)
                used -= a->used;
    return used;
}

/* ---- carrying it out ---- */

static int ensure_outsiders(struct store *store, const struct planned_consumer *planned,
                            struct outsider **project, struct outsider **user,
                            struct outsider **type, struct error *err)
{
    /* "unknown" is how the API shows that there is no type. */
    *type = planned->known ? planned->known->type : NULL;
    if (store_ensure_project(store, planned->project, project, err) != 0 ||
        store_ensure_user(store, planned->user, user, err) != 0)
        return -1;
    return planned->type ? store_ensure_consumer_type(store, planned->type, type, err)
                         : 0;
}

/* *out NULL: it is gone, since it has nothing any more. */
static int put_consumer(struct store *store, const struct planned_consumer *planned,
                        struct consumer **out, struct error *err)
{
    struct outsider *project, *user, *type;
    struct consumer *known = planned->known;
    *out = NULL;
    if (known && planned->count == 0 && known->allocations)
        return store_delete_consumer(store, known, err);
    if (ensure_outsiders(store, planned, &project, &user, &type, err) != 0)
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
        if (store_add_allocation(store, consumer, node_stock(item->node, item->class),
                                 item->used, err) != 0)
            return -1;
    }
    return 0;
}

static int raise_generations(struct store *store, const struct allocation_plan *plan,
                             struct error *err)
{
    for (size_t i = 0; i < plan->demand_count; i++)
        if ((i == 0 || plan->demands[i].node != plan->demands[i - 1].node) &&
            store_raise_generation(store, plan->demands[i].node, err) != 0)
            return -1;
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
