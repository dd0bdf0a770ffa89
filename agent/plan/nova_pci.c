#include "agent/plan/nova_pci.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/type_traits.h"
#include "agent/plan/cut.h"
#include "agent/plan/managed.h"
#include "agent/plan/nova_provider.h"
#include "agent/plan/provider.h"
#include "agent/plan/service.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define TRAIT_LIVE_MIGRATABLE "HW_PCI_LIVE_MIGRATABLE"

/* ---- steps ---- */

static const char *root_of(const struct plan_input *in)
{
    if (in->observed && in->observed->root_found)
        return in->observed->root_uuid;
    return in->journal->root[0] ? in->journal->root : CUT_CONSUMER;
}

static struct step *add_step(struct world *world, enum step_kind kind,
                             const struct cut *cut, const struct journal_device *device)
{
    struct step *step = world_add_step(world, kind, NULL);
    step->gpu = xstrdup(cut->gpu->name);
    step->device = journal_device_copy(device);
    return step;
}

static void add_creation(struct world *world, const struct cut *cut,
                         const struct cut_function *function)
{
    const struct journal_device *old = function->entry;
    const struct desired_provider *desired = cut->desired;
    struct journal_device device = {
        .resource_class = (char *)cut->resource_class,
        .gpu = cut->gpu->name,
        .parent = function->parent->name,
        .type_id = function->type->id,
        .type_name = function->type->name,
    };
    bool configured = desired && desired->type_id &&
                      strcmp(function->type->id, desired->type_id) == 0;
    text_copy_array(device.backend, function->parent->backend);
    text_copy_array(device.address, function->parent->name);
    uuid_text_copy(device.provider, root_of(world->in));
    uuid_text_copy(device.consumer, CUT_CONSUMER);
    if (old)
        uuid_text_copy(device.uuid, old->uuid);
    else
        cut_uuid(function->parent, device.uuid);
    struct step *step = add_step(world, STEP_CREATE_DEVICE, cut, &device);
    if (function->use)
        uuid_text_copy(step->holder, function->use->domain);
    step->reason =
        !configured ? xstrdup("it had this type, which a guest may still need")
        : old
            ? xstrdup("it had this type, and a reboot took it")
            : xasprintf("'%s' is configured for its card", desired->type_config->type);
}

static void add_removal(struct world *world, const struct cut *cut,
                        const struct cut_function *function,
                        const struct observed_provider *provider)
{
    const struct desired_provider *desired = cut->desired;
    struct step *step = add_step(world, STEP_REMOVE_DEVICE, cut, function->entry);
    if (provider) {
        uuid_text_copy(step->provider, provider->provider.uuid);
        step->provider_name = xstrdup(provider->provider.name);
    }
    if (!desired)
        step->reason = xstrdup("no type is configured for its card any more");
    else if (strcmp(function->device->type_id, desired->type_id) != 0)
        step->reason =
            xasprintf("'%s' is configured for its card", desired->type_config->type);
    else
        step->reason =
            xasprintf("fewer functions are to have '%s'", desired->type_config->type);
}

static void add_forgetting(struct world *world, const struct cut *cut,
                           const struct cut_function *function)
{
    add_step(world, STEP_FORGET_DEVICE, cut, function->entry)->reason =
        function->device ? xasprintf("somebody else has given it the type %s",
                                     function->device->type_id)
                         : xstrdup("it has lost its type, which nobody needs any more");
}

/* The journal has the class for the time when Placement cannot be asked. */
static void add_new_class(struct world *world, const struct cut *cut,
                          const struct cut_function *function)
{
    struct journal_device device = *function->entry; /* borrows */
    device.resource_class = (char *)cut->resource_class;
    add_step(world, STEP_TAKE_DEVICE, cut, &device)->reason =
        xasprintf("its resource class is %s now", cut->resource_class);
}

static bool has_old_class(const struct cut *cut, const struct cut_function *function)
{
    return function->fate == FUNCTION_CUT && !cut->former && function->entry &&
           entry_is_cut(function->entry) &&
           strcmp(function->entry->resource_class, cut->resource_class) != 0;
}

static void add_orphan(struct world *world, const struct cut *cut,
                       const struct cut_function *function)
{
    struct journal_device device = *function->entry; /* borrows */
    enum step_kind kind = function->device ? STEP_TAKE_DEVICE : STEP_FORGET_DEVICE;
    if (function->device) {
        uuid_text_copy(device.consumer, CUT_CONSUMER);
        uuid_text_copy(device.provider, root_of(world->in));
    }
    add_step(world, kind, cut, &device)->reason =
        xasprintf("its consumer %s of owner mode is gone", function->entry->consumer);
}

