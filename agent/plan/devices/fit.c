#include "agent/plan/devices/fit.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/card_types.h"
#include "agent/host/capacity.h"
#include "agent/plan/devices/device_reason.h"
#include "agent/plan/world/ownership.h"
#include "agent/plan/world/place.h"
#include "agent/plan/world/several.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* Limits the length of a plan where a driver offers millions of instances. */
#define MAX_PLACED 4096

static int64_t placed_on(const struct fit *fit, const char *parent)
{
    int64_t count = 0;
    for (size_t i = 0; i < fit->count; i++)
        count += strcmp(fit->fitted[i].device.parent, parent) == 0;
    return count;
}

static int64_t less_transit(struct fit *fit, int64_t room, int64_t transit)
{
    if (room > 0 && room <= transit)
        fit->shortage = "it waits for a device in transition";
    return room - transit;
}

/* True when the kernel would make another device of the type below this parent. */
static bool has_room(struct fit *fit, const struct parent *parent, const char *type_id)
{
    const struct device_type *type = parent_type(parent, type_id);
    if (!type)
        return false;
    if (type->available < 0) {
        fit->shortage = "the number of available instances cannot be read";
        return false;
    }
    int64_t room = type->available - placed_on(fit, parent->name);
    return less_transit(fit, room, group_in_transit(fit->group, parent->name, true)) >
           0;
}

/* True when the card as a whole takes another device: with SR-IOV each free VF shows an
 * instance until the card is full. */
static bool card_has_room(struct fit *fit, const struct gpu *gpu,
                          const struct device_type *type)
{
    if (fit->count >= MAX_PLACED) {
        fit->shortage = "more devices than are made at once";
        return false;
    }
    if (!type->attributes.max_instance)
        return true;
    int64_t most = type->attributes.max_instance;
    int64_t beside = group_limit_beside(fit->group, type->id);
    int64_t room = (beside < most ? beside : most) - gpu_device_count(gpu, type->id) -
                   (int64_t)fit->count;
    return less_transit(fit, room, group_in_transit(fit->group, NULL, false)) > 0;
}

/* Finds the address that the device gets below this parent. "": it is only known once
 * the device has been made. Some backends reuse addresses: an address that belongs to
 * another device, even if only the journal or a domain's definition says so, cannot be
 * used. Returns false when there is no usable address. */
static bool find_address(const struct fit *fit, const struct parent *parent,
                         const struct journal_device *like,
                         char address[DEVICE_ADDRESS_SIZE])
{
    const struct plan_input *in = fit->world->in;
    const struct backend *backend = backend_find(parent->backend);
    if (!backend)
        return false;
    backend->address(parent->name, like->uuid, address);
    if (!*address)
        return true;
    if (*like->address)
        return strcmp(address, like->address) == 0;
    const struct journal_device *entry =
        journal_find_device_at(in->journal, parent->backend, address);
    if (entry && strcmp(entry->uuid, like->uuid) != 0)
        return false;
    return place_is_open_to(fit->world, parent, like->consumer) &&
           (!in->use ||
            !use_is_anothers(device_use_find(in->use, address), like->consumer));
}

/* Where it was before, or what its guest's configuration names already. */
static bool is_preferred(const struct fit *fit, const struct parent *parent,
                         const struct journal_device *like)
{
    return like->parent ? strcmp(parent->name, like->parent) == 0
                        : place_is_of(fit->world, parent, like->consumer);
}

static const struct parent *choose_parent(struct fit *fit, const struct gpu *place,
                                          const struct device_type *type,
                                          const struct journal_device *like,
                                          char address[DEVICE_ADDRESS_SIZE])
{
    const struct parent *chosen = NULL;
    for (size_t i = 0; i < place->parent_count; i++) {
        const struct parent *parent = &place->parents[i];
        bool before = is_preferred(fit, parent, like);
        char found[DEVICE_ADDRESS_SIZE];
        if ((!chosen || before) && has_room(fit, parent, type->id) &&
            find_address(fit, parent, like, found)) {
            chosen = parent;
            text_copy(address, DEVICE_ADDRESS_SIZE, found);
        }
    }
    return chosen;
}

/* An operator can have enabled a type that no section is for: what is desired of a
 * provider decides for its type (struct desired_provider's `sick`). */
char *fit_objection(const struct fit *fit, const struct device_type *type,
                    const struct want *want)
{
    const struct desired_provider *desired = want ? want->managed->desired : NULL;
    if (desired && desired->type_id && strcmp(desired->type_id, type->id) == 0)
        return xstrdup(desired->sick);
    return card_types_forbid(fit->world->in->config, fit->group->gpu, type->id);
}

/* Where it is only known for a part, as in the midst of a removal, what was noted. */
static char *former_of(const struct parent *parent, const struct journal_device *like)
{
    char *former = parent->place_count ? parent->places[0].former : NULL;
    if (!former)
        return like->former;
    return *former ? former : NULL;
}

bool fit_add(struct fit *fit, const struct gpu *place, const struct device_type *type,
             const struct journal_device *like, struct want *want)
{
    if (fit->count && strcmp(fit->fitted[0].device.type_id, type->id) != 0) {
        fit->shortage = "devices of another type are made on this GPU first";
        fit->other_types = true;
        return false;
    }
    _cleanup_free_ char *objection = fit_objection(fit, type, want);
    if (objection || group_has_other_type(fit->group, type->id))
        return false;
    const struct parent *parent = NULL;
    struct journal_device device = *like;
    if (card_has_room(fit, fit->group->gpu, type))
        parent = choose_parent(fit, place, type, like, device.address);
    if (!parent)
        return false;
    text_copy_array(device.backend, parent->backend);
    device.gpu = fit->group->gpu->name;
    device.parent = parent->name;
    device.type_id = type->id;
    device.type_name = type->name;
    device.former = former_of(parent, like);
    struct fitted *fitted = array_add(fit->fitted, fit->count);
    fitted->device = journal_device_copy(&device);
    fitted->want = want;
    return true;
}

void fit_cut(struct fit *fit, size_t count)
{
    while (fit->count > count)
        journal_device_clear(&fit->fitted[--fit->count].device);
}

void fit_emit(struct fit *fit)
{
    if (fit->count && (fit->other_types || fit->group->several))
        fit->world->plan->goes_on = true;
    for (size_t i = 0; i < fit->count; i++) {
        struct fitted *fitted = &fit->fitted[i];
        struct want *want = fitted->want;
        struct step *step =
            world_add_step(fit->world, STEP_CREATE_DEVICE, want ? want->managed : NULL);
        if (want && strcmp(fitted->device.consumer, want->allocation->consumer) == 0)
            strlist_add(&want->devices, fitted->device.uuid);
        else if (!want)
            step->gpu = xstrdup(fitted->device.gpu);
        step->device = fitted->device;
        step->reason = reason_of_creation(fit->group, want, &fitted->device);
    }
    free(fit->fitted);
    *fit = (struct fit){.world = fit->world, .group = fit->group};
}
