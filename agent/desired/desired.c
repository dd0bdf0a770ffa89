#include "agent/desired/desired.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/gpu_group.h"
#include "agent/desired/type_traits.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"
#include "placement/model.h"

/* ---- one provider ---- */

static void add_parent(struct gpu *view, const struct parent *parent)
{
    *array_add(view->parents, view->parent_count) = *parent;
}

static void add_trait_take(struct desired_provider *provider, char *trait)
{
    strlist_add_unique(&provider->traits, trait);
    free(trait);
}

static void add_group_trait(struct desired_provider *provider,
                            const struct config *config)
{
    const struct group_config *group = gpu_group_of(config, &provider->view);
    if (!group)
        return;
    add_trait_take(provider, gpu_group_trait(group));
    strlist_sort(&provider->traits);
}

/* Nova's [pci] takes standard traits only if its os-traits has them, so in that mode
 * there are none. */
static void add_traits(struct desired_provider *provider,
                       const struct device_type *type, enum agent_mode mode)
{
    if (type) {
        add_trait_take(provider, trait_custom(type->id));
        if (type->name)
            add_trait_take(provider, trait_custom(type->name));
        if (mode != MODE_NOVA_PCI)
            traits_add_standard(&provider->traits, &type->attributes);
    }
    for (size_t i = 0; i < provider->type_config->traits.count; i++)
        strlist_add_unique(&provider->traits, provider->type_config->traits.items[i]);
    /* In other modes the providers are Nova's and do not get the agent's mark. */
    if (mode == MODE_OWNER)
        strlist_add_unique(&provider->traits, TRAIT_OWNER_AGENT);
    strlist_sort(&provider->traits);
}

/* Why the GPU cannot be trusted; NULL: it is well. A card whose driver lists no types,
 * not yet or not any more, is treated like one that is no parent. `type` is NULL for
 * the provider of a card with several types. The caller frees. */
static char *sickness(const struct gpu *gpu, const struct gpu *view,
                      const struct mdev_type_config *type)
{
    if (gpu->health != GPU_OK)
        return xasprintf("%s: %s", gpu_health_name(gpu->health),
                         gpu->health_reason ? gpu->health_reason : "no reason known");
    if (type && !card_types_is_of_model(type, gpu))
        return card_types_other_model(type, gpu);
    return gpu_obstacle(view->parent_count ? view : gpu);
}

/* Adds a provider with name and uuid to the tree. NULL: its name would be too long,
 * which is added to the problems. */
static struct desired_provider *add_provider(struct desired_tree *tree,
                                             const char *node_name)
{
    char *name = xasprintf("%s_%s", tree->root_name, node_name);
    if (strlen(name) > PLACEMENT_MAX_PROVIDER_NAME) {
        strlist_add_take(&tree->problems,
                         xasprintf("the provider name %s is longer than the %d "
                                   "characters that Placement takes: set a shorter "
                                   "name of the root",
                                   name, PLACEMENT_MAX_PROVIDER_NAME));
        free(name);
        return NULL;
    }
    struct desired_provider *provider =
        array_add(tree->providers, tree->provider_count);
    provider->name = name;
    uuid5_text(tree->root_uuid, name, provider->uuid);
    return provider;
}

/* A class of its own in mode nova-pci, unless the file says VGPU: a flavor that asks
 * for VGPU would be placed there, and get nothing, since [pci] has its own requests. */
static char *resource_class_of(const struct mdev_type_config *config,
                               const struct device_type *type, enum agent_mode mode)
{
    if (mode != MODE_NOVA_PCI || config->class_set)
        return xstrdup(config->mdev_class);
    bool by_name = type && type->name && strcmp(type->name, config->type) == 0;
    return trait_custom(type && !by_name ? type->id : config->type);
}

/* Devices below virtual functions that the configuration does not name reduce what the
 * card can carry, and the free functions that it names do not show that. nova-compute
 * does not take it into account. */
static int64_t capacity_of(const struct desired_provider *provider,
                           enum agent_mode mode)
{
    int64_t capacity = gpu_capacity(&provider->view, provider->type_id);
    int64_t limit = gpu_limit_below(provider->gpu, &provider->view, provider->type_id);
    int64_t beside = gpu_limit_beside(provider->gpu, provider->type_id, NULL);
    limit = beside < limit ? beside : limit;
    if (mode == MODE_NOVA || capacity <= limit)
        return capacity;
    return limit > 0 ? limit : 0;
}

