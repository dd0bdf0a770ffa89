#include "tests/unit/agent/plan/plan_model_look.h"

#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

/* ---- the host ---- */

/* Counts the devices that are being made and that available_instances does not include
 * yet. */
static int count_uncounted(const struct model *model, int gpu, int vf, int type)
{
    int count = 0;
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        count += device->gpu == gpu && device->vf == vf && device->type == type &&
                 device->in_transition && device->uncounted;
    }
    return count;
}

static void fill_types(const struct model *model, int gpu, int vf,
                       struct parent *parent)
{
    const struct model_gpu *card = &model->gpus[gpu];
    for (int i = 0; i < card->type_count; i++) {
        struct device_type *type = array_add(parent->types, parent->type_count);
        type->id = xstrdup(card->types[i].id);
        type->name = card->types[i].name[0] && !card->nameless
                         ? xstrdup(card->types[i].name)
                         : NULL;
        type->attributes = card->types[i].attributes;
        if (card->vfs)
            type->attributes.max_instance = (unsigned)card->types[i].capacity;
        type->available = card->unreadable_count
                              ? -1
                              : model_available(model, gpu, vf, i) +
                                    count_uncounted(model, gpu, vf, i);
    }
}

static void fill_devices(const struct model *model, int gpu, int vf,
                         struct parent *parent)
{
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        if (device->gpu != gpu || device->vf != vf || device->stray)
            continue;
        struct device *mdev = parent_add_device(parent, device->uuid);
        uuid_text_copy(mdev->uuid, device->uuid);
        mdev->in_transition = device->in_transition;
        mdev->leaving = device->in_transition && device->leaving;
        if (!device->in_transition)
            mdev->type_id = xstrdup(model->gpus[gpu].types[device->type].id);
    }
}

static void fill_parent(const struct model *model, int gpu, int vf, struct gpu *out)
{
    char name[32];
    snprintf(name, sizeof name, "0000:%s:00.%d", model->gpus[gpu].name, vf + 1);
    struct parent *parent = gpu_add_parent(out, "mdev", name);
    fill_types(model, gpu, vf, parent);
    fill_devices(model, gpu, vf, parent);
}

static struct host *make_host(const struct model *model)
{
    struct host *host = xcalloc(1, sizeof *host);
    for (int i = 0; i < model->gpu_count; i++) {
        const struct model_gpu *card = &model->gpus[i];
        if (card->absent)
            continue;
        char name[32];
        snprintf(name, sizeof name, "0000:%s:00.0", card->name);
        struct gpu *gpu = host_add_gpu(host, name);
        gpu->driver = xstrdup("nvidia");
        gpu->health = card->health;
        gpu->health_reason = card->health == GPU_OK ? NULL : xstrdup("test");
        if (!card->vfs)
            fill_parent(model, i, -1, gpu);
        for (int vf = 0; vf < card->vfs; vf++)
            fill_parent(model, i, vf, gpu);
    }
    for (int i = 0; i < model->device_count; i++)
        if (model->devices[i].stray) {
            struct device *stray = array_add(host->strays, host->stray_count);
            stpcpy(stray->backend, "mdev");
            stpcpy(stray->address, model->devices[i].uuid);
            uuid_text_copy(stray->uuid, model->devices[i].uuid);
            stray->in_transition = true;
            stray->leaving = model->devices[i].leaving;
        }
    host_sort(host);
    return host;
}

static struct used_device *use_of(struct device_use *use, const char *uuid)
{
    struct used_device *used = (struct used_device *)device_use_find(use, uuid);
    if (!used) {
        used = array_add(use->devices, use->count);
        stpcpy(used->address, uuid);
    }
    return used;
}

static void fill_domains(const struct model *model, bool running,
                         struct device_use *use)
{
    for (int i = 0; i < model->domain_count; i++) {
        const struct model_domain *domain = &model->domains[i];
        if (domain->running != running)
            continue;
        strlist_add_unique(&use->domains, domain->uuid);
        if (!domain->device[0])
            continue;
        struct used_device *used = use_of(use, domain->device);
        strlist_add_unique(&used->domains, domain->uuid);
        if (used->domain[0])
            continue;
        uuid_text_copy(used->domain, domain->uuid);
        used->running = running;
    }
}