static void add_steps(struct world *world, const struct cut *cut,
                      const struct observed_provider *provider)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_function *function = &cut->functions[i];
        if (function->fate == FUNCTION_TO_CUT)
            add_creation(world, cut, function);
        else if (function->fate == FUNCTION_TO_CLEAR)
            add_removal(world, cut, function, provider);
        else if (function->outdated)
            add_forgetting(world, cut, function);
        else if (function->orphaned)
            add_orphan(world, cut, function);
        else if (has_old_class(cut, function))
            add_new_class(world, cut, function);
    }
    world->plan->goes_on |= cut->goes_on;
}

/* ---- what nova.conf has to say ---- */

static bool has_configured(const struct cut *cut)
{
    const char *type_id = cut->desired ? cut->desired->type_id : NULL;
    for (size_t i = 0; type_id && i < cut->count; i++) {
        const char *id = function_type_after(&cut->functions[i]);
        if (id && cut->functions[i].named && strcmp(id, type_id) == 0)
            return true;
    }
    return false;
}

static const struct mdev_type_config *
config_of(const struct config *config, const struct gpu *gpu, const char *type_id)
{
    for (size_t i = 0; i < config->type_count; i++) {
        const struct device_type *type = gpu_resolve_type(gpu, config->types[i].type);
        if (type && strcmp(type->id, type_id) == 0)
            return &config->types[i];
    }
    return NULL;
}

static void add_trait_take(struct pci_card *card, char *trait)
{
    strlist_add_unique(&card->traits, trait);
    free(trait);
}

/* Of a type that the card had before: what still stands in the files. */
static void fill_former(const struct world *world, const struct cut *cut,
                        const struct cut_function *former, struct pci_card *card)
{
    const char *id = function_type_after(former);
    const struct device_type *type = gpu_type(cut->gpu, id);
    const char *name = type && type->name ? type->name : former->entry->type_name;
    const struct mdev_type_config *config = config_of(world->in->config, cut->gpu, id);
    card->type_id = xstrdup(id);
    card->type_name = xstrdup(name);
    card->resource_class = xstrdup(cut->resource_class);
    card->live_migratable = config && config->live_migratable;
    add_trait_take(card, trait_custom(id));
    if (name)
        add_trait_take(card, trait_custom(name));
    for (size_t i = 0; config && i < config->traits.count; i++)
        strlist_add_unique(&card->traits, config->traits.items[i]);
    strlist_sort(&card->traits);
}

static void fill_configured(const struct cut *cut, struct pci_card *card)
{
    const struct desired_provider *desired = cut->desired;
    card->type_id = xstrdup(desired->type_id);
    card->type_name = xstrdup(desired->type_name);
    card->resource_class = xstrdup(cut->resource_class);
    card->live_migratable = desired->type_config->live_migratable;
    card->traits = strlist_copy(&desired->traits);
}

static void add_functions(const struct cut *cut, struct pci_card *card)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_function *function = &cut->functions[i];
        const char *id = function_type_after(function);
        bool of_cut =
            function->named || (function->entry && entry_is_cut(function->entry));
        const struct backend *backend = backend_find(function->parent->backend);
        card->managed = backend && backend->bound_by_libvirt;
        strlist_add(&card->all, function->parent->name);
        if (of_cut && id && card->type_id && strcmp(id, card->type_id) == 0)
            strlist_add(&card->functions, function->parent->name);
    }
}

static const struct pci_card *add_card(struct world *world, const struct cut *cut)
{
    const struct cut_function *former = cut->former;
    if (!former && !cut->desired)
        return NULL;
    struct pci_card *card = array_add(world->plan->cards, world->plan->card_count);
    card->gpu = xstrdup(cut->gpu->name);
    card->waits = xstrdup(cut->waits);
    if (former)
        fill_former(world, cut, former, card);
    else if (has_configured(cut))
        fill_configured(cut, card);
    add_functions(cut, card);
    return card;
}

void pci_cards_free(struct pci_card *cards, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(cards[i].gpu);
        free(cards[i].type_id);
        free(cards[i].type_name);
        free(cards[i].resource_class);
        free(cards[i].waits);
        strlist_clear(&cards[i].traits);
        strlist_clear(&cards[i].functions);
        strlist_clear(&cards[i].all);
    }
    free(cards);
}

/* ---- Nova's provider beside the cut ---- */

#define DO_IT                                                              \
    "put what `vgpu-agent nova-config` prints into nova.conf and restart " \
    "nova-compute"

