#include "agent/plan/devices/cut_steps.h"

#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

static const char *root_of(const struct plan_input *in)
{
    if (in->observed && in->observed->root_found)
        return in->observed->root_uuid;
    return in->journal->root[0] ? in->journal->root : CUT_CONSUMER;
}

static struct step *add_step(struct world *world, enum step_kind kind,
                             const struct cut *cut, const struct journal_device *device)
{
    struct step *step = world_add_step(world, kind, NULL);
    step->gpu = xstrdup(cut->gpu->name);
    step->device = journal_device_copy(device);
    return step;
}

static void add_creation(struct world *world, const struct cut *cut,
                         const struct cut_function *function)
{
    const struct journal_device *old = function->entry;
    const struct desired_provider *desired = cut->desired;
    struct journal_device device = {
        .resource_class = (char *)cut->resource_class,
        .gpu = cut->gpu->name,
        .parent = function->parent->name,
        .type_id = function->type->id,
        .type_name = function->type->name,
    };
    bool configured = desired && desired->type_id &&
                      strcmp(function->type->id, desired->type_id) == 0;
    text_copy_array(device.backend, function->parent->backend);
    text_copy_array(device.address, function->parent->name);
    uuid_text_copy(device.provider, root_of(world->in));
    uuid_text_copy(device.consumer, CUT_CONSUMER);
    if (old)
        uuid_text_copy(device.uuid, old->uuid);
    else
        cut_uuid(function->parent, device.uuid);
    struct step *step = add_step(world, STEP_CREATE_DEVICE, cut, &device);
    if (function->use)
        uuid_text_copy(step->holder, function->use->domain);
    step->reason =
        !configured ? xstrdup("it had this type, which a guest may still need")
        : old
            ? xstrdup("it had this type, and a reboot took it")
            : xasprintf("'%s' is configured for its card", desired->type_config->type);
}

static void add_removal(struct world *world, const struct cut *cut,
                        const struct cut_function *function,
                        const struct observed_provider *provider)
{
    const struct desired_provider *desired = cut->desired;
    struct step *step = add_step(world, STEP_REMOVE_DEVICE, cut, function->entry);
    if (provider) {
        uuid_text_copy(step->provider, provider->provider.uuid);
        step->provider_name = xstrdup(provider->provider.name);
    }
    if (!desired)
        step->reason = xstrdup("no type is configured for its card any more");
    else if (strcmp(function->device->type_id, desired->type_id) != 0)
        step->reason =
            xasprintf("'%s' is configured for its card", desired->type_config->type);
    else
        step->reason =
            xasprintf("fewer functions are to have '%s'", desired->type_config->type);
}

static void add_forgetting(struct world *world, const struct cut *cut,
                           const struct cut_function *function)
{
    add_step(world, STEP_FORGET_DEVICE, cut, function->entry)->reason =
        function->device ? xasprintf("somebody else has given it the type %s",
                                     function->device->type_id)
                         : xstrdup("it has lost its type, which nobody needs any more");
}

/* The journal has the class for the time when Placement cannot be asked. */
static void add_new_class(struct world *world, const struct cut *cut,
                          const struct cut_function *function)
{
    struct journal_device device = *function->entry; /* borrows */
    device.resource_class = (char *)cut->resource_class;
    add_step(world, STEP_TAKE_DEVICE, cut, &device)->reason =
        xasprintf("its resource class is %s now", cut->resource_class);
}

static bool has_old_class(const struct cut *cut, const struct cut_function *function)
{
    return function->fate == FUNCTION_CUT && !cut->former && function->entry &&
           journal_device_is_cut(function->entry) &&
           strcmp(function->entry->resource_class, cut->resource_class) != 0;
}

static void add_orphan(struct world *world, const struct cut *cut,
                       const struct cut_function *function)
{
    struct journal_device device = *function->entry; /* borrows */
    enum step_kind kind = function->device ? STEP_TAKE_DEVICE : STEP_FORGET_DEVICE;
    if (function->device) {
        uuid_text_copy(device.consumer, CUT_CONSUMER);
        uuid_text_copy(device.provider, root_of(world->in));
    }
    add_step(world, kind, cut, &device)->reason =
        xasprintf("its consumer %s of owner mode is gone", function->entry->consumer);
}

void cut_steps_add(struct world *world, const struct cut *cut,
                   const struct observed_provider *provider)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_function *function = &cut->functions[i];
        if (function->fate == FUNCTION_TO_CUT)
            add_creation(world, cut, function);
        else if (function->fate == FUNCTION_TO_CLEAR)
            add_removal(world, cut, function, provider);
        else if (function->outdated)
            add_forgetting(world, cut, function);
        else if (function->orphaned)
            add_orphan(world, cut, function);
        else if (has_old_class(cut, function))
            add_new_class(world, cut, function);
    }
    world->plan->goes_on |= cut->goes_on;
}

/* ---- functions that are gone ---- */

static bool is_configured(const struct world *world, const char *gpu)
{
    const struct desired_tree *tree = world->in->desired;
    for (size_t i = 0; i < tree->provider_count; i++)
        if (strcmp(tree->providers[i].gpu_name, gpu) == 0)
            return true;
    return false;
}

void cut_steps_add_vanished(struct world *world)
{
    const struct journal *journal = world->in->journal;
    for (size_t i = 0; i < journal->device_count; i++) {
        const struct journal_device *entry = &journal->devices[i];
        const struct parent *parent = NULL;
        if (!journal_device_is_cut(entry) ||
            host_parent(world->in->host, entry->parent, &parent))
            continue;
        if (world->in->observed && !is_configured(world, entry->gpu)) {
            struct step *step = world_add_step(world, STEP_FORGET_DEVICE, NULL);
            step->gpu = xstrdup(entry->gpu);
            step->device = journal_device_copy(entry);
            step->reason = xstrdup("its card is neither there nor configured");
        } else
            strlist_add_take(
                &world->plan->problems,
                xasprintf("%s: its virtual function %s, which had the type %s, "
                          "is not there",
                          entry->gpu, entry->parent, entry->type_id));
    }
}