static void fill_present(struct desired_provider *provider, const struct gpu *gpu,
                         struct gpu *view, const struct mdev_type_config *config,
                         struct desired_tree *tree)
{
    provider->gpu = gpu;
    provider->gpu_name = xstrdup(gpu->name);
    provider->view = *view;
    *view = (struct gpu){0};
    provider->type_config = config;
    provider->sick = sickness(gpu, &provider->view, config);
    const struct device_type *type = gpu_resolve_type(&provider->view, config->type);
    provider->resource_class = resource_class_of(config, type, tree->mode);
    if (type) {
        provider->type_id = xstrdup(type->id);
        provider->type_name = xstrdup(type->name);
    }
    provider->capacity = capacity_of(provider, tree->mode);
    add_traits(provider, type, tree->mode);
}

/* ---- owner mode and nova-pci: one provider a card ---- */

/* The part of a provider's name that stands for the PCI device. Nova names its
 * providers of [pci] by the address in upper case. The caller frees. */
static char *pci_part(enum agent_mode mode, const char *address)
{
    if (mode != MODE_NOVA_PCI)
        return node_device_name("pci", address);
    char *name = xstrdup(address);
    for (char *p = name; *p; p++)
        if (*p >= 'a' && *p <= 'f')
            *p = (char)(*p - 'a' + 'A');
    return name;
}

char *desired_type_part(const char *card_part, const char *type)
{
    char *name = xasprintf("%s_%s", card_part, type);
    for (char *p = name + strlen(card_part); *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
                    *p))
            *p = '_';
    return name;
}

/* The card's own provider where its types have providers below it. What was allocated
 * on it before stays there. */
static struct desired_provider *add_whole_card(struct desired_tree *tree,
                                               const struct gpu *gpu, const char *part,
                                               const struct card_types *types)
{
    struct desired_provider *provider = add_provider(tree, part);
    if (!provider)
        return NULL;
    provider->is_card = true;
    provider->type_config = type_pool_add_sum(&tree->own_types, types);
    if (tree->mode == MODE_OWNER)
        strlist_add(&provider->traits, TRAIT_OWNER_AGENT);
    if (!gpu)
        return provider;
    provider->gpu = gpu;
    provider->gpu_name = xstrdup(gpu->name);
    provider->view = *gpu;
    provider->view.parents = NULL;
    provider->view.parent_count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        add_parent(&provider->view, &gpu->parents[i]);
    provider->sick = sickness(gpu, gpu, NULL);
    return provider;
}

static void fill_disabled(struct desired_provider *provider,
                          const struct card_type *type)
{
    provider->disabled = type->disabled || type->beside;
    provider->beside = type->beside;
}

static void add_type(struct desired_tree *tree, const struct gpu *gpu, const char *part,
                     const char *card_name, const struct card_types *types,
                     struct card_type *type, const struct config *config)
{
    _cleanup_free_ char *own =
        card_name ? desired_type_part(part, type->config->type) : xstrdup(part);
    struct desired_provider *provider = add_provider(tree, own);
    if (!provider)
        return;
    provider->card_name = xstrdup(card_name);
    fill_disabled(provider, type);
    provider->mixed = types->mixed;
    fill_present(provider, gpu, &type->view, type->config, tree);
    add_group_trait(provider, config);
}

static void add_unlisted(struct desired_tree *tree, const char *part,
                         const struct card_types *types)
{
    for (size_t i = 0; i < types->unlisted.count; i++) {
        _cleanup_free_ char *own = desired_type_part(part, types->unlisted.items[i]);
        strlist_add_take(&tree->unlisted, xasprintf("%s_%s", tree->root_name, own));
    }
}