static bool is_of_another_type(const struct gpu *gpu, const struct pci_card *card,
                               const char *trait)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct device_type *type = &gpu->parents[i].types[j];
            _cleanup_free_ char *id = trait_custom(type->id);
            _cleanup_free_ char *name = type->name ? trait_custom(type->name) : NULL;
            if ((strcmp(id, trait) == 0 || (name && strcmp(name, trait) == 0)) &&
                !strlist_contains(&card->traits, trait))
                return true;
        }
    return false;
}

/* How the provider's traits differ from those of the card's type; NULL: they do not.
 * Traits that an operator has added are left out. The caller frees. */
static char *trait_difference(const struct gpu *gpu, const struct pci_card *card,
                              const struct observed_provider *provider)
{
    for (size_t i = 0; i < card->traits.count; i++)
        if (!strlist_contains(&provider->traits, card->traits.items[i]))
            return xasprintf("its provider lacks the trait %s", card->traits.items[i]);
    for (size_t i = 0; i < provider->traits.count; i++)
        if (is_of_another_type(gpu, card, provider->traits.items[i]))
            return xasprintf("its provider has the trait %s, and its functions have "
                             "the type %s",
                             provider->traits.items[i], card->type_id);
    bool live = strlist_contains(&provider->traits, TRAIT_LIVE_MIGRATABLE);
    if (live == card->live_migratable)
        return NULL;
    return xasprintf("its provider %s " TRAIT_LIVE_MIGRATABLE ", and live_migratable "
                     "of its type is %s",
                     live ? "has" : "lacks", live ? "false" : "true");
}

/* How the provider differs from the cut; NULL: it does not. The caller frees. */
static char *difference(const struct gpu *gpu, const struct pci_card *card,
                        const struct observed_provider *provider)
{
    if (!provider && card->functions.count)
        return xasprintf("nova-compute does not report its %zu functions of the type "
                         "%s",
                         card->functions.count, card->type_id);
    if (!provider)
        return NULL;
    for (size_t i = 0; i < provider->inventory_count; i++) {
        const struct class_inventory *found = &provider->inventories[i];
        if (!card->functions.count)
            return xasprintf("nova-compute reports %lld functions of it, and none has "
                             "a type",
                             (long long)found->inventory.total);
        if (strcmp(found->resource_class, card->resource_class) != 0)
            return xasprintf("nova-compute reports it as %s, not as %s",
                             found->resource_class, card->resource_class);
        if (found->inventory.total != (int64_t)card->functions.count)
            return xasprintf("nova-compute reports %lld of %s, and %zu functions have "
                             "the type",
                             (long long)found->inventory.total, found->resource_class,
                             card->functions.count);
    }
    if (!provider->inventory_count && card->functions.count)
        return xasprintf("its provider has no inventory of %s", card->resource_class);
    return card->functions.count ? trait_difference(gpu, card, provider) : NULL;
}

/* ---- service ---- */

static bool is_cut_at_all(const struct pci_card *card)
{
    return card && card->functions.count > 0;
}

/* A difference is no problem before the cut is as it is to be: this plan, or the next
 * one, changes it still. */
static void add_service(struct world *world, const struct managed *managed,
                        const struct cut *cut, const struct pci_card *card)
{
    char *differs = difference(cut->gpu, card, managed->observed);
    if (cut->waits) {
        char *reason = differs && cut->stuck ? xasprintf("%s; %s", cut->waits, differs)
                                             : xstrdup(cut->waits);
        service_add_take(world, managed, cut->stuck ? GPU_TAKEN : GPU_CHANGING, reason,
                         cut->stuck);
        free(differs);
    } else if (differs) {
        char *reason = xasprintf("%s: " DO_IT, differs);
        free(differs);
        service_add_take(world, managed, managed->observed ? GPU_ACTIVE : GPU_WAITING,
                         reason, true);
    } else
        service_add_take(world, managed, is_cut_at_all(card) ? GPU_ACTIVE : GPU_WAITING,
                         NULL, false);
}

/* ---- cards ---- */

static const struct managed *managed_of_gpu(const struct world *world,
                                            const struct gpu *gpu)
{
    for (size_t i = 0; i < world->managed_count; i++) {
        const struct managed *managed = &world->managed[i];
        if (managed->desired && managed->desired->gpu == gpu)
            return managed;
    }
    return NULL;
}

