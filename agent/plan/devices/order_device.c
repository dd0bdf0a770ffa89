#include "agent/plan/devices/order_device.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/plan/devices/release.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define NO_SPACE "00000000-0000-0000-0000-000000000000"

/* ---- the device ---- */

static const struct journal_device *entry_of(const struct present *present)
{
    return present->hand ? present->hand : present->entry;
}

static bool is_called(const struct present *present, const char *name)
{
    const struct journal_device *entry = entry_of(present);
    return strcmp(present->device->address, name) == 0 ||
           strcmp(present->device->uuid, name) == 0 ||
           (entry && strcmp(entry->uuid, name) == 0);
}

static const struct present *find(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->present_count; i++)
        if (is_called(&world->present[i], name))
            return &world->present[i];
    return NULL;
}

/* A step on the device. Where the journal does not have it, it gets an entry for the
 * step alone, with a uuid of its own where the host knows none. */
static struct step *add_step(struct world *world, enum step_kind kind,
                             const struct present *present, const char *reason)
{
    const struct journal_device *entry = entry_of(present);
    struct journal_device device = entry ? *entry : (struct journal_device){0};
    if (!entry && *present->device->uuid)
        uuid_text_copy(device.uuid, present->device->uuid);
    else if (!entry)
        uuid5_text(NO_SPACE, present->device->address, device.uuid);
    text_copy_array(device.backend, present->device->backend);
    text_copy_array(device.address, present->device->address);
    device.gpu = present->gpu->name;
    device.parent = present->parent->name;
    device.type_id = present->device->type_id;
    const struct device_type *type =
        parent_type(present->parent, present->device->type_id);
    if (type)
        device.type_name = type->name;
    struct step *step = world_add_step(world, kind, NULL);
    step->gpu = xstrdup(present->gpu->name);
    step->device = journal_device_copy(&device);
    step->functions = strlist_copy(&present->device->functions);
    step->ordered = true;
    step->reason = xstrdup(reason);
    return step;
}

/* ---- removal ---- */

/* Who has the device, as a text; NULL: nobody. */
static char *holder_of(const struct world *world, const struct used_device *use)
{
    if (use && *use->domain)
        return xasprintf("the %s domain %s names it",
                         use->running ? "running" : "libvirt", use->domain);
    if (use && use->group_open)
        return xasprintf("the process %d has it open", (int)use->holder);
    if (use)
        return xstrdup("mdevctl defines it (`mdevctl undefine`)");
    return world->in->use && world->in->use->unknown
               ? xstrdup("who uses devices cannot all be seen (`vgpu-agent devices` "
                         "says why)")
               : NULL;
}

/* Why the device is not to be removed without force; NULL: nothing is allocated that it
 * meets. */
static char *owner_of(const struct world *world, const struct present *present)
{
    const struct want *want = present->want;
    const struct journal_device *entry = present->entry;
    if (want)
        return xasprintf(
            "consumer %s has it by an allocation on %s; with --force it is "
            "removed, and made again in the next cycle as long as the "
            "allocation stands",
            want->allocation->consumer, want->managed->name);
    if (present->hand)
        return NULL;
    if (entry && !entry->released_at && present_is_out_of_sight(world, present))
        return xasprintf(
            "its provider was not seen in Placement, and by the state file "
            "it is consumer %s's",
            entry->consumer);
    if (world->in->journal->rebuilding)
        return xstrdup("the state file was lost, and it is not known yet whose the "
                       "device is");
    if (!world->in->observed && entry && !entry->released_at)
        return xasprintf(
            "Placement cannot be read, and by the state file it is consumer "
            "%s's",
            entry->consumer);
    return NULL;
}

