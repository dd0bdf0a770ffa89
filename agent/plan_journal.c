#include "agent/plan_journal.h"

#include "lib/xalloc.h"

bool step_is_note(const struct step *step)
{
    return step->kind >= STEP_TAKE_DEVICE;
}

/* What the journal already says of the step's provider, or an empty entry for it. */
static struct journal_provider present(const struct journal *journal,
                                       const struct step *step)
{
    const struct journal_provider *old =
        journal_find_provider(journal, step->entry.uuid);
    if (old)
        return journal_provider_copy(old);
    struct journal_provider entry = journal_provider_copy(&step->entry);
    strlist_clear(&entry.traits);
    entry.overruled = false;
    return entry;
}

static bool put_take(struct journal *journal, struct journal_provider entry)
{
    bool changed = journal_put_provider(journal, &entry);
    journal_provider_clear(&entry);
    return changed;
}

/* Old and new traits together: whichever of them a crash leaves on the provider is
 * known as ours. */
static bool note_traits(struct journal *journal, const struct step *step)
{
    struct journal_provider entry = present(journal, step);
    for (size_t i = 0; i < step->entry.traits.count; i++)
        strlist_add_unique(&entry.traits, step->entry.traits.items[i]);
    strlist_sort(&entry.traits);
    return put_take(journal, entry);
}

static void take_overruled(struct journal_provider *to,
                           const struct journal_provider *from)
{
    to->overruled = from->overruled;
    to->operators_reserved = from->operators_reserved;
    to->operators_ratio = from->operators_ratio;
}

/* What an operator had set is written down before it is overruled, and struck out only
 * after it has been put back. */
static bool note_inventory(struct journal *journal, const struct step *step, bool done)
{
    struct journal_provider entry = present(journal, step);
    if (done || step->entry.overruled)
        take_overruled(&entry, &step->entry);
    return put_take(journal, entry);
}

static bool end_rebuild(struct journal *journal)
{
    bool changed = journal->rebuilding;
    journal->rebuilding = false;
    return changed;
}

bool plan_note_intention(struct journal *journal, const struct step *step)
{
    switch (step->kind) {
    case STEP_CREATE_PROVIDER:
        return put_take(journal, present(journal, step));
    case STEP_SET_TRAITS:
        return note_traits(journal, step);
    case STEP_SET_INVENTORY:
        return note_inventory(journal, step, false);
    case STEP_NOTE_PROVIDER:
        return journal_put_provider(journal, &step->entry);
    case STEP_FORGET_PROVIDER:
        return journal_drop_provider(journal, step->provider);
    case STEP_CREATE_DEVICE:
    case STEP_TAKE_DEVICE:
    case STEP_MARK_RELEASED:
        return journal_put_device(journal, &step->device);
    case STEP_FORGET_DEVICE:
        return journal_drop_device(journal, step->device.uuid);
    case STEP_END_REBUILD:
        return end_rebuild(journal);
    case STEP_CREATE_TRAIT:
    case STEP_CREATE_CLASS:
    case STEP_CREATE_ROOT:
    case STEP_REMOVE_DEVICE:
    case STEP_DELETE_PROVIDER:
        return false;
    }
    return false;
}

bool plan_note_done(struct journal *journal, const struct step *step)
{
    switch (step->kind) {
    case STEP_SET_TRAITS: {
        struct journal_provider entry = present(journal, step);
        strlist_clear(&entry.traits);
        entry.traits = strlist_copy(&step->entry.traits);
        return put_take(journal, entry);
    }
    case STEP_SET_INVENTORY:
        return note_inventory(journal, step, true);
    case STEP_REMOVE_DEVICE:
        return journal_drop_device(journal, step->device.uuid);
    case STEP_DELETE_PROVIDER:
        return journal_drop_provider(journal, step->provider);
    default:
        return false;
    }
}
