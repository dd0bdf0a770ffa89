#include "tests/unit/agent/plan_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/journal_codec.h"
#include "agent/plan_journal.h"
#include "agent/plan_text.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

static void set_text(char *to, size_t room, const char *text)
{
    assert_true(strlen(text) < room);
    stpcpy(to, text);
}

#define SET(field, text) set_text((field), sizeof(field), (text))
#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

void model_init(struct model *model)
{
    *model = (struct model){.now = 1000, .grace = 60};
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "root", model->root_uuid);
    SET(model->root_name, "host");
    model->journal = journal_new();
    static const char *const standard[] = {
        "HW_GPU_MAX_DISPLAY_HEADS_1", "HW_GPU_MAX_DISPLAY_HEADS_4",
        "HW_GPU_RESOLUTION_W320H240", "HW_GPU_RESOLUTION_W640H480"};
    for (int i = 0; i < LENGTH(standard); i++)
        SET(model->known_traits[model->known_trait_count++], standard[i]);
}

void model_clear(struct model *model)
{
    journal_free(model->journal);
    model->journal = NULL;
}

static struct journal *copy_journal(const struct journal *journal)
{
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    struct journal *copy = NULL;
    struct error err = {0};
    assert_ok(journal_read(text, length, &copy, &err), &err);
    return copy;
}

void model_copy(struct model *to, const struct model *from)
{
    *to = *from;
    to->journal = copy_journal(from->journal);
}

/* ---- look-ups ---- */

int model_gpu(const struct model *model, const char *name)
{
    for (int i = 0; i < model->gpu_count; i++)
        if (strcmp(model->gpus[i].name, name) == 0)
            return i;
    fail_msg("no GPU %s", name);
    return -1;
}

struct model_device *model_device(struct model *model, const char *uuid)
{
    for (int i = 0; i < model->device_count; i++)
        if (strcmp(model->devices[i].uuid, uuid) == 0)
            return &model->devices[i];
    return NULL;
}

struct model_provider *model_provider(struct model *model, const char *uuid)
{
    for (int i = 0; i < model->provider_count; i++)
        if (strcmp(model->providers[i].uuid, uuid) == 0)
            return &model->providers[i];
    return NULL;
}

struct model_provider *model_provider_named(struct model *model, const char *name)
{
    for (int i = 0; i < model->provider_count; i++)
        if (strcmp(model->providers[i].name, name) == 0)
            return &model->providers[i];
    return NULL;
}

bool model_has_trait(const struct model_provider *provider, const char *trait)
{
    for (int i = 0; i < provider->trait_count; i++)
        if (strcmp(provider->traits[i], trait) == 0)
            return true;
    return false;
}

void model_add_trait(struct model_provider *provider, const char *trait)
{
    if (model_has_trait(provider, trait))
        return;
    assert_true(provider->trait_count < LENGTH(provider->traits));
    SET(provider->traits[provider->trait_count++], trait);
}

void model_drop_trait(struct model_provider *provider, const char *trait)
{
    for (int i = 0; i < provider->trait_count; i++)
        if (strcmp(provider->traits[i], trait) == 0)
            memmove(&provider->traits[i], &provider->traits[--provider->trait_count],
                    sizeof provider->traits[i]);
}

struct model_inventory *model_inventory(struct model_provider *provider,
                                        const char *resource_class)
{
    for (int i = 0; i < provider->inventory_count; i++)
        if (strcmp(provider->inventories[i].resource_class, resource_class) == 0)
            return &provider->inventories[i];
    return NULL;
}

struct model_domain *model_domain_of(struct model *model, const char *device)
{
    for (int i = 0; i < model->domain_count; i++)
        if (strcmp(model->domains[i].device, device) == 0)
            return &model->domains[i];
    return NULL;
}

void model_add_domain(struct model *model, const char *uuid, const char *device,
                      bool running)
{
    model_drop_domain(model, device);
    assert_true(model->domain_count < LENGTH(model->domains));
    struct model_domain *domain = &model->domains[model->domain_count++];
    SET(domain->uuid, uuid);
    SET(domain->device, device);
    domain->running = running;
}

void model_drop_domain(struct model *model, const char *device)
{
    struct model_domain *domain = model_domain_of(model, device);
    if (domain)
        *domain = model->domains[--model->domain_count];
}

bool model_is_used(const struct model *model, const struct model_device *device)
{
    return device->group_open || device->defined ||
           model_domain_of((struct model *)model, device->uuid);
}