/* Nova's provider of a card that nothing is configured for. */
static const struct observed_provider *provider_of(const struct world *world,
                                                   const struct gpu *gpu)
{
    const struct observed *observed = world->in->observed;
    const char *root = observed->root_name;
    size_t length = strlen(root);
    for (size_t i = 0; i < observed->provider_count; i++) {
        const char *name = observed->providers[i].provider.name;
        if (strncmp(name, root, length) == 0 && name[length] == '_' &&
            strcasecmp(name + length + 1, gpu->name) == 0)
            return &observed->providers[i];
    }
    return NULL;
}

static void plan_card(struct world *world, const struct gpu *gpu)
{
    const struct managed *managed = managed_of_gpu(world, gpu);
    const struct observed_provider *provider =
        managed ? managed->observed : provider_of(world, gpu);
    struct cut cut =
        cut_make(world->in, gpu, managed ? managed->desired : NULL, provider);
    world->needs_use |= cut.needs_use;
    add_steps(world, &cut, provider);
    const struct pci_card *card = add_card(world, &cut);
    bool sick = managed && (managed->desired->sick || !managed->desired->type_id);
    if (managed && !report_unusable(world, managed)) {
        if (sick)
            service_add(world, managed, NULL);
        else
            add_service(world, managed, &cut, card);
    } else if (!managed && cut.waits)
        strlist_add_take(&world->plan->problems,
                         xasprintf("%s: %s", gpu->name, cut.waits));
    cut_clear(&cut);
}

static void plan_other(struct world *world, const struct managed *managed)
{
    if (!managed->desired)
        plan_nova_provider(world, managed);
    else if (!managed->desired->gpu && !report_unusable(world, managed))
        service_add(world, managed, NULL);
}

static bool is_configured(const struct desired_tree *tree, const char *gpu)
{
    for (size_t i = 0; i < tree->provider_count; i++)
        if (strcmp(tree->providers[i].gpu_name, gpu) == 0)
            return true;
    return false;
}

/* Entries of functions that the host does not have. They stay as long as their card is
 * configured, since it may come back. */
static void plan_vanished(struct world *world, const struct desired_tree *tree)
{
    const struct journal *journal = world->in->journal;
    for (size_t i = 0; i < journal->device_count; i++) {
        const struct journal_device *entry = &journal->devices[i];
        const struct parent *parent = NULL;
        if (!entry_is_cut(entry) ||
            host_parent(world->in->host, entry->parent, &parent))
            continue;
        if (world->in->observed && !is_configured(tree, entry->gpu)) {
            struct step *step = world_add_step(world, STEP_FORGET_DEVICE, NULL);
            step->gpu = xstrdup(entry->gpu);
            step->device = journal_device_copy(entry);
            step->reason = xstrdup("its card is neither there nor configured");
        } else
            strlist_add_take(
                &world->plan->problems,
                xasprintf("%s: its virtual function %s, which had the type %s, "
                          "is not there",
                          entry->gpu, entry->parent, entry->type_id));
    }
}

void plan_nova_pci(struct world *world)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++)
        plan_card(world, &host->gpus[i]);
    for (size_t i = 0; i < world->managed_count; i++)
        plan_other(world, &world->managed[i]);
    plan_vanished(world, world->in->desired);
}

/* ---- without Placement ---- */

static void plan_card_blind(struct world *world, const struct desired_provider *desired,
                            const struct gpu *gpu)
{
    struct cut cut = cut_make(world->in, gpu, desired, NULL);
    world->needs_use |= cut.needs_use;
    add_steps(world, &cut, NULL);
    (void)add_card(world, &cut);
    const char *why = desired && desired->sick ? desired->sick : cut.waits;
    if (why)
        strlist_add_take(&world->plan->problems, xasprintf("%s: %s", gpu->name, why));
    else if (desired && !desired->type_id)
        strlist_add_take(&world->plan->problems,
                         xasprintf("%s: it does not offer the type '%s'", gpu->name,
                                   desired->type_config->type));
    cut_clear(&cut);
}

void plan_nova_pci_blind(struct world *world)
{
    const struct plan_input *in = world->in;
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(in->config, in->host, CUT_CONSUMER, "host");
    for (size_t i = 0; i < in->host->gpu_count; i++) {
        const struct gpu *gpu = &in->host->gpus[i];
        const struct desired_provider *desired = NULL;
        for (size_t j = 0; j < tree->provider_count && !desired; j++)
            if (tree->providers[j].gpu == gpu)
                desired = &tree->providers[j];
        plan_card_blind(world, desired, gpu);
    }
    for (size_t i = 0; i < tree->provider_count; i++)
        if (!tree->providers[i].gpu)
            strlist_add_take(&world->plan->problems,
                             xasprintf("%s: %s", tree->providers[i].gpu_name,
                                       tree->providers[i].sick));
    plan_vanished(world, tree);
}
