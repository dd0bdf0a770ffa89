/* All sequences of up to twelve events on a card with three types: allocations that
 * Placement's numbers allow, also two before the agent looks, and their ends. The card
 * has slots, of which a device takes some. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cycle.h"
#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_execute.h"
#include "tests/unit/agent/plan/plan_model_look.h"

#define EVENTS 12
#define TYPES 3
#define NONE (-1)

static const char *const ids[TYPES] = {"nvidia-1", "nvidia-2", "nvidia-3"};

/* What the card has, and what a device of each type takes of it. */
struct shape {
    int slots, sizes[TYPES];
};

/* A world after `depth` events. */
struct node {
    struct model *model;
    int depth, consumers;
    char key[64];
};

struct search {
    bool mixed;
    struct shape shape;
    struct node *nodes;
    size_t count;
};

static struct model_provider *provider_of(struct model *model, int type)
{
    char name[MODEL_TEXT];
    snprintf(name, sizeof name, "host_pci_0000_84_00_0_%s", ids[type]);
    return model_provider_named(model, name);
}

static int64_t total_of(struct model *model, int type)
{
    struct model_inventory *found = model_inventory(provider_of(model, type), "VGPU");
    return found ? found->inventory.total - found->inventory.reserved : 0;
}

static int allocated_of(struct model *model, int type)
{
    return provider_of(model, type)->allocation_count;
}

static int devices_of(const struct model *model, int type)
{
    int count = 0;
    for (int i = 0; i < model->device_count; i++)
        count += model->devices[i].type == type;
    return count;
}

/* What the card can still be given of the type, by its slots alone. */
static int room_for(const struct shape *shape, const struct model *model, int type)
{
    int left = shape->slots;
    for (int i = 0; i < TYPES; i++)
        left -= devices_of(model, i) * shape->sizes[i];
    return left / shape->sizes[type];
}

static bool has_others(const struct model *model, int type)
{
    for (int i = 0; i < TYPES; i++)
        if (i != type && devices_of(model, i))
            return true;
    return false;
}

static bool is_waited_for(struct model *model)
{
    for (int i = 0; i < TYPES; i++)
        if (allocated_of(model, i) > devices_of(model, i))
            return true;
    return false;
}

/* ---- what is to hold ---- */

static void wrong(const struct node *node, int type, const char *what)
{
    fail_msg("%s after %d events, of %s: %s", node->key, node->depth, ids[type], what);
}

static int grant_of(const struct search *search, const struct model *model, int type)
{
    return search->mixed || !has_others(model, type)
               ? room_for(&search->shape, model, type)
               : 0;
}

/* After one cycle no more is offered than the card would grant beside what waits. */
static void check_most(const struct search *search, const struct node *node, int type)
{
    struct model *model = node->model;
    int waiting = allocated_of(model, type) - devices_of(model, type);
    int64_t free = total_of(model, type) - allocated_of(model, type);
    if (free > 0 && free + waiting > grant_of(search, model, type))
        wrong(node, type, "more is offered than there is");
}

/* Once the devices of ended allocations have gone, what can be given is. */
static void check_settled(const struct search *search, const struct node *node,
                          int type)
{
    struct model *model = node->model;
    int allocated = allocated_of(model, type), devices = devices_of(model, type);
    int grant = grant_of(search, model, type);
    check_most(search, node, type);
    if (devices > allocated)
        wrong(node, type, "more devices than allocations");
    if (allocated == devices && total_of(model, type) < allocated + grant &&
        !is_waited_for(model))
        wrong(node, type, "less is offered than there is");
    if (allocated > devices && grant > 0)
        wrong(node, type, "an allocation waits although there is room");
    if (!search->mixed && devices && has_others(model, type))
        wrong(node, type, "it is beside another type");
}

/* As many rounds as a cycle has, as long as the plan says that it goes on. */
static void run_cycle(struct model *model)
{
    for (int round = 0; round < CYCLE_ROUNDS; round++) {
        _cleanup_(plan_freep) struct plan *plan = model_plan(model);
        model_execute(model, plan, plan->step_count);
        if (!plan->goes_on)
            return;
    }
}

/* ---- events ---- */

static bool allocate(struct node *node, int type)
{
    struct model_provider *provider = provider_of(node->model, type);
    if (total_of(node->model, type) <= provider->allocation_count)
        return false;
    char name[16];
    snprintf(name, sizeof name, "c%d", node->consumers++);
    struct model_allocation *allocation =
        &provider->allocations[provider->allocation_count++];
    *allocation = (struct model_allocation){.resource_class = "VGPU", .amount = 1};
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", name, allocation->consumer);
    provider->generation++;
    return true;
}