/* ---- the kernel ---- */

static int count_devices(const struct model *model, int gpu, int vf, int type)
{
    int count = 0;
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        count += device->gpu == gpu && (vf < 0 || device->vf == vf) &&
                 (type < 0 || device->type == type);
    }
    return count;
}

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

int model_available(const struct model *model, int gpu, int vf, int type)
{
    const struct model_gpu *card = &model->gpus[gpu];
    int of_type = count_devices(model, gpu, -1, type);
    if (!card->mixed && count_devices(model, gpu, -1, -1) > of_type)
        return 0;
    int left = card->types[type].capacity - of_type;
    if (vf >= 0)
        return left > 0 && count_devices(model, gpu, vf, -1) == 0;
    return left > 0 ? left : 0;
}

bool model_add_device(struct model *model, const char *uuid, int gpu, int vf, int type)
{
    if (model_device(model, uuid) || model_available(model, gpu, vf, type) < 1)
        return false;
    assert_true(model->device_count < LENGTH(model->devices));
    struct model_device *device = &model->devices[model->device_count++];
    *device = (struct model_device){.gpu = gpu, .vf = vf, .type = type};
    SET(device->uuid, uuid);
    return true;
}

void model_remove_device(struct model *model, const char *uuid)
{
    struct model_device *device = model_device(model, uuid);
    assert_non_null(device);
    *device = model->devices[--model->device_count];
}

/* ---- what the agent sees ---- */

static void fill_types(const struct model *model, int gpu, int vf,
                       struct mdev_parent *parent)
{
    const struct model_gpu *card = &model->gpus[gpu];
    for (int i = 0; i < card->type_count; i++) {
        struct mdev_type *type = array_add(parent->types, parent->type_count);
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
                         struct mdev_parent *parent)
{
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        if (device->gpu != gpu || device->vf != vf || device->stray)
            continue;
        struct mdev *mdev = array_add(parent->mdevs, parent->mdev_count);
        stpcpy(mdev->uuid, device->uuid);
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
    struct mdev_parent *parent = gpu_add_parent(out, name);
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
            struct mdev *stray = array_add(host->strays, host->stray_count);
            stpcpy(stray->uuid, model->devices[i].uuid);
            stray->in_transition = true;
            stray->leaving = model->devices[i].leaving;
        }
    host_sort(host);
    return host;
}

static struct device_use *make_use(struct model *model)
{
    struct device_use *use = xcalloc(1, sizeof *use);
    use->unknown = model->use_unknown;
    for (int i = 0; i < model->domain_count; i++) {
        struct used_device *used = array_add(use->devices, use->count);
        stpcpy(used->uuid, model->domains[i].device);
        stpcpy(used->domain, model->domains[i].uuid);
        used->running = model->domains[i].running;
    }
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        if (!device->group_open && !device->defined)
            continue;
        struct used_device *used =
            (struct used_device *)device_use_find(use, device->uuid);
        if (!used)
            used = array_add(use->devices, use->count);
        stpcpy(used->uuid, device->uuid);
        used->group_open = device->group_open;
        used->defined = device->defined;
    }
    return use;
}

static void fill_provider(const struct model_provider *from,
                          struct observed_provider *to, const char *root)
{
    stpcpy(to->provider.uuid, from->uuid);
    stpcpy(to->provider.root, root);
    stpcpy(to->provider.parent, root);
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
        stpcpy(item->consumer, from->allocations[i].consumer);
        item->resource_class = xstrdup(from->allocations[i].resource_class);
        item->amount = from->allocations[i].amount;
    }
}

static struct observed *make_observed(const struct model *model)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_found = !model->root_missing;
    observed->keeps_some_free = model->old_server;
    stpcpy(observed->root_uuid, model->root_uuid);
    observed->root_name = xstrdup(model->root_name);
    for (int i = 0; i < model->known_trait_count; i++)
        strlist_add(&observed->known_traits, model->known_traits[i]);
    strlist_sort(&observed->known_traits);
    if (model->root_missing)
        return observed;
    struct observed_provider *root =
        array_add(observed->providers, observed->provider_count);
    stpcpy(root->provider.uuid, model->root_uuid);
    stpcpy(root->provider.root, model->root_uuid);
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
    for (int i = 0; i < from->address_count; i++)
        strlist_add(&to->device_addresses, from->addresses[i]);
    for (int i = 0; i < from->trait_count; i++)
        strlist_add(&to->traits, from->traits[i]);
}

