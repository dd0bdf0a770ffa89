#include "agent/report/preflight.h"

#include <stdlib.h>

#include "agent/report/preflight_rules.h"
#include "lib/xalloc.h"

struct preflight_item *preflight_add(struct preflight *out, const char *check,
                                     enum preflight_state state, char *found,
                                     char *remedy)
{
    struct preflight_item *item = array_add(out->items, out->count);
    *item = (struct preflight_item){
        .check = check, .state = state, .found = found, .remedy = remedy};
    return item;
}

void preflight_add_told(struct preflight *out, const char *check,
                        enum preflight_state state, char *found, char *remedy)
{
    preflight_add(out, check, state, found, remedy)->of_configuration = true;
}

static void (*const rules[])(const struct preflight_seen *seen,
                             struct preflight *out) = {
    preflight_judge_gpus,     preflight_judge_driver,   preflight_judge_functions,
    preflight_judge_kinds,    preflight_judge_iommu,    preflight_judge_vfio,
    preflight_judge_vfio_pci, preflight_judge_lockdown, preflight_judge_vendors,
    preflight_judge_rights,   preflight_judge_mdevctl,  preflight_judge_libvirt,
};

struct preflight preflight_judge(const struct preflight_seen *seen)
{
    struct preflight out = {0};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        rules[i](seen, &out);
    return out;
}

bool preflight_is_missing(const struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++)
        if (preflight->items[i].state == PREFLIGHT_MISSING)
            return true;
    return false;
}

const char *preflight_state_name(enum preflight_state state)
{
    static const char *const names[] = {"ok", "missing", "unknown"};
    return names[state];
}

void preflight_clear(struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++) {
        free(preflight->items[i].found);
        free(preflight->items[i].remedy);
    }
    free(preflight->items);
    *preflight = (struct preflight){0};
}

void preflight_seen_clear(struct preflight_seen *seen)
{
    free(seen->command_line);
    free(seen->vfio_node_mode);
    free(seen->lockdown);
    free(seen->vendors);
    free(seen->user);
    free(seen->refused_file);
    free(seen->unseen_file);
    free(seen->libvirt.obstacle);
    *seen = (struct preflight_seen){0};
}
