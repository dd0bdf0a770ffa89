#include "agent/plan/providers/nova_pci.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/type_traits.h"
#include "agent/plan/devices/cut.h"
#include "agent/plan/devices/cut_steps.h"
#include "agent/plan/providers/nova_provider.h"
#include "agent/plan/providers/provider.h"
#include "agent/plan/providers/service.h"
#include "lib/xalloc.h"

#define TRAIT_LIVE_MIGRATABLE "HW_PCI_LIVE_MIGRATABLE"

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
        bool of_cut = function->named ||
                      (function->entry && journal_device_is_cut(function->entry));
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
    cut_steps_add(world, &cut, provider);
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

void plan_nova_pci(struct world *world)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++)
        plan_card(world, &host->gpus[i]);
    for (size_t i = 0; i < world->managed_count; i++)
        plan_other(world, &world->managed[i]);
    cut_steps_add_vanished(world);
}

/* ---- without Placement ---- */

static void plan_card_blind(struct world *world, const struct desired_provider *desired,
                            const struct gpu *gpu)
{
    struct cut cut = cut_make(world->in, gpu, desired, NULL);
    world->needs_use |= cut.needs_use;
    cut_steps_add(world, &cut, NULL);
    (void)add_card(world, &cut);
    _cleanup_free_ char *why =
        desired && desired->sick ? desired_sick_reason(desired) : xstrdup(cut.waits);
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
        if (!tree->providers[i].gpu) {
            _cleanup_free_ char *why = desired_sick_reason(&tree->providers[i]);
            strlist_add_take(&world->plan->problems,
                             xasprintf("%s: %s", tree->providers[i].gpu_name, why));
        }
    cut_steps_add_vanished(world);
}