static struct config *make_config(const struct model *model)
{
    struct config *config = xcalloc(1, sizeof *config);
    config->agent.mode = model->mode;
    config->agent.create_root = model->create_root;
    config->agent.release_grace = model->grace;
    for (int i = 0; i < model->type_count; i++)
        fill_config_type(&model->types[i],
                         array_add(config->types, config->type_count));
    return config;
}

int model_configured(const struct model *model, int gpu)
{
    char address[16];
    snprintf(address, sizeof address, "0000:%s:00.0", model->gpus[gpu].name);
    const char *type = NULL;
    for (int i = 0; i < model->type_count; i++) {
        const struct model_config_type *config = &model->types[i];
        for (int j = 0; j < config->address_count; j++)
            if (strcmp(config->addresses[j], address) == 0)
                type = config->type;
    }
    for (int i = 0; i < model->type_count && !type; i++)
        if (model->types[i].address_count == 0)
            type = model->types[i].type;
    for (int i = 0; type && i < model->gpus[gpu].type_count; i++)
        if (strcmp(model->gpus[gpu].types[i].id, type) == 0)
            return i;
    return -1;
}

static struct strlist drained_gpus(const struct model *model)
{
    struct strlist list = {0};
    for (int i = 0; i < model->gpu_count; i++)
        if (model->gpus[i].drained)
            strlist_add_take(&list, xasprintf("0000:%s:00.0", model->gpus[i].name));
    return list;
}

static struct strlist provider_uuids(const struct model *model)
{
    struct strlist list = {0};
    for (int i = 0; i < model->provider_count; i++)
        strlist_add(&list, model->providers[i].uuid);
    return list;
}