static struct device_use *make_use(const struct model *model)
{
    struct device_use *use = xcalloc(1, sizeof *use);
    use->unknown = use->domains_unknown = model->use_unknown;
    fill_domains(model, true, use);
    fill_domains(model, false, use);
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        if (!device->group_open && !device->defined)
            continue;
        struct used_device *used = use_of(use, device->uuid);
        used->group_open = device->group_open;
        used->defined = device->defined;
    }
    return use;
}

static void fill_provider(const struct model_provider *from,
                          struct observed_provider *to, const char *root)
{
    uuid_text_copy(to->provider.uuid, from->uuid);
    uuid_text_copy(to->provider.root, root);
    uuid_text_copy(to->provider.parent, *from->parent ? from->parent : root);
    to->provider.name = xstrdup(from->name);
    to->provider.generation = from->generation;
    to->detailed = !from->undetailed;
    for (int i = 0; to->detailed && i < from->trait_count; i++)
        strlist_add(&to->traits, from->traits[i]);
    strlist_sort(&to->traits);
    for (int i = 0; to->detailed && i < from->inventory_count; i++) {
        struct class_inventory *item = array_add(to->inventories, to->inventory_count);
        item->resource_class = xstrdup(from->inventories[i].resource_class);
        item->inventory = from->inventories[i].inventory;
    }
    for (int i = 0; to->detailed && i < from->allocation_count; i++) {
        struct provider_allocation *item =
            array_add(to->allocations, to->allocation_count);
        uuid_text_copy(item->consumer, from->allocations[i].consumer);
        item->resource_class = xstrdup(from->allocations[i].resource_class);
        item->amount = from->allocations[i].amount;
    }
}

static struct observed *make_observed(const struct model *model)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_found = !model->root_missing;
    observed->keeps_some_free = model->old_server;
    uuid_text_copy(observed->root_uuid, model->root_uuid);
    observed->root_name = xstrdup(model->root_name);
    for (int i = 0; i < model->known_trait_count; i++)
        strlist_add(&observed->known_traits, model->known_traits[i]);
    strlist_sort(&observed->known_traits);
    if (model->root_missing)
        return observed;
    struct observed_provider *root =
        array_add(observed->providers, observed->provider_count);
    uuid_text_copy(root->provider.uuid, model->root_uuid);
    uuid_text_copy(root->provider.root, model->root_uuid);
    root->provider.name = xstrdup(model->root_name);
    for (int i = 0; i < model->provider_count; i++)
        fill_provider(&model->providers[i],
                      array_add(observed->providers, observed->provider_count),
                      model->root_uuid);
    return observed;
}

static void fill_config_type(const struct model_config_type *from,
                             struct mdev_type_config *to)
{
    to->type = xstrdup(from->type);
    to->mdev_class = xstrdup(from->mdev_class);
    to->max_instances = from->max_instances;
    to->max_unit = from->max_unit;
    to->several_types = from->several;
    to->allow_mixed = from->mixed;
    to->one_time_use = from->once;
    for (int i = 0; i < from->address_count; i++)
        strlist_add(&to->device_addresses, from->addresses[i]);
    for (int i = 0; i < from->trait_count; i++)
        strlist_add(&to->traits, from->traits[i]);
}

static struct config *make_config(const struct model *model)
{
    struct config *config = xcalloc(1, sizeof *config);
    config->agent.mode = model->mode;
    config->agent.drain_reserve = model->drain_reserve;
    config->agent.create_root = model->create_root;
    config->agent.release_grace = model->grace;
    for (int i = 0; i < model->type_count; i++)
        fill_config_type(&model->types[i],
                         array_add(config->types, config->type_count));
    return config;
}

static struct strlist drained_gpus(const struct model *model)
{
    struct strlist list = {0};
    for (int i = 0; i < model->gpu_count; i++)
        if (model->gpus[i].drained)
            strlist_add_take(&list, xasprintf("0000:%s:00.0", model->gpus[i].name));
    return list;
}

