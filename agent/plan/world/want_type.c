#include "agent/plan/world/want_type.h"

#include <string.h>

#include "agent/desired/type_traits.h"

/* ---- the type that an allocation means ---- */

/* The one of the card's types whose trait the provider has; NULL: none, or several. */
static const char *type_by_traits(const struct want *want)
{
    const char *found = NULL;
    for (const struct managed *m = want->group->configured; m; m = m->next) {
        if (!m->desired->type_id)
            continue;
        _cleanup_free_ char *trait = trait_custom(m->desired->type_id);
        if (!strlist_contains(&want->managed->observed->traits, trait))
            continue;
        if (found)
            return NULL;
        found = m->desired->type_id;
    }
    return found;
}

const char *want_type_id(const struct want *want)
{
    const struct desired_provider *desired = want->managed->desired;
    if (desired && !desired->is_card)
        return desired->type_id;
    return want->group->several || want->managed->left ? type_by_traits(want) : NULL;
}

static const char *name_of(const struct want *want, const char *type_id)
{
    const struct device_type *type =
        want->group->gpu ? gpu_type(want->group->gpu, type_id) : NULL;
    return type ? type->name : NULL;
}

bool want_takes_type(const struct want *want, const char *type_id,
                     const char *type_name)
{
    const char *own = want->group->several ? want_type_id(want) : NULL;
    if (!own || !type_id || strcmp(own, type_id) == 0)
        return true;
    const char *name = name_of(want, own);
    return name && type_name && strcmp(name, type_name) == 0;
}

/* ---- the types of its devices ---- */

const struct device_type *entry_type(const struct gpu *place,
                                     const struct journal_device *entry)
{
    return gpu_resolve_type(place,
                            entry->type_name ? entry->type_name : entry->type_id);
}

const struct gpu *want_place(const struct want *want)
{
    const struct desired_provider *desired = want->managed->desired;
    return desired && desired->gpu ? &desired->view : want->group->gpu;
}

const struct device_type *want_new_type(const struct want *want)
{
    const char *type_id = want_type_id(want);
    return type_id && want_place(want) ? gpu_type(want_place(want), type_id) : NULL;
}

const struct device_type *want_lost_type(const struct want *want)
{
    for (size_t i = 0; i < want->group->lost_count; i++) {
        const struct lost *lost = &want->group->lost[i];
        const struct device_type *type =
            lost->want == want ? entry_type(want_place(want), lost->entry) : NULL;
        if (type && type != want_new_type(want))
            return type;
    }
    return NULL;
}

bool managed_makes_other_type(const struct managed *managed)
{
    const struct group *group = managed->group;
    if (!group || !group->gpu)
        return false;
    const char *configured = managed->desired->type_id;
    for (size_t i = 0; i < group->want_count; i++) {
        const struct device_type *type = want_lost_type(&group->wants[i]);
        if (type && configured && strcmp(type->id, configured) == 0)
            continue;
        for (size_t j = 0; type && j < group->gpu->parent_count; j++) {
            const struct device_type *here =
                parent_type(&group->gpu->parents[j], type->id);
            if (here && here->available > 0)
                return true;
        }
    }
    return false;
}
