#include "agent/plan/steps/step.h"

#include <stdlib.h>

/* The steps that need a trait or class fail by themselves when it cannot be made. Each
 * device is another consumer's: one that the kernel always refuses must not stop the
 * others. Without the root nothing can be done. */
static const struct step_rules rules[] = {
    [STEP_CREATE_TRAIT] = {"create trait", DONE_BY_PLACEMENT, true, true},
    [STEP_CREATE_CLASS] = {"create class", DONE_BY_PLACEMENT, true, true},
    [STEP_CREATE_ROOT] = {"create root", DONE_BY_PLACEMENT, true, false},
    [STEP_CREATE_PROVIDER] = {"create provider", DONE_BY_PLACEMENT, false, false},
    [STEP_SET_INVENTORY] = {"set inventory", DONE_BY_PLACEMENT, false, false},
    [STEP_SET_TRAITS] = {"set traits", DONE_BY_PLACEMENT, false, false},
    [STEP_REMOVE_DEVICE] = {"remove device", DONE_BY_WORKER, false, true},
    [STEP_CREATE_DEVICE] = {"create device", DONE_BY_WORKER, false, true},
    [STEP_HAND_OVER_DEVICE] = {"hand over device", DONE_BY_WORKER, false, true},
    [STEP_SET_PARAMETERS] = {"set parameters", DONE_BY_WORKER, false, true},
    [STEP_DELETE_PROVIDER] = {"delete provider", DONE_BY_PLACEMENT, false, false},
    [STEP_TAKE_DEVICE] = {"take device", DONE_BY_JOURNAL, false, false},
    [STEP_MARK_RELEASED] = {"mark released", DONE_BY_JOURNAL, false, false},
    [STEP_FORGET_DEVICE] = {"forget device", DONE_BY_JOURNAL, false, false},
    [STEP_NOTE_PROVIDER] = {"note provider", DONE_BY_JOURNAL, false, false},
    [STEP_FORGET_PROVIDER] = {"forget provider", DONE_BY_JOURNAL, false, false},
    [STEP_END_REBUILD] = {"end rebuild", DONE_BY_JOURNAL, false, false},
};

const struct step_rules *step_rules(enum step_kind kind)
{
    return &rules[kind];
}

const char *step_kind_name(enum step_kind kind)
{
    return rules[kind].name;
}

void step_clear(struct step *step)
{
    free(step->gpu);
    free(step->provider_name);
    free(step->name);
    free(step->reason);
    free(step->parameters);
    class_inventories_free(step->inventories, step->inventory_count);
    strlist_clear(&step->traits);
    strlist_clear(&step->functions);
    journal_provider_clear(&step->entry);
    journal_device_clear(&step->device);
}