static struct plan *plan(struct model *model, bool seeing)
{
    _cleanup_(host_freep) struct host *host = make_host(model);
    _cleanup_(config_freep) struct config *config = make_config(model);
    _cleanup_(observed_freep) struct observed *observed =
        model->unreachable ? NULL : make_observed(model);
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        observed ? desired_tree_make(config, host, model->root_uuid, model->root_name)
                 : NULL;
    _cleanup_(device_use_freep) struct device_use *use = make_use(model);
    _cleanup_strlist_ struct strlist drained = drained_gpus(model);
    _cleanup_strlist_ struct strlist prune = provider_uuids(model);
    struct plan_input input = {
        .config = config,
        .host = host,
        .desired = desired,
        .observed = observed,
        .journal = model->journal,
        .use = seeing ? use : NULL,
        .drained = &drained,
        .prune = model->prune ? &prune : NULL,
        .take_over = model->take_over,
        .now = model->now,
    };
    struct plan *result = plan_make(&input);
    model->use_was_needed = result->needs_use;
    if (!result->needs_use)
        return result;
    assert_int_equal(result->step_count, 0);
    plan_free(result);
    input.use = use;
    result = plan_make(&input);
    assert_false(result->needs_use);
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

/* ---- steps ---- */

static bool is_known_trait(const struct model *model, const char *trait)
{
    for (int i = 0; i < model->known_trait_count; i++)
        if (strcmp(model->known_traits[i], trait) == 0)
            return true;
    return false;
}

static void create_trait(struct model *model, const struct step *step)
{
    assert_true(strncmp(step->name, "CUSTOM_", 7) == 0);
    if (is_known_trait(model, step->name))
        return;
    assert_true(model->known_trait_count < LENGTH(model->known_traits));
    SET(model->known_traits[model->known_trait_count++], step->name);
}

static void create_provider(struct model *model, const struct step *step)
{
    assert_false(model->root_missing);
    assert_null(model_provider(model, step->provider));
    assert_null(model_provider_named(model, step->provider_name));
    assert_true(model->provider_count < LENGTH(model->providers));
    struct model_provider *provider = &model->providers[model->provider_count++];
    *provider = (struct model_provider){0};
    SET(provider->uuid, step->provider);
    SET(provider->name, step->provider_name);
}

/* The first write of a plan carries the generation that was seen; later ones go on. */
static struct model_provider *writable(struct model *model, const struct plan *plan,
                                       const struct step *step)
{
    assert_string_not_equal(step->provider, model->root_uuid);
    struct model_provider *provider = model_provider(model, step->provider);
    assert_non_null(provider);
    const struct step *first = NULL;
    for (size_t i = 0; i < plan->step_count && !first; i++)
        if (strcmp(plan->steps[i].provider, step->provider) == 0 &&
            (plan->steps[i].kind == STEP_SET_INVENTORY ||
             plan->steps[i].kind == STEP_SET_TRAITS ||
             plan->steps[i].kind == STEP_DELETE_PROVIDER))
            first = &plan->steps[i];
    if (step == first && step->generation >= 0)
        assert_int_equal(step->generation, provider->generation);
    return provider;
}

static void set_traits(struct model *model, const struct plan *plan,
                       const struct step *step)
{
    struct model_provider *provider = writable(model, plan, step);
    provider->trait_count = 0;
    for (size_t i = 0; i < step->traits.count; i++) {
        if (!is_known_trait(model, step->traits.items[i]))
            fail_msg("trait %s is not known to Placement", step->traits.items[i]);
        model_add_trait(provider, step->traits.items[i]);
    }
    provider->generation++;
}

static int64_t allocated(const struct model_provider *provider,
                         const char *resource_class)
{
    int64_t sum = 0;
    for (int i = 0; i < provider->allocation_count; i++)
        if (strcmp(provider->allocations[i].resource_class, resource_class) == 0)
            sum += provider->allocations[i].amount;
    return sum;
}

/* What stays as it was need not be the agent's: an operator can have allowed more to be
 * allocated than there is. */
static void check_inventory(const struct model *model, struct model_provider *provider,
                            const struct class_inventory *item)
{
    const struct inventory *inventory = &item->inventory;
    const struct model_inventory *old = model_inventory(provider, item->resource_class);
    if (old && memcmp(&old->inventory, inventory, sizeof *inventory) == 0)
        return;
    assert_in_range(inventory->total, 1, PLACEMENT_MAX_AMOUNT);
    assert_in_range(inventory->reserved, 0, inventory->total - model->old_server);
    assert_in_range(inventory->max_unit, 1, PLACEMENT_MAX_AMOUNT);
    if ((double)inventory->total * fmax(inventory->allocation_ratio, 1.0) <
        (double)allocated(provider, item->resource_class))
        fail_msg("%s: total %ld is less than what is allocated", provider->name,
                 (long)inventory->total);
}

static void set_inventory(struct model *model, const struct plan *plan,
                          const struct step *step)
{
    struct model_provider *provider = writable(model, plan, step);
    struct model_inventory set[LENGTH(provider->inventories)] = {0};
    assert_true(step->inventory_count <= (size_t)LENGTH(set));
    for (size_t i = 0; i < step->inventory_count; i++) {
        check_inventory(model, provider, &step->inventories[i]);
        SET(set[i].resource_class, step->inventories[i].resource_class);
        set[i].inventory = step->inventories[i].inventory;
    }
    memcpy(provider->inventories, set, sizeof set);
    provider->inventory_count = (int)step->inventory_count;
    for (int i = 0; i < provider->allocation_count; i++)
        if (!model_inventory(provider, provider->allocations[i].resource_class))
            fail_msg("%s: the inventory in use is dropped", provider->name);
    provider->generation++;
}

static void delete_provider(struct model *model, const struct plan *plan,
                            const struct step *step)
{
    struct model_provider *provider = writable(model, plan, step);
    assert_int_equal(provider->allocation_count, 0);
    for (size_t i = 0; i < model->journal->device_count; i++)
        if (strcmp(model->journal->devices[i].provider, provider->uuid) == 0 &&
            model_device(model, model->journal->devices[i].uuid))
            fail_msg("%s is deleted and has a device yet", provider->name);
    *provider = model->providers[--model->provider_count];
}

static void create_device(struct model *model, const struct step *step)
{
    const struct journal_device *device = &step->device;
    char name[3] = {device->gpu[5], device->gpu[6], 0};
    int gpu = model_gpu(model, name), type = -1;
    const struct model_gpu *card = &model->gpus[gpu];
    assert_true(card->health == GPU_OK && !card->absent);
    for (int i = 0; i < card->type_count; i++)
        if (strcmp(card->types[i].id, device->type_id) == 0)
            type = i;
    assert_true(type >= 0);
    int vf = device->parent[11] - '0' - 1;
    /* The second time it is there already, which is as good. */
    if (model_device(model, device->uuid))
        return;
    if (!model_add_device(model, device->uuid, gpu, vf, type))
        fail_msg("the kernel refuses %s %s on %s", device->uuid, device->type_id,
                 device->parent);
    model_device(model, device->uuid)->made_by_agent = true;
}

static void remove_device(struct model *model, const struct step *step)
{
    struct model_device *device = model_device(model, step->device.uuid);
    if (!device)
        return;
    const struct journal_device *entry =
        journal_find_device(model->journal, device->uuid);
    if (!entry || entry->adopted)
        fail_msg("%s is removed and the journal does not have it", device->uuid);
    if (model_is_used(model, device))
        fail_msg("%s is removed while somebody has it", device->uuid);
    if (!device->made_by_agent)
        fail_msg("%s is removed and somebody else made it", device->uuid);
    assert_false(device->in_transition);
    model_remove_device(model, device->uuid);
}

static void carry_out(struct model *model, const struct plan *plan,
                      const struct step *step)
{
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
        create_trait(model, step);
        break;
    case STEP_CREATE_ROOT:
        assert_string_equal(step->provider, model->root_uuid);
        model->root_missing = false;
        break;
    case STEP_CREATE_PROVIDER:
        create_provider(model, step);
        break;
    case STEP_SET_INVENTORY:
        set_inventory(model, plan, step);
        break;
    case STEP_SET_TRAITS:
        set_traits(model, plan, step);
        break;
    case STEP_REMOVE_DEVICE:
        remove_device(model, step);
        break;
    case STEP_CREATE_DEVICE:
        create_device(model, step);
        break;
    case STEP_DELETE_PROVIDER:
        delete_provider(model, plan, step);
        break;
    default:
        break;
    }
}

