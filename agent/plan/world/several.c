#include "agent/plan/world/several.h"

#include <string.h>

#include "agent/host/capacity.h"
#include "agent/plan/world/want_type.h"
#include "lib/xalloc.h"

/* ---- devices that are to be made ---- */

static const char *lost_type_id(const struct want *want, const struct lost *lost)
{
    const struct device_type *type =
        want->group->gpu ? entry_type(want->group->gpu, lost->entry) : NULL;
    return type ? type->id : want_type_id(want);
}

/* Of the device that is to be made for the want first: a lost one has its old type.
 * NULL: none is to be made, or it is not known. */
static const char *next_type_id(const struct want *want)
{
    for (size_t i = 0; i < want->group->lost_count; i++)
        if (want->group->lost[i].want == want)
            return lost_type_id(want, &want->group->lost[i]);
    return want_missing(want) > 0 ? want_type_id(want) : NULL;
}

static bool is_other(const struct managed *managed, const char *type_id)
{
    return type_id && managed->desired->type_id &&
           strcmp(type_id, managed->desired->type_id) != 0;
}

int64_t want_to_be_made_of_others(const struct want *want,
                                  const struct managed *managed)
{
    int64_t count = 0;
    for (size_t i = 0; i < want->group->lost_count; i++)
        count += want->group->lost[i].want == want &&
                 is_other(managed, lost_type_id(want, &want->group->lost[i]));
    if (want_missing(want) > 0 && is_other(managed, want_type_id(want)))
        count += want_missing(want);
    return count;
}

/* ---- one type at a time ---- */

/* The type of a device that is being made is known from the journal. */
static const char *type_of(const struct present *present)
{
    if (present->device->type_id)
        return present->device->type_id;
    return present->entry ? present->entry->type_id : NULL;
}

int64_t group_limit_beside(const struct group *group, const char *type_id)
{
    _cleanup_strlist_ struct strlist moving = {0};
    for (size_t i = 0; i < group->present_count; i++)
        if (!group->present[i].device->type_id && type_of(&group->present[i]))
            strlist_add(&moving, type_of(&group->present[i]));
    return gpu_limit_beside(group->gpu, type_id, &moving);
}

bool group_has_other_type(const struct group *group, const char *type_id)
{
    for (size_t i = 0; group->exclusive && i < group->present_count; i++) {
        const char *type = type_of(&group->present[i]);
        if (type && strcmp(type, type_id) != 0)
            return true;
    }
    return false;
}

static bool has_any_type(const struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++)
        if (type_of(&group->present[i]))
            return true;
    return false;
}

/* The type of the first device that create_devices() makes; NULL: it makes none. */
static const char *first_to_be_made(const struct group *group)
{
    for (int missing = 0; missing < 2; missing++)
        for (size_t i = 0; i < group->want_count; i++) {
            const struct want *want = &group->wants[i];
            const char *type =
                (want_missing(want) > 0) == (missing == 1) ? next_type_id(want) : NULL;
            if (type)
                return type;
        }
    return NULL;
}

bool managed_is_excluded(const struct managed *managed)
{
    const struct group *group = managed->group;
    const char *own = managed->desired ? managed->desired->type_id : NULL;
    if (!own || !group || !group->exclusive)
        return false;
    if (has_any_type(group))
        return group_has_other_type(group, own);
    const char *first = first_to_be_made(group);
    return first && strcmp(first, own) != 0;
}

bool managed_is_crowded_out(const struct managed *managed)
{
    const struct group *group = managed->group;
    for (size_t i = 0; group && managed->desired->mixed && i < group->present_count;
         i++)
        if (present_is_configured(&group->present[i]) &&
            !present_is_of(&group->present[i], managed))
            return true;
    return false;
}

char *group_carries(const struct group *group)
{
    const char *type = NULL;
    size_t count = 0;
    for (size_t i = 0; i < group->present_count; i++) {
        const char *found = type_of(&group->present[i]);
        if (!type)
            type = found;
        count += type && found && strcmp(type, found) == 0;
    }
    if (!type)
        return xstrdup("");
    return xasprintf("'%s' (%zu device%s)", type, count, count == 1 ? "" : "s");
}