static void add_card(struct desired_tree *tree, const struct config *config,
                     const struct host *host, const struct gpu *gpu,
                     const struct type_choices *choices)
{
    _cleanup_(card_types_clear) struct card_types types = card_types_choose(
        config, host, gpu, choices, &tree->own_types, &tree->problems);
    _cleanup_free_ char *part =
        gpu->is_pci ? pci_part(tree->mode, gpu->name) : xstrdup(gpu->node_name);
    _cleanup_free_ char *card_name = NULL;
    if (types.count > 1) {
        const struct desired_provider *card = add_whole_card(tree, gpu, part, &types);
        if (!card)
            return;
        card_name = xstrdup(card->name);
    }
    for (size_t i = 0; i < types.count; i++)
        add_type(tree, gpu, part, card_name, &types, &types.items[i], config);
    add_unlisted(tree, part, &types);
}

/* ---- nova mode: one provider a parent, as Nova has it ---- */

static void add_nova_child(struct desired_tree *tree, const struct config *config,
                           const struct gpu *gpu, const struct parent *parent)
{
    const struct mdev_type_config *type = card_types_naming(config, parent->name);
    struct gpu view = *gpu;
    view.parents = NULL;
    view.parent_count = 0;
    add_parent(&view, parent);
    if (!type)
        type = card_types_default(config, &view);
    _cleanup_free_ char *node_name =
        gpu->is_pci ? node_device_name("pci", parent->name) : xstrdup(gpu->node_name);
    struct desired_provider *provider = type ? add_provider(tree, node_name) : NULL;
    if (provider) {
        fill_present(provider, gpu, &view, type, tree);
        add_group_trait(provider, config);
    }
    free(view.parents);
}

/* ---- configured GPUs that are not on the host ---- */

static bool is_pci_address(const char *address)
{
    return strchr(address, ':') && strchr(address, '.');
}

static void fill_gone(const struct desired_tree *tree, const char *address,
                      struct desired_provider *provider)
{
    provider->gpu_name = xstrdup(address);
    provider->sick = xstrdup("not on this host");
    if (provider->is_card)
        return;
    provider->resource_class =
        resource_class_of(provider->type_config, NULL, tree->mode);
    add_traits(provider, NULL, tree->mode);
}

static void add_gone_types(struct desired_tree *tree, const char *address,
                           const struct card_types *types)
{
    _cleanup_free_ char *part = pci_part(tree->mode, address);
    _cleanup_free_ char *card_name = NULL;
    if (types->count > 1) {
        struct desired_provider *card = add_whole_card(tree, NULL, part, types);
        if (!card)
            return;
        fill_gone(tree, address, card);
        card_name = xstrdup(card->name);
    }
    for (size_t i = 0; i < types->count; i++) {
        const struct mdev_type_config *type = types->items[i].config;
        _cleanup_free_ char *own =
            card_name ? desired_type_part(part, type->type) : xstrdup(part);
        struct desired_provider *provider = add_provider(tree, own);
        if (!provider)
            continue;
        provider->type_config = type;
        provider->card_name = xstrdup(card_name);
        fill_disabled(provider, &types->items[i]);
        fill_gone(tree, address, provider);
    }
}

/* The provider of a GPU that is not on the host is never created, but an existing one
 * is held back. For a device that is not PCI, the libvirt name does not follow from its
 * own name, so only a problem is added. */
static void add_gone(struct desired_tree *tree, const struct config *config,
                     const struct type_choices *choices,
                     const struct mdev_type_config *type, const char *address)
{
    if (!is_pci_address(address)) {
        strlist_add_take(&tree->problems,
                         xasprintf("%s: configured for the type '%s', but not on this "
                                   "host",
                                   address, type->type));
        return;
    }
    if (card_types_naming(config, address) != type) /* added with the first type */
        return;
    _cleanup_(card_types_clear) struct card_types types =
        card_types_of_absent(config, address, choices, &tree->own_types);
    add_gone_types(tree, address, &types);
}

static void add_missing(struct desired_tree *tree, const struct config *config,
                        const struct host *host, const struct type_choices *choices)
{
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        for (size_t j = 0; j < type->device_addresses.count; j++)
            if (!card_types_on_host(host, type->device_addresses.items[j]))
                add_gone(tree, config, choices, type, type->device_addresses.items[j]);
    }
}

static bool offers_any(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            return true;
    return false;
}

/* The first type that names no addresses. */
static const struct mdev_type_config *default_type(const struct config *config)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (config->types[i].device_addresses.count == 0)
            return &config->types[i];
    return NULL;
}