static void intend(struct model *model, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        plan_note_intention(model->journal, &plan->steps[i]);
}

static void execute(struct model *model, const struct plan *plan, size_t count)
{
    for (size_t i = 0; i < count && i < plan->step_count; i++) {
        if (step_is_note(&plan->steps[i]))
            continue;
        carry_out(model, plan, &plan->steps[i]);
        plan_note_done(model->journal, &plan->steps[i]);
    }
}

/* ---- in a world that has moved on ---- */

static bool writes_provider(const struct step *step)
{
    return step->kind == STEP_SET_INVENTORY || step->kind == STEP_SET_TRAITS ||
           step->kind == STEP_DELETE_PROVIDER || step->kind == STEP_CREATE_PROVIDER;
}

/* What Placement says to the provider's first write of the plan. */
static bool is_refused(struct model *model, const struct step *step)
{
    const struct model_provider *provider = model_provider(model, step->provider);
    if (step->kind == STEP_CREATE_PROVIDER)
        return model->root_missing || provider ||
               model_provider_named(model, step->provider_name);
    return !provider ||
           (step->generation >= 0 && provider->generation != step->generation);
}

/* What the kernel, or the last look before it is asked, says. */
static bool is_impossible(struct model *model, const struct step *step)
{
    struct model_device *device = model_device(model, step->device.uuid);
    if (step->kind == STEP_REMOVE_DEVICE)
        return device && (device->in_transition || model->use_unknown ||
                          model_is_used(model, device));
    char name[3] = {step->device.gpu[5], step->device.gpu[6], 0};
    const struct model_gpu *card = &model->gpus[model_gpu(model, name)];
    int gpu = model_gpu(model, name), type = 0;
    while (type < card->type_count &&
           strcmp(card->types[type].id, step->device.type_id) != 0)
        type++;
    return card->absent || card->health != GPU_OK || type == card->type_count ||
           (!device &&
            model_available(model, gpu, step->device.parent[11] - '0' - 1, type) < 1);
}

static bool is_first_write(const struct plan *plan, const struct step *step)
{
    for (const struct step *s = plan->steps; s < step; s++)
        if (writes_provider(s) && strcmp(s->provider, step->provider) == 0)
            return false;
    return true;
}

void model_execute_late(struct model *model, const struct plan *plan, size_t count)
{
    struct strlist ended = {0}; /* GPUs */
    intend(model, plan);
    /* Somebody has made a root of that name, with another uuid. */
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_CREATE_ROOT &&
            strcmp(plan->steps[i].provider, model->root_uuid) != 0)
            return;
    for (size_t i = 0; i < count && i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        bool is_device =
            step->kind == STEP_CREATE_DEVICE || step->kind == STEP_REMOVE_DEVICE;
        if (step_is_note(step) || (step->gpu && strlist_contains(&ended, step->gpu)) ||
            (is_device && is_impossible(model, step)))
            continue;
        if (writes_provider(step) && is_first_write(plan, step) &&
            is_refused(model, step)) {
            strlist_add(&ended, step->gpu);
            continue;
        }
        carry_out(model, plan, step);
        plan_note_done(model->journal, step);
    }
    strlist_clear(&ended);
}

