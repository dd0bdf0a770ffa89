#include "agent/plan/devices/device_reason.h"

#include <inttypes.h>
#include <string.h>

#include "lib/duration.h"
#include "lib/xalloc.h"

char *reason_of_taking(const struct present *present, const struct want *want,
                       const struct journal_device *entry)
{
    const struct journal_device *before = present->entry;
    if (!before)
        return xstrdup(present->computed
                           ? "it was made for it, and the state file does not have it"
                           : "nobody has it, or its domain names it, and it meets the "
                             "allocation");
    if (strcmp(before->consumer, entry->consumer) != 0)
        return xasprintf("it was consumer %s's, and meets the allocation now",
                         before->consumer);
    if (strcmp(before->migration, entry->migration) != 0)
        return entry->migration[0]
                   ? xasprintf("it stands for the allocation of the migration %s",
                               entry->migration)
                   : xstrdup("the migration that it stood for is over");
    if (before->released_at)
        return xstrdup("it has an allocation again");
    if (strcmp(before->provider, entry->provider) != 0)
        return xasprintf("its allocation is on %s now", want->managed->name);
    return xstrdup("the state file tells otherwise of its place or type");
}

char *reason_of_handing_over(const struct present *present)
{
    return present->entry
               ? xasprintf("it was %s's, and is cleared of what was set for it",
                           present->entry->consumer)
               : xstrdup("nobody has it; it is cleared of what was set on it");
}

static bool was_there(const struct group *group, const char *uuid)
{
    for (size_t i = 0; i < group->lost_count; i++)
        if (strcmp(group->lost[i].entry->uuid, uuid) == 0)
            return true;
    return false;
}

char *reason_of_creation(const struct group *group, const struct want *want,
                         const struct journal_device *device)
{
    if (device->by_hand)
        return xstrdup(
            "it was ordered by hand (`vgpu-agent create`), and is not there");
    if (was_there(group, device->uuid))
        return xstrdup("the state file has it, it is wanted, and it is not there");
    if (!want || device->adopted)
        return xstrdup("a domain names it");
    int64_t there = 0;
    for (size_t i = 0; i < group->present_count; i++)
        there += group->present[i].want == want;
    return xasprintf("%" PRId64 " of %s are allocated, with %" PRId64 " devices",
                     want->allocation->amount, want->allocation->resource_class, there);
}

char *reason_of_removal(const struct journal_device *entry, int64_t now)
{
    _cleanup_free_ char *ago = duration_text(now - entry->released_at);
    return xasprintf("no allocation any more for %s, and nobody holds it", ago);
}
