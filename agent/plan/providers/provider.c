#include "agent/plan/providers/provider.h"

#include <string.h>

#include "agent/plan/providers/inventory.h"
#include "agent/plan/providers/provider_reason.h"
#include "agent/plan/providers/prune.h"
#include "agent/plan/providers/service.h"
#include "agent/plan/providers/traits.h"
#include "agent/plan/world/managed.h"
#include "lib/xalloc.h"

static bool starts_custom(const char *name)
{
    return strncmp(name, "CUSTOM_", strlen("CUSTOM_")) == 0;
}

/* ---- traits and classes ---- */

static bool is_planned(const struct world *world, enum step_kind kind, const char *name)
{
    for (size_t i = 0; i < world->plan->step_count; i++)
        if (world->plan->steps[i].kind == kind &&
            strcmp(world->plan->steps[i].name, name) == 0)
            return true;
    return false;
}

static void add_name(struct world *world, enum step_kind kind, const char *name)
{
    struct step *step = world_add_step(world, kind, NULL);
    step->name = xstrdup(name);
    step->reason = xstrdup(kind == STEP_CREATE_TRAIT
                               ? "Placement does not have it yet"
                               : "a provider is to have inventory of it, and none "
                                 "has any yet");
}

static void need(struct world *world, enum step_kind kind, const char *name)
{
    if (starts_custom(name) && !is_planned(world, kind, name))
        add_name(world, kind, name);
}

static void need_traits(struct world *world, const struct managed *managed,
                        const struct strlist *traits)
{
    for (size_t i = 0; i < traits->count; i++)
        if (!strlist_contains(&world->in->observed->known_traits, traits->items[i]) &&
            !(managed->observed &&
              strlist_contains(&managed->observed->traits, traits->items[i])))
            need(world, STEP_CREATE_TRAIT, traits->items[i]);
}

/* True when the class is known to exist. The agent did not ask for the server's
 * classes; a class that is in use anywhere in the tree exists. */
static bool is_known_class(const struct world *world, const char *resource_class)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++)
        for (size_t j = 0; j < observed->providers[i].inventory_count; j++)
            if (strcmp(observed->providers[i].inventories[j].resource_class,
                       resource_class) == 0)
                return true;
    return false;
}

/* ---- steps ---- */

static void set_traits(struct world *world, const struct managed *managed,
                       const struct traits_decision *traits,
                       const struct journal_provider *entry)
{
    if (!traits->changed)
        return;
    need_traits(world, managed, &traits->all);
    struct step *step = world_add_step(world, STEP_SET_TRAITS, managed);
    step->traits = strlist_copy(&traits->all);
    step->reason = reason_of_traits(managed, traits);
    step->entry = journal_provider_copy(entry);
}

static void set_inventory(struct world *world, const struct managed *managed,
                          struct inventory_decision *inventory,
                          const struct journal_provider *entry)
{
    if (!inventory->changed) {
        class_inventories_free(inventory->all, inventory->count);
        return;
    }
    for (size_t i = 0; i < inventory->count; i++)
        if (!is_known_class(world, inventory->all[i].resource_class))
            need(world, STEP_CREATE_CLASS, inventory->all[i].resource_class);
    struct step *step = world_add_step(world, STEP_SET_INVENTORY, managed);
    step->reason = reason_of_inventory(world, managed, inventory);
    step->inventories = inventory->all;
    step->inventory_count = inventory->count;
    step->entry = journal_provider_copy(entry);
}

static struct journal_provider entry_of(const struct managed *managed)
{
    struct journal_provider entry = {.name = xstrdup(managed->name),
                                     .gpu = xstrdup(managed->gpu)};
    uuid_text_copy(entry.uuid, managed->uuid);
    return entry;
}

/* What the journal says of the provider now. Where it has no entry: what it must say
 * before anything is changed. Otherwise a crash between two writes would leave traits
 * or inventories of the agent's that it would not recognise as its own. */
static struct journal_provider entry_before(const struct world *world,
                                            const struct managed *managed,
                                            const struct traits_decision *traits)
{
    if (managed->noted)
        return journal_provider_copy(managed->noted);
    struct journal_provider entry = entry_of(managed);
    entry.traits = strlist_copy(&traits->found);
    if (world->owner)
        inventory_found(world, managed, &entry);
    return entry;
}

/* Adds a step that notes what the writes to Placement do not note in the journal
 * themselves. */
static void note(struct world *world, const struct managed *managed,
                 const struct journal_provider *entry,
                 const struct traits_decision *traits, bool inventory_changed)
{
    struct journal_provider before = entry_before(world, managed, traits);
    struct journal_provider wanted = *entry; /* borrows */
    if (traits->changed)
        wanted.traits = before.traits;
    if (inventory_changed) {
        wanted.inventories = before.inventories;
        wanted.inventory_count = before.inventory_count;
    }
    bool found = before.traits.count || before.inventory_count;
    bool written = traits->changed || inventory_changed;
    if (managed->noted ? !journal_provider_equal(&wanted, &before)
                       : found || !written) {
        struct step *step = world_add_step(world, STEP_NOTE_PROVIDER, managed);
        step->entry = journal_provider_copy(&wanted);
        step->reason =
            xstrdup(managed->noted ? "the state file tells otherwise of what on it is "
                                     "the agent's"
                                   : "the state file does not have it");
    }
    journal_provider_clear(&before);
}