static void check_default(struct desired_tree *tree, const struct config *config,
                          const struct host *host)
{
    const struct mdev_type_config *type = default_type(config);
    if (!type)
        return;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_resolve_type(&host->gpus[i], type->type))
            return;
    strlist_add_take(&tree->problems,
                     xasprintf("no GPU of this host offers the type '%s'%s", type->type,
                               offers_any(host)
                                   ? ": `vgpu-agent types` lists what they offer"
                                   : ", nor any other: `vgpu-agent gpus` says why"));
}

char *desired_nothing_enabled(const struct config *config, const struct host *host)
{
    _cleanup_strlist_ struct strlist idle = {0};
    if (config->type_count)
        return NULL;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            strlist_add(&idle, host->gpus[i].name);
    _cleanup_free_ char *names = strlist_join(&idle, ", ");
    return idle.count
               ? xasprintf("no type is enabled, so that no virtual GPU is made of "
                           "%s: name types in [devices] enabled_mdev_types "
                           "(`vgpu-agent types` lists them)",
                           names)
               : NULL;
}

/* ---- the tree ---- */

struct desired_tree *desired_tree_make(const struct config *config,
                                       const struct host *host, const char *root_uuid,
                                       const char *root_name)
{
    return desired_tree_make_chosen(config, host, NULL, root_uuid, root_name);
}

struct desired_tree *desired_tree_make_chosen(const struct config *config,
                                              const struct host *host,
                                              const struct type_choices *choices,
                                              const char *root_uuid,
                                              const char *root_name)
{
    struct desired_tree *tree = xcalloc(1, sizeof *tree);
    tree->mode = config->agent.mode;
    uuid_text_copy(tree->root_uuid, root_uuid);
    tree->root_name = xstrdup(root_name);
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        if (tree->mode != MODE_NOVA)
            add_card(tree, config, host, gpu, choices);
        for (size_t j = 0; tree->mode == MODE_NOVA && j < gpu->parent_count; j++)
            if (backend_is_novas(gpu->parents[j].backend))
                add_nova_child(tree, config, gpu, &gpu->parents[j]);
    }
    add_missing(tree, config, host, choices);
    check_default(tree, config, host);
    char *nothing = desired_nothing_enabled(config, host);
    if (nothing)
        strlist_add_take(&tree->problems, nothing);
    return tree;
}

void desired_tree_free(struct desired_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->provider_count; i++) {
        struct desired_provider *provider = &tree->providers[i];
        free(provider->name);
        free(provider->card_name);
        free(provider->gpu_name);
        free(provider->view.parents);
        free(provider->type_id);
        free(provider->type_name);
        free(provider->resource_class);
        free(provider->sick);
        strlist_clear(&provider->traits);
    }
    free(tree->providers);
    strlist_clear(&tree->unlisted);
    type_pool_clear(&tree->own_types);
    free(tree->root_name);
    strlist_clear(&tree->problems);
    free(tree);
}

struct strlist desired_traits(const struct desired_tree *tree)
{
    struct strlist names = {0};
    for (size_t i = 0; i < tree->provider_count; i++)
        for (size_t j = 0; j < tree->providers[i].traits.count; j++)
            strlist_add_unique(&names, tree->providers[i].traits.items[j]);
    strlist_sort(&names);
    return names;
}

const struct observed_provider *desired_observe(const struct observed *observed,
                                                const struct desired_provider *desired)
{
    const struct observed_provider *found = observed_by_name(observed, desired->name);
    return found ? found : observed_by_uuid(observed, desired->uuid);
}

char *desired_sick_reason(const struct desired_provider *desired)
{
    if (!desired->gpu)
        return xasprintf("configured for the type '%s', but not on this host: put it "
                         "back, or take it out of the files and `vgpu-agent prune`",
                         desired->type_config->type);
    bool other_model = desired->gpu->health == GPU_OK && desired->type_config &&
                       !card_types_is_of_model(desired->type_config, desired->gpu);
    _cleanup_free_ char *remedy =
        other_model ? xstrdup("nothing is made on it until the section is for it")
                    : gpu_remedy(desired->gpu);
    return xasprintf("%s: %s", desired->sick, remedy);
}
