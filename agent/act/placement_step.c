#include "agent/act/placement_step.h"

#include <assert.h>
#include <string.h>

static int create_provider(struct placement_client *client, const struct step *step,
                           const char *parent, int64_t *generation, struct error *err)
{
    if (placement_create_provider(client, step->provider, step->provider_name, parent,
                                  err) == 0) {
        *generation = 0;
        return 0;
    }
    /* The provider was created by an earlier attempt whose reply was lost, or by
     * somebody else: it must be read first to know which, and what its generation
     * is. */
    if (err->code == ERROR_EXISTS)
        err->code = ERROR_CONFLICT;
    return -1;
}

static int delete_provider(struct placement_client *client, const struct step *step,
                           struct error *err)
{
    if (placement_delete_provider(client, step->provider, err) == 0)
        return 0;
    return err->code == ERROR_NOT_FOUND ? 0 : -1;
}

int placement_step(struct placement_client *client, const struct step *step,
                   const char *root_uuid, int64_t *generation, bool *made,
                   struct error *err)
{
    *made = false;
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
        return placement_create_trait(client, step->name, made, err);
    case STEP_CREATE_CLASS:
        return placement_create_class(client, step->name, made, err);
    case STEP_CREATE_ROOT:
        return create_provider(client, step, NULL, generation, err);
    case STEP_CREATE_PROVIDER:
        return create_provider(client, step, *step->parent ? step->parent : root_uuid,
                               generation, err);
    case STEP_SET_INVENTORY:
        return placement_put_inventories(client, step->provider, step->inventories,
                                         step->inventory_count, generation, err);
    case STEP_SET_TRAITS:
        return placement_put_provider_traits(client, step->provider, &step->traits,
                                             generation, err);
    case STEP_DELETE_PROVIDER:
        return delete_provider(client, step, err);
    default:
        assert(!"a step for Placement");
        return error_set(err, ERROR_INVALID, "not a step for Placement");
    }
}

int placement_step_is_due(struct placement_client *client, const struct step *step,
                          struct error *err)
{
    const struct journal_device *device = &step->device;
    struct provider_allocation *list = NULL;
    size_t count = 0;
    int64_t generation, units = 0;
    if (placement_get_provider_allocations(client, step->provider, &list, &count,
                                           &generation, err) != 0) {
        if (err->code == ERROR_NOT_FOUND)
            err->code = ERROR_CONFLICT;
        return -1;
    }
    bool anybodys = journal_device_is_cut(device);
    for (size_t i = 0; i < count; i++)
        if (anybodys || (strcmp(list[i].consumer, device->consumer) == 0 &&
                         strcmp(list[i].resource_class, device->resource_class) == 0))
            units += list[i].amount;
    provider_allocations_free(list, count);
    if (anybodys && units)
        return error_set(err, ERROR_CONFLICT,
                         "%s keeps its type: something is allocated on its card by now",
                         device->address);
    if (units > step->units)
        return error_set(err, ERROR_CONFLICT,
                         "device %s stays: its consumer %s has an allocation again",
                         device->uuid, device->consumer);
    return 0;
}