static bool release(struct node *node, int type)
{
    struct model_provider *provider = provider_of(node->model, type);
    if (!provider->allocation_count)
        return false;
    memmove(&provider->allocations[0], &provider->allocations[1],
            (size_t)--provider->allocation_count * sizeof provider->allocations[0]);
    provider->generation++;
    return true;
}

/* The two numbers of each type tell all of a world: which consumer has a device makes
 * no difference. */
static void write_key(struct node *node)
{
    int length = 0;
    for (int i = 0; i < TYPES; i++)
        length +=
            snprintf(node->key + length, sizeof node->key - (size_t)length, "%d/%d ",
                     devices_of(node->model, i), allocated_of(node->model, i));
}

static bool is_known(const struct search *search, const char *key)
{
    for (size_t i = 0; i < search->count; i++)
        if (strcmp(search->nodes[i].key, key) == 0)
            return true;
    return false;
}

static struct node copy_of(const struct node *from)
{
    struct node node = *from;
    node.model = xcalloc(1, sizeof *node.model);
    node.depth++;
    model_copy(node.model, from->model);
    return node;
}

static void drop(struct node *node)
{
    model_clear(node->model);
    free(node->model);
}

/* One event, or two before the agent looks, with what the agent makes of them. */
static void follow(struct search *search, size_t from,
                   bool (*first)(struct node *, int), int type, int second)
{
    struct node node = copy_of(&search->nodes[from]);
    if (!first(&node, type) || (second != NONE && !allocate(&node, second))) {
        drop(&node);
        return;
    }
    node.depth += second != NONE;
    run_cycle(node.model);
    write_key(&node);
    for (int i = 0; i < TYPES; i++)
        check_most(search, &node, i);
    model_settle(node.model);
    write_key(&node);
    for (int i = 0; i < TYPES; i++)
        check_settled(search, &node, i);
    if (is_known(search, node.key) || node.depth >= EVENTS)
        drop(&node);
    else
        *array_add(search->nodes, search->count) = node;
}

static void begin(struct search *search, bool mixed, int vfs)
{
    struct node *node = array_add(search->nodes, search->count);
    struct model *model = xcalloc(1, sizeof *model);
    model_init(model);
    struct model_gpu *gpu = &model->gpus[model->gpu_count++];
    *gpu = (struct model_gpu){.name = "84", .vfs = vfs, .shared = true};
    for (int i = 0; i < TYPES; i++) {
        struct model_type *type = &gpu->types[gpu->type_count++];
        struct model_config_type *config = &model->types[model->type_count++];
        MODEL_SET(type->id, ids[i]);
        type->capacity = search->shape.slots / search->shape.sizes[i];
        MODEL_SET(config->type, ids[i]);
        MODEL_SET(config->mdev_class, "VGPU");
        MODEL_SET(config->addresses[config->address_count++], "0000:84:00.0");
        config->several = !mixed;
        config->mixed = mixed;
    }
    model->grace = 0;
    model_settle(model);
    search->mixed = mixed;
    node->model = model;
    write_key(node);
    for (int i = 0; i < TYPES; i++)
        check_settled(search, node, i);
}

static void go_through(struct shape shape, bool mixed, int vfs, size_t least)
{
    struct search search = {.shape = shape};
    begin(&search, mixed, vfs);
    for (size_t i = 0; i < search.count; i++)
        for (int type = 0; type < TYPES; type++) {
            follow(&search, i, allocate, type, NONE);
            follow(&search, i, release, type, NONE);
            for (int second = 0; second < TYPES; second++) {
                follow(&search, i, allocate, type, second);
                follow(&search, i, release, type, second);
            }
        }
    if (search.count < least)
        fail_msg("only %zu worlds", search.count);
    for (size_t i = 0; i < search.count; i++)
        drop(&search.nodes[i]);
    free(search.nodes);
}

static void types_beside_each_other(void **state)
{
    (void)state;
    go_through((struct shape){12, {1, 2, 3}}, true, 0, 90);
}

static void types_beside_each_other_on_functions(void **state)
{
    (void)state;
    go_through((struct shape){8, {1, 2, 4}}, true, 8, 30);
}

static void one_type_at_a_time(void **state)
{
    (void)state;
    go_through((struct shape){12, {1, 2, 3}}, false, 0, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_beside_each_other),
        cmocka_unit_test(types_beside_each_other_on_functions),
        cmocka_unit_test(one_type_at_a_time),
    };
    return cmocka_run_group_tests_name("plan_several", tests, NULL, NULL);
}
