#include "agent/plan/steps/journal_notes.h"

#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* What the journal says of the step's provider, or an empty entry for it. */
static struct journal_provider present(const struct journal *journal,
                                       const struct step *step)
{
    const struct journal_provider *old =
        journal_find_provider(journal, step->entry.uuid);
    if (old)
        return journal_provider_copy(old);
    struct journal_provider entry = {.name = xstrdup(step->entry.name),
                                     .gpu = xstrdup(step->entry.gpu)};
    uuid_text_copy(entry.uuid, step->entry.uuid);
    return entry;
}

static bool put_take(struct journal *journal, struct journal_provider entry)
{
    bool changed = journal_put_provider(journal, &entry);
    journal_provider_clear(&entry);
    return changed;
}

/* Notes old and new traits together, so that after a crash the agent recognises as its
 * own whichever of them are on the provider. */
static bool intend_traits(struct journal *journal, const struct step *step)
{
    struct journal_provider entry = present(journal, step);
    for (size_t i = 0; i < step->entry.traits.count; i++)
        strlist_add_unique(&entry.traits, step->entry.traits.items[i]);
    strlist_sort(&entry.traits);
    return put_take(journal, entry);
}

/* Notes an operator's values before they are overruled, and drops them only after they
 * have been put back. A class stays noted until its inventory is gone. */
static bool intend_inventory(struct journal *journal, const struct step *step)
{
    struct journal_provider entry = present(journal, step);
    for (size_t i = 0; i < step->entry.inventory_count; i++) {
        const struct journal_inventory *inventory = &step->entry.inventories[i];
        struct journal_inventory *noted =
            journal_find_inventory(&entry, inventory->resource_class);
        if (inventory->overruled || !noted) {
            journal_put_inventory(&entry, inventory);
        } else if (inventory->operators_max_unit || inventory->files_max_unit) {
            noted->operators_max_unit = inventory->operators_max_unit;
            noted->files_max_unit = inventory->files_max_unit;
        }
    }
    return put_take(journal, entry);
}

/* Replaces the part of the journal's entry that the step has written by what the step
 * says. */
static bool finish(struct journal *journal, const struct step *step)
{
    struct journal_provider old = present(journal, step);
    bool traits = step->kind == STEP_SET_TRAITS;
    struct journal_provider entry = journal_provider_copy(traits ? &old : &step->entry);
    strlist_clear(&entry.traits);
    entry.traits = strlist_copy(traits ? &step->entry.traits : &old.traits);
    journal_provider_clear(&old);
    return put_take(journal, entry);
}

/* Notes a device before it is made. A device that was somebody else's before it was
 * lost stays marked as adopted until it is known who made it: its former maker may be
 * making it again at the same time. */
static bool intend_device(struct journal *journal, const struct step *step)
{
    const struct journal_device *old = journal_find_device(journal, step->device.uuid);
    struct journal_device entry = step->device; /* borrows */
    entry.adopted |= old && old->adopted;
    entry.parameters_due = step->parameters != NULL;
    return journal_put_device(journal, &entry);
}

/* A device that is somebody else's is not noted because of its parameters. */
static bool intend_parameters(struct journal *journal, const struct step *step)
{
    struct journal_device entry = step->device; /* borrows */
    entry.parameters_due = true;
    return journal_find_device(journal, entry.uuid) &&
           journal_put_device(journal, &entry);
}

/* The entry goes, and its unit is noted as used, in one. */
static bool drop_device(struct journal *journal, const struct step *step)
{
    if (!journal_drop_device(journal, step->device.uuid))
        return false;
    if (step->spends)
        journal_spend(journal, step->device.gpu, 1);
    return true;
}

static bool end_rebuild(struct journal *journal)
{
    bool changed = journal->rebuilding;
    journal->rebuilding = false;
    return changed;
}

bool plan_note_root(struct journal *journal, const struct plan *plan)
{
    return *plan->root && journal_put_root(journal, plan->root, plan->root_name);
}