void model_execute(struct model *model, const struct plan *plan, size_t count)
{
    intend(model, plan);
    execute(model, plan, count);
}

void model_execute_and_die(struct model *model, const struct plan *plan, size_t count)
{
    intend(model, plan);
    struct journal *on_disk = copy_journal(model->journal);
    execute(model, plan, count);
    journal_free(model->journal);
    model->journal = on_disk;
}

void model_settle(struct model *model)
{
    for (int round = 0; round < 8; round++) {
        _cleanup_(plan_freep) struct plan *next = model_plan(model);
        if (next->step_count == 0)
            return;
        model_execute(model, next, next->step_count);
    }
    _cleanup_(plan_freep) struct plan *next = model_plan(model);
    plan_print(next, FORMAT_TABLE, stderr);
    fail_msg("the world does not settle");
}

/* ---- to compare ---- */

static void dump_provider(const struct model_provider *provider, struct strlist *lines)
{
    for (int i = 0; i < provider->trait_count; i++)
        strlist_add_take(lines,
                         xasprintf("%s: %s", provider->name, provider->traits[i]));
    for (int i = 0; i < provider->inventory_count; i++) {
        const struct inventory *inventory = &provider->inventories[i].inventory;
        strlist_add_take(
            lines, xasprintf("%s: %s total=%ld reserved=%ld max_unit=%ld ratio=%g",
                             provider->name, provider->inventories[i].resource_class,
                             (long)inventory->total, (long)inventory->reserved,
                             (long)inventory->max_unit, inventory->allocation_ratio));
    }
}

static void dump_allocations(const struct model_provider *provider,
                             struct strlist *lines)
{
    for (int i = 0; i < provider->allocation_count; i++)
        strlist_add_take(lines, xasprintf("allocation %s: %s:%s %ld", provider->name,
                                          provider->allocations[i].consumer,
                                          provider->allocations[i].resource_class,
                                          (long)provider->allocations[i].amount));
}

static void dump_device(const struct model *model, const struct model_device *device,
                        struct strlist *lines)
{
    strlist_add_take(
        lines,
        xasprintf("device %s on %d.%d of type %d%s%s%s%s%s", device->uuid, device->gpu,
                  device->vf, device->type, device->made_by_agent ? ", ours" : "",
                  device->in_transition ? ", in transition" : "",
                  device->stray ? ", stray" : "", device->group_open ? ", open" : "",
                  device->defined ? ", defined" : ""));
    const struct model_domain *domain =
        model_domain_of((struct model *)model, device->uuid);
    if (domain)
        strlist_add_take(lines, xasprintf("device %s is named by %s%s", device->uuid,
                                          domain->uuid,
                                          domain->running ? ", which runs" : ""));
}

static void dump_entry(const struct journal_provider *entry, struct strlist *lines)
{
    _cleanup_free_ char *traits = strlist_join(&entry->traits, " ");
    strlist_add_take(lines,
                     xasprintf("noted %s %s: %s", entry->name, entry->gpu, traits));
    for (size_t i = 0; i < entry->inventory_count; i++)
        strlist_add_take(lines,
                         xasprintf("noted %s: %s overruled=%d reserved=%ld ratio=%g",
                                   entry->name, entry->inventories[i].resource_class,
                                   entry->inventories[i].overruled,
                                   (long)entry->inventories[i].operators_reserved,
                                   entry->inventories[i].operators_ratio));
}

char *model_dump(const struct model *model)
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (int i = 0; i < model->device_count; i++)
        dump_device(model, &model->devices[i], &lines);
    for (int i = 0; i < model->provider_count; i++) {
        dump_provider(&model->providers[i], &lines);
        dump_allocations(&model->providers[i], &lines);
    }
    for (size_t i = 0; i < model->journal->provider_count; i++)
        dump_entry(&model->journal->providers[i], &lines);
    for (size_t i = 0; i < model->journal->device_count; i++) {
        const struct journal_device *d = &model->journal->devices[i];
        strlist_add_take(&lines,
                         xasprintf("noted %s: %s %s:%s:%u on %s, %s released=%ld%s",
                                   d->uuid, d->provider, d->consumer, d->resource_class,
                                   d->index, d->parent, d->type_id,
                                   (long)d->released_at, d->adopted ? " adopted" : ""));
    }
    strlist_sort(&lines);
    return strlist_join(&lines, "\n");
}