static void create_provider(struct world *world, const struct managed *managed,
                            const struct journal_provider *entry)
{
    struct step *step = world_add_step(world, STEP_CREATE_PROVIDER, managed);
    step->entry = journal_provider_copy(entry);
    if (managed->card)
        uuid_text_copy(step->parent, managed->card->uuid);
    step->reason = xasprintf("Placement does not have it, and '%s' is configured for "
                             "its GPU",
                             managed->desired->type_config->type);
}

static void write_provider(struct world *world, const struct managed *managed)
{
    struct journal_provider entry = entry_of(managed);
    struct traits_decision traits = traits_decide(world, managed);
    entry.traits = strlist_copy(&traits.own);
    struct inventory_decision inventory = inventory_decide(world, managed, &entry);
    bool offers = managed->desired && !managed->desired->is_card;
    service_add(world, managed, offers ? &inventory.offered : NULL);
    if (managed->observed)
        note(world, managed, &entry, &traits, inventory.changed);
    else
        create_provider(world, managed, &entry);
    /* The smaller inventory is written before the traits and the larger one after them.
     * So the scheduler never matches a new trait with capacity that is about to go, or
     * an old trait with new capacity. */
    bool inventory_first = inventory.less;
    if (inventory_first)
        set_inventory(world, managed, &inventory, &entry);
    set_traits(world, managed, &traits, &entry);
    if (!inventory_first)
        set_inventory(world, managed, &inventory, &entry);
    traits_decision_clear(&traits);
    journal_provider_clear(&entry);
}

void write_traits(struct world *world, const struct managed *managed)
{
    struct journal_provider entry = entry_of(managed);
    struct traits_decision traits = traits_decide(world, managed);
    entry.traits = strlist_copy(&traits.own);
    note(world, managed, &entry, &traits, false);
    set_traits(world, managed, &traits, &entry);
    traits_decision_clear(&traits);
    journal_provider_clear(&entry);
}

/* ---- one provider ---- */

/* True when the provider exists and has no GPU: none is configured for it, or the
 * configured one is gone. */
static bool has_no_gpu(const struct managed *managed)
{
    return managed->observed && (!managed->desired || !managed->desired->gpu);
}

bool report_unusable(struct world *world, const struct managed *managed)
{
    if (managed->hands_off)
        service_add(world, managed, NULL);
    else if (managed->observed && !managed->read)
        service_add_take(world, managed, GPU_WAITING,
                         xstrdup("what Placement has of it was not read"), true);
    else
        return false;
    return true;
}

/* It is the agent's by its uuid, but operators and commands know it by its name. */
static void report_renamed(struct world *world, const struct managed *managed)
{
    if (!managed->desired || !managed->observed ||
        strcmp(managed->name, managed->desired->name) == 0)
        return;
    strlist_add_take(
        &world->plan->problems,
        xasprintf(
            "%s: somebody has renamed its provider to %s. All goes on; `openstack "
            "resource provider set --name %s %s` gives it its name back",
            managed->gpu, managed->name, managed->desired->name, managed->uuid));
}

void plan_provider(struct world *world, const struct managed *managed)
{
    report_renamed(world, managed);
    if (report_unusable(world, managed) ||
        (has_no_gpu(managed) && prune_provider(world, managed)))
        return;
    if (managed->observed || managed_is_new(managed))
        write_provider(world, managed);
    else
        service_add(world, managed, NULL);
}

/* ---- others' providers ---- */

static bool has_name_of_parent(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->in->desired->provider_count; i++)
        if (managed_is_nova_name(world, name, &world->in->desired->providers[i].view))
            return true;
    return false;
}

void report_strangers(struct world *world)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (provider->inventory_count && !managed_of(world, provider) &&
            has_name_of_parent(world, provider->provider.name))
            strlist_add_take(
                &world->plan->problems,
                xasprintf("%s: not the agent's, and reports a GPU of the agent's a "
                          "second time: nova-compute left it, or still writes it",
                          provider->provider.name));
    }
}

/* ---- the journal's entries ---- */

/* True when the provider exists or is about to be created. */
static bool is_known(const struct world *world, const char *uuid)
{
    for (size_t i = 0; i < world->managed_count; i++)
        if (strcmp(world->managed[i].uuid, uuid) == 0 &&
            managed_is_new(&world->managed[i]))
            return true;
    return observed_by_uuid(world->in->observed, uuid) != NULL;
}

void forget_providers(struct world *world)
{
    const struct journal *journal = world->in->journal;
    for (size_t i = 0; i < journal->provider_count; i++) {
        const struct journal_provider *entry = &journal->providers[i];
        if (is_known(world, entry->uuid))
            continue;
        struct step *step = world_add_step(world, STEP_FORGET_PROVIDER, NULL);
        step->gpu = xstrdup(entry->gpu);
        uuid_text_copy(step->provider, entry->uuid);
        step->provider_name = xstrdup(entry->name);
        step->reason = xstrdup("Placement does not have it any more");
    }
}
