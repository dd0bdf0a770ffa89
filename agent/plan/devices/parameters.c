#include "agent/plan/devices/parameters.h"

#include <string.h>

#include "lib/xalloc.h"

static const struct journal_device *entry_of(const struct present *present)
{
    return present->hand ? present->hand : present->entry;
}

bool parameters_are_due(const struct present *present)
{
    const struct journal_device *entry = entry_of(present);
    return entry && entry->parameters_due && present_is_settled(present) &&
           !(present->use && (present->use->running || present->use->group_open));
}

/* The configured parameters of the device's type; NULL: none. */
static const char *configured_for(const struct plan_input *in,
                                  const struct journal_device *device)
{
    const struct gpu *gpu = device->gpu ? host_gpu(in->host, device->gpu) : NULL;
    for (size_t i = 0; gpu && device->type_id && i < in->config->type_count; i++) {
        const struct mdev_type_config *config = &in->config->types[i];
        const struct device_type *type = gpu_resolve_type(gpu, config->type);
        if (type && strcmp(type->id, device->type_id) == 0)
            return config->vgpu_params;
    }
    return NULL;
}

static char *parameters_of(const struct plan_input *in,
                           const struct journal_device *device)
{
    const char *text =
        device->parameters ? device->parameters : configured_for(in, device);
    return text && *text ? xstrdup(text) : NULL;
}

static bool has_step(const struct plan *plan, const char *uuid)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if ((plan->steps[i].kind == STEP_HAND_OVER_DEVICE ||
             plan->steps[i].kind == STEP_SET_PARAMETERS ||
             plan->steps[i].kind == STEP_REMOVE_DEVICE) &&
            strcmp(plan->steps[i].device.uuid, uuid) == 0)
            return true;
    return false;
}

/* The entry as it will be: the plan may note the device for another consumer first. */
static const struct journal_device *entry_after(const struct plan *plan,
                                                const struct journal_device *entry)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if ((plan->steps[i].kind == STEP_TAKE_DEVICE ||
             plan->steps[i].kind == STEP_MARK_RELEASED) &&
            strcmp(plan->steps[i].device.uuid, entry->uuid) == 0)
            return &plan->steps[i].device;
    return entry;
}

static void add_step(struct world *world, const struct present *present)
{
    struct journal_device device =
        journal_device_copy(entry_after(world->plan, entry_of(present)));
    struct step *step = world_add_step(world, STEP_SET_PARAMETERS, NULL);
    step->gpu = xstrdup(present->gpu->name);
    step->device = device;
    step->device.parameters_due = false;
    step->reason =
        xstrdup("it is not known whether they were written when it was made");
}

void plan_parameters(struct world *world)
{
    for (size_t i = 0; i < world->present_count; i++) {
        const struct present *present = &world->present[i];
        if (!parameters_are_due(present) || present->group->hands_off ||
            has_step(world->plan, entry_of(present)->uuid))
            continue;
        if (!world->in->use)
            world->needs_use = true;
        add_step(world, present);
    }
    for (size_t i = 0; i < world->plan->step_count; i++) {
        struct step *step = &world->plan->steps[i];
        if (step->kind == STEP_CREATE_DEVICE || step->kind == STEP_HAND_OVER_DEVICE ||
            step->kind == STEP_SET_PARAMETERS)
            step->parameters = parameters_of(world->in, &step->device);
    }
}