static char *why_not(const struct world *world, const struct present *present,
                     bool force)
{
    char *holder = holder_of(world, present->use);
    if (holder) {
        char *text = xasprintf(
            present->use ? "it is in use: %s" : "it may be in use: %s", holder);
        free(holder);
        return text;
    }
    if (present->gpu->health != GPU_OK)
        return xasprintf("the GPU is not well: %s",
                         gpu_health_name(present->gpu->health));
    if (present->group->hands_off)
        return xstrdup(
            "its provider is nova-compute's, and nothing is removed there in "
            "owner mode");
    if (world->in->config->agent.mode == MODE_NOVA_PCI)
        return xstrdup("in mode nova-pci the configuration decides which types virtual "
                       "functions have");
    if (backend_is_permanent(present->device->backend) && !entry_of(present))
        return xstrdup("no consumer has it, and it is a part of its card, which cannot "
                       "be removed");
    return force ? NULL : owner_of(world, present);
}

/* A device whose consumer has an allocation goes only as long as that is the one that
 * was seen. */
static void add_removal(struct world *world, const struct present *present)
{
    struct plan *plan = world->plan;
    const struct want *want = present->want;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_REMOVE_DEVICE &&
            strcmp(plan->steps[i].device.address, present->device->address) == 0) {
            plan->steps[i].ordered = true;
            return;
        }
    struct step *step =
        add_step(world, STEP_REMOVE_DEVICE, present, "an operator has ordered it");
    step->spends =
        present->entry && release_spends(world, present->group, present->entry);
    if (want && want->managed->observed) {
        uuid_text_copy(step->provider, want->managed->uuid);
        uuid_text_copy(step->device.consumer, want->allocation->consumer);
        if (!step->device.resource_class)
            step->device.resource_class = xstrdup(want->allocation->resource_class);
        step->units = want->allocation->amount;
        plan->goes_on = true;
    }
}

/* An entry whose device does not exist is dropped; that of an allocation stays, since
 * the device would only be made again. */
static enum order_state forget(struct world *world, const struct order *order,
                               char **reason)
{
    const struct journal_device *entry =
        journal_find_device(world->in->journal, order->device);
    if (!entry)
        return ORDER_MET;
    if (!entry->by_hand) {
        *reason =
            xasprintf("it is not there; it is consumer %s's, and is made again as "
                      "long as that has an allocation",
                      entry->consumer);
        return ORDER_REFUSED;
    }
    /* What is no device may be the rest of one that was made or removed by half. */
    struct step *step = world_add_step(
        world,
        backend_leaves_parts(entry->backend) ? STEP_REMOVE_DEVICE : STEP_FORGET_DEVICE,
        NULL);
    step->gpu = xstrdup(entry->gpu);
    step->device = journal_device_copy(entry);
    step->ordered = true;
    step->reason = xstrdup("an operator has ordered it, and the device is gone");
    return ORDER_PLANNED;
}

enum order_state order_removal(struct world *world, const struct order *order,
                               char **reason)
{
    const struct present *present = find(world, order->device);
    if (!world->in->use)
        world->needs_use = true;
    if (!present)
        return forget(world, order, reason);
    if (!present_is_settled(present)) {
        *reason = xstrdup("it is being made or removed");
        return ORDER_WAITS;
    }
    *reason = why_not(world, present, order->force);
    if (*reason)
        return ORDER_REFUSED;
    add_removal(world, present);
    return ORDER_PLANNED;
}

/* ---- parameters ---- */

enum order_state order_parameters(struct world *world, const struct order *order,
                                  char **reason)
{
    const struct present *present = find(world, order->device);
    if (!world->in->use)
        world->needs_use = true;
    if (!present) {
        *reason = xstrdup("there is no such device");
        return ORDER_REFUSED;
    }
    if (!present_is_settled(present)) {
        *reason = xstrdup("it is being made or removed");
        return ORDER_WAITS;
    }
    const struct used_device *use = present->use;
    if (use && (use->running || use->group_open)) {
        *reason = xstrdup("a guest has it, and the driver takes parameters only before "
                          "it starts");
        return ORDER_REFUSED;
    }
    /* A domain that does not run is no obstacle, nor is mdevctl. */
    *reason = use ? NULL : holder_of(world, NULL);
    if (*reason)
        return ORDER_REFUSED;
    struct step *step =
        add_step(world, STEP_SET_PARAMETERS, present, "an operator has ordered it");
    free(step->device.parameters);
    step->device.parameters = xstrdup(order->parameters);
    step->device.parameters_due = false;
    return ORDER_PLANNED;
}