static void fill_choices(const struct model *model, struct type_choices *choices)
{
    for (int i = 0; i < model->choice_count; i++)
        strlist_add(model->choices[i].disabled ? &choices->disabled : &choices->enabled,
                    model->choices[i].line);
}

static struct strlist provider_uuids(const struct model *model)
{
    struct strlist list = {0};
    for (int i = 0; i < model->provider_count; i++)
        strlist_add(&list, model->providers[i].uuid);
    return list;
}

/* Checks that each step, and each state of an allocation that is not ready, has a
 * reason; and that an allocation that is released has one status. */
static void check_reasons(const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (!plan->steps[i].reason || !*plan->steps[i].reason)
            fail_msg("%s without a reason", step_kind_name(plan->steps[i].kind));
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *a = &plan->allocations[i], *b = a + 1;
        bool met = a->state == ALLOCATION_READY || a->state == ALLOCATION_IN_USE;
        if (met != !a->reason)
            fail_msg("%s: %s", allocation_state_name(a->state), a->reason);
        if (i + 1 < plan->allocation_count && a->state == b->state &&
            strcmp(a->consumer, b->consumer) == 0 &&
            strcmp(a->provider, b->provider) == 0 &&
            strcmp(a->resource_class, b->resource_class) == 0)
            fail_msg("two rows are one allocation, of %s", a->consumer);
    }
}

/* Borrows from the model. */
static struct order *make_orders(const struct model *model)
{
    struct order *orders = xcalloc((size_t)model->order_count, sizeof *orders);
    for (int i = 0; i < model->order_count; i++) {
        const struct model_order *from = &model->orders[i];
        orders[i] = (struct order){
            .kind = from->kind, .device = (char *)from->device, .force = from->force};
        if (from->kind == ORDER_CREATE)
            orders[i].type = (char *)from->type;
        if (from->gpu[0])
            orders[i].gpu = (char *)from->gpu;
        if (from->kind == ORDER_PARAMETERS)
            orders[i].parameters = (char *)from->parameters;
    }
    return orders;
}

static struct plan *plan(struct model *model, bool seeing)
{
    _cleanup_(host_freep) struct host *host = make_host(model);
    _cleanup_(config_freep) struct config *config = make_config(model);
    _cleanup_(observed_freep) struct observed *observed =
        model->unreachable ? NULL : make_observed(model);
    struct type_choices choices = {0};
    fill_choices(model, &choices);
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        observed ? desired_tree_make_chosen(config, host, &choices, model->root_uuid,
                                            model->root_name)
                 : NULL;
    type_choices_clear(&choices);
    _cleanup_(device_use_freep) struct device_use *use = make_use(model);
    _cleanup_strlist_ struct strlist drained = drained_gpus(model);
    _cleanup_strlist_ struct strlist prune = provider_uuids(model), servers = {0};
    for (int i = 0; i < model->server_count; i++)
        strlist_add(&servers, model->servers[i]);
    struct refused_device refused[MODEL_LENGTH(model->devices)];
    size_t refused_count = 0;
    for (int i = 0; i < model->device_count; i++)
        if (model->devices[i].uncleared)
            refused[refused_count++] = (struct refused_device){
                model->devices[i].uuid, "the driver does not let it be cleared"};
    _cleanup_free_ struct order *orders = make_orders(model);
    const struct order_list order_list = {orders, (size_t)model->order_count};
    struct plan_input input = {
        .config = config,
        .host = host,
        .desired = desired,
        .observed = observed,
        .journal = model->journal,
        .use = seeing ? use : NULL,
        .drained = &drained,
        .servers = &servers,
        .orders = &order_list,
        .refused = refused,
        .refused_count = refused_count,
        .prune = model->prune ? &prune : NULL,
        .now = model->now,
    };
    struct plan *result = plan_make(&input);
    model->use_was_needed = result->needs_use;
    check_reasons(result);
    if (!result->needs_use)
        return result;
    assert_int_equal(result->step_count, 0);
    plan_free(result);
    input.use = use;
    result = plan_make(&input);
    assert_false(result->needs_use);
    check_reasons(result);
    return result;
}

struct plan *model_plan(struct model *model)
{
    return plan(model, false);
}

struct plan *model_plan_seeing(struct model *model)
{
    return plan(model, true);
}
