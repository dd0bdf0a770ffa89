#include "tests/unit/agent/plan/plan_model_execute.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/journal_notes.h"
#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_look.h"
#include "tests/unit/test.h"

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
    assert_true(model->known_trait_count < MODEL_LENGTH(model->known_traits));
    MODEL_SET(model->known_traits[model->known_trait_count++], step->name);
}

static void create_provider(struct model *model, const struct step *step)
{
    assert_false(model->root_missing);
    assert_null(model_provider(model, step->provider));
    assert_null(model_provider_named(model, step->provider_name));
    assert_true(model->provider_count < MODEL_LENGTH(model->providers));
    struct model_provider *provider = &model->providers[model->provider_count++];
    *provider = (struct model_provider){0};
    MODEL_SET(provider->uuid, step->provider);
    MODEL_SET(provider->name, step->provider_name);
    if (*step->parent) {
        assert_non_null(model_provider(model, step->parent));
        MODEL_SET(provider->parent, step->parent);
    }
}

/* The provider that the step writes to. The first write of a plan must have the
 * generation that was seen; later ones have the generation of the write before. */
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

/* Checks an inventory that is about to be written. One that does not change need not
 * meet the agent's rules: an operator can have allowed more allocations than there are
 * devices. */
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
    struct model_inventory set[MODEL_LENGTH(provider->inventories)] = {0};
    assert_true(step->inventory_count <= (size_t)MODEL_LENGTH(set));
    for (size_t i = 0; i < step->inventory_count; i++) {
        check_inventory(model, provider, &step->inventories[i]);
        MODEL_SET(set[i].resource_class, step->inventories[i].resource_class);
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
    for (int i = 0; i < model->provider_count; i++)
        assert_string_not_equal(model->providers[i].parent, provider->uuid);
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
    /* A step that is run a second time finds the device, which counts as success. */
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
    if (!step->ordered && (!entry || entry->adopted))
        fail_msg("%s is removed and the journal does not have it", device->uuid);
    if (model_is_used(model, device))
        fail_msg("%s is removed while somebody has it", device->uuid);
    if (!step->ordered && !device->made_by_agent)
        fail_msg("%s is removed and somebody else made it", device->uuid);
    assert_false(device->in_transition);
    model_remove_device(model, device->uuid);
}

static void clear_device(struct model *model, const struct step *step)
{
    struct model_device *device = model_device(model, step->device.uuid);
    assert_non_null(device);
    if (model_is_used(model, device))
        fail_msg("%s is cleared while somebody has it", device->uuid);
    assert_false(device->in_transition || device->uncleared);
    device->parameters[0] = 0;
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
    case STEP_HAND_OVER_DEVICE:
        clear_device(model, step);
        break;
    case STEP_DELETE_PROVIDER:
        delete_provider(model, plan, step);
        break;
    default:
        break;
    }
}

static void carry_out_and_note(struct model *model, const struct plan *plan,
                               const struct step *step)
{
    bool existed = model_device(model, step->device.uuid);
    carry_out(model, plan, step);
    plan_note_done(model->journal, step, existed, NULL);
}

static bool is_named_by(const struct model *model, const char *device,
                        const char *consumer)
{
    for (int i = 0; i < model->domain_count; i++)
        if (strcmp(model->domains[i].device, device) == 0 &&
            strcmp(model->domains[i].uuid, consumer) == 0)
            return true;
    return false;
}

/* Checks a step that notes an existing device as a consumer's: another consumer's
 * parameters must have been cleared. Parameters on a device that the consumer's own
 * domain names count as its own. */
static void take_device(struct model *model, const struct step *step)
{
    const struct journal_device *taken = &step->device;
    struct model_device *device = model_device(model, taken->uuid);
    const struct journal_device *entry =
        journal_find_device(model->journal, taken->uuid);
    if (!device || !device->parameters[0] ||
        strcmp(device->parameters, taken->consumer) == 0)
        return;
    if (is_named_by(model, taken->uuid, taken->consumer))
        device->parameters[0] = 0;
    else if (entry && strcmp(entry->consumer, taken->consumer) != 0)
        fail_msg("%s is taken with another's parameters", device->uuid);
}