bool plan_note_intention(struct journal *journal, const struct step *step)
{
    switch (step->kind) {
    case STEP_CREATE_PROVIDER:
        return put_take(journal, present(journal, step));
    case STEP_SET_TRAITS:
        return intend_traits(journal, step);
    case STEP_SET_INVENTORY:
        return intend_inventory(journal, step);
    case STEP_NOTE_PROVIDER:
        return journal_put_provider(journal, &step->entry);
    case STEP_FORGET_PROVIDER:
        return journal_drop_provider(journal, step->provider);
    case STEP_CREATE_DEVICE:
        return intend_device(journal, step);
    case STEP_TAKE_DEVICE:
    case STEP_MARK_RELEASED:
        return journal_put_device(journal, &step->device);
    case STEP_FORGET_DEVICE:
        return drop_device(journal, step);
    case STEP_SET_PARAMETERS:
        return intend_parameters(journal, step);
    case STEP_END_REBUILD:
        return end_rebuild(journal);
    case STEP_CREATE_TRAIT:
    case STEP_CREATE_CLASS:
    case STEP_CREATE_ROOT:
    case STEP_REMOVE_DEVICE:
    case STEP_HAND_OVER_DEVICE: /* stays the former consumer's until it is cleared */
    case STEP_DELETE_PROVIDER:
        return false;
    }
    return false;
}

/* The parameters of the device are written. */
static bool settle_parameters(struct journal *journal, const char *uuid)
{
    struct journal_device *noted = journal_find_device(journal, uuid);
    if (!noted || !noted->parameters_due)
        return false;
    noted->parameters_due = false;
    return true;
}

/* Notes a device that was made. A device that somebody else has made keeps its entry,
 * except for the address, which is known now. */
static bool finish_device(struct journal *journal, const struct step *step,
                          bool existed, const char *address)
{
    bool changed = !existed && journal_put_device(journal, &step->device);
    bool fitted = address && plan_note_late(journal, step->device.uuid, address);
    bool settled = settle_parameters(journal, step->device.uuid);
    return changed || fitted || settled;
}

/* A trait that is there although it was to be made is somebody else's, whoever had made
 * it before. A class is asked for before each write of its inventory, so that it may be
 * the agent's. */
static bool note_name(struct journal *journal, const struct step *step, bool existed)
{
    bool trait = step->kind == STEP_CREATE_TRAIT;
    struct strlist *made = trait ? &journal->made_traits : &journal->made_classes;
    if (existed)
        return trait && strlist_remove(made, step->name);
    bool changed = strlist_add_unique(made, step->name);
    strlist_sort(made);
    return changed;
}

bool plan_note_done(struct journal *journal, const struct step *step, bool existed,
                    const char *address)
{
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
    case STEP_CREATE_CLASS:
        return note_name(journal, step, existed);
    case STEP_SET_TRAITS:
    case STEP_SET_INVENTORY:
        return finish(journal, step);
    case STEP_CREATE_DEVICE:
        return finish_device(journal, step, existed, address);
    case STEP_HAND_OVER_DEVICE:
        return journal_put_device(journal, &step->device);
    case STEP_SET_PARAMETERS:
        return journal_find_device(journal, step->device.uuid) &&
               journal_put_device(journal, &step->device);
    case STEP_REMOVE_DEVICE:
        return drop_device(journal, step);
    case STEP_DELETE_PROVIDER:
        return journal_drop_provider(journal, step->provider);
    default:
        return false;
    }
}

bool plan_note_taken(struct journal *journal, const char *uuid)
{
    struct journal_device *noted = journal_find_device(journal, uuid);
    if (!noted || !*noted->address || strcmp(noted->address, uuid) == 0)
        return false;
    noted->address[0] = 0;
    return true;
}

bool plan_note_late(struct journal *journal, const char *uuid, const char *address)
{
    const struct journal_device *noted = journal_find_device(journal, uuid);
    if (!noted || !*address)
        return false;
    struct journal_device entry = *noted; /* borrows */
    text_copy_array(entry.address, address);
    entry.parameters_due = false;
    return journal_put_device(journal, &entry);
}