static void intend(struct model *model, const struct plan *plan)
{
    plan_note_root(model->journal, plan);
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind == STEP_TAKE_DEVICE)
            take_device(model, &plan->steps[i]);
        plan_note_intention(model->journal, &plan->steps[i]);
    }
}

static void execute(struct model *model, const struct plan *plan, size_t count)
{
    for (size_t i = 0; i < count && i < plan->step_count; i++) {
        if (step_rules(plan->steps[i].kind)->doer == DONE_BY_JOURNAL)
            continue;
        carry_out_and_note(model, plan, &plan->steps[i]);
    }
}

/* ---- in a world that has changed since the plan ---- */

static bool writes_provider(const struct step *step)
{
    return step->kind == STEP_SET_INVENTORY || step->kind == STEP_SET_TRAITS ||
           step->kind == STEP_DELETE_PROVIDER || step->kind == STEP_CREATE_PROVIDER;
}

/* True when Placement refuses the provider's first write of the plan. */
static bool is_refused(struct model *model, const struct step *step)
{
    const struct model_provider *provider = model_provider(model, step->provider);
    if (step->kind == STEP_CREATE_PROVIDER)
        return model->root_missing || provider ||
               model_provider_named(model, step->provider_name) ||
               (*step->parent && !model_provider(model, step->parent));
    for (int i = 0; step->kind == STEP_DELETE_PROVIDER && i < model->provider_count;
         i++)
        if (strcmp(model->providers[i].parent, step->provider) == 0)
            return true;
    return !provider ||
           (step->generation >= 0 && provider->generation != step->generation);
}

/* True when the kernel, or the check right before the step, refuses it. */
static bool is_impossible(struct model *model, const struct step *step)
{
    struct model_device *device = model_device(model, step->device.uuid);
    if (step->kind == STEP_HAND_OVER_DEVICE)
        return !device || device->in_transition || device->uncleared ||
               model->use_unknown || model_is_used(model, device);
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
    /* Somebody has created a root of that name with another uuid. */
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_CREATE_ROOT &&
            strcmp(plan->steps[i].provider, model->root_uuid) != 0)
            return;
    for (size_t i = 0; i < count && i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        bool is_device = step_rules(step->kind)->doer == DONE_BY_WORKER;
        if (step_rules(step->kind)->doer == DONE_BY_JOURNAL ||
            (step->gpu && strlist_contains(&ended, step->gpu)) ||
            (is_device && is_impossible(model, step)))
            continue;
        if (writes_provider(step) && is_first_write(plan, step) &&
            is_refused(model, step)) {
            strlist_add(&ended, step->gpu);
            continue;
        }
        carry_out_and_note(model, plan, step);
    }
    strlist_clear(&ended);
}

/* The agent withdraws orders that do not wait. */
static void end_orders(struct model *model, const struct plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++)
        for (int j = 0; plan->orders[i].state != ORDER_WAITS && j < model->order_count;
             j++)
            if (strcmp(model->orders[j].device, plan->orders[i].device) == 0)
                model->orders[j--] = model->orders[--model->order_count];
}

void model_execute(struct model *model, const struct plan *plan, size_t count)
{
    intend(model, plan);
    execute(model, plan, count);
    if (count >= plan->step_count)
        end_orders(model, plan);
}

void model_execute_and_die(struct model *model, const struct plan *plan, size_t count)
{
    intend(model, plan);
    struct journal *on_disk = model_copy_journal(model);
    execute(model, plan, count);
    journal_free(model->journal);
    model->journal = on_disk;
}

static void settle(struct model *model, struct plan *(*look)(struct model *model))
{
    for (int round = 0; round < 8; round++) {
        _cleanup_(plan_freep) struct plan *next = look(model);
        if (next->step_count == 0)
            return;
        model_execute(model, next, next->step_count);
    }
    _cleanup_(plan_freep) struct plan *next = look(model);
    plan_print(next, &next->problems, FORMAT_TABLE, stderr);
    fail_msg("the world does not settle");
}

void model_settle(struct model *model)
{
    settle(model, model_plan);
}

void model_settle_seeing(struct model *model)
{
    settle(model, model_plan_seeing);
}
