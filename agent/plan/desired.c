#include "agent/plan/desired.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/backend/backend.h"
#include "agent/host/capacity.h"
#include "agent/plan/gpu_group.h"
#include "agent/plan/type_traits.h"
#include "lib/xalloc.h"
#include "placement/model.h"

/* ---- the type of a GPU ---- */

static const struct mdev_type_config *type_naming(const struct config *config,
                                                  const char *address)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strlist_contains(&config->types[i].device_addresses, address))
            return &config->types[i];
    return NULL;
}

/* The first type that names no addresses. */
static const struct mdev_type_config *default_type(const struct config *config)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (config->types[i].device_addresses.count == 0)
            return &config->types[i];
    return NULL;
}

static void model_of(const struct gpu *gpu, char out[sizeof "10de:26b9"])
{
    snprintf(out, sizeof "10de:26b9", "%04x:%04x", gpu->vendor, gpu->device);
}

bool desired_is_of_model(const struct mdev_type_config *type, const struct gpu *gpu)
{
    char model[sizeof "10de:26b9"];
    model_of(gpu, model);
    return !type->device_id || strcasecmp(type->device_id, model) == 0;
}

/* The default type is for GPUs that offer it, and are of its model; other cards of the
 * host are not touched. */
static const struct mdev_type_config *default_type_for(const struct config *config,
                                                       const struct gpu *gpu)
{
    const struct mdev_type_config *type = default_type(config);
    return type && desired_is_of_model(type, gpu) && gpu_resolve_type(gpu, type->type)
               ? type
               : NULL;
}

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
 * not yet or not any more, is treated like one that is no parent. The caller frees. */
static char *sickness(const struct gpu *gpu, const struct gpu *view,
                      const struct mdev_type_config *type)
{
    char model[sizeof "10de:26b9"];
    model_of(gpu, model);
    if (gpu->health != GPU_OK)
        return xasprintf("%s: %s", gpu_health_name(gpu->health),
                         gpu->health_reason ? gpu->health_reason : "no reason known");
    if (!desired_is_of_model(type, gpu))
        return xasprintf("it is another model, %s: [mdev_%s] is for device_id = %s",
                         model, type->type, type->device_id);
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

static bool on_host(const struct host *host, const char *address)
{
    return host_gpu(host, address) || host_parent(host, address, NULL);
}

/* The type for virtual functions that the configuration names and that are not enabled
 * now: they have the bus number of their card. */
static const struct mdev_type_config *
type_of_absent_functions(const struct config *config, const struct host *host,
                         const struct gpu *gpu)
{
    if (!gpu->vf_total || gpu->vf_enabled || gpu->parent_count)
        return NULL;
    const char *slot = strrchr(gpu->name, ':');
    size_t bus = slot ? (size_t)(slot - gpu->name) + 1 : 0;
    for (size_t i = 0; bus && i < config->type_count; i++) {
        const struct strlist *addresses = &config->types[i].device_addresses;
        for (size_t j = 0; j < addresses->count; j++)
            if (strncmp(addresses->items[j], gpu->name, bus) == 0 &&
                !on_host(host, addresses->items[j]))
                return &config->types[i];
    }
    return NULL;
}

/* The type for the card, with those of its parents that the configuration names added
 * to `view`. A card is used whole when its own address is named, or when it gets the
 * default type. */
static const struct mdev_type_config *
choose_type(const struct config *config, const struct host *host, const struct gpu *gpu,
            struct gpu *view, struct strlist *problems)
{
    const struct mdev_type_config *chosen = type_naming(config, gpu->name);
    bool whole = chosen != NULL;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct parent *parent = &gpu->parents[i];
        const struct mdev_type_config *named = type_naming(config, parent->name);
        if (!chosen)
            chosen = named;
        else if (named && named != chosen)
            strlist_add_take(problems,
                             xasprintf("%s: the type '%s' is not used there: the card "
                                       "%s carries '%s', and one type at a time",
                                       parent->name, named->type, gpu->name,
                                       chosen->type));
        if (!whole && named && named == chosen)
            add_parent(view, parent);
    }
    if (!chosen)
        chosen = type_of_absent_functions(config, host, gpu);
    if (!chosen) {
        chosen = default_type_for(config, gpu);
        whole = true;
    }
    for (size_t i = 0; whole && i < gpu->parent_count; i++)
        add_parent(view, &gpu->parents[i]);
    return chosen;
}

const struct mdev_type_config *desired_type_of(const struct config *config,
                                               const struct host *host,
                                               const struct gpu *gpu)
{
    _cleanup_strlist_ struct strlist ignored = {0};
    struct gpu view = {0};
    const struct mdev_type_config *type =
        choose_type(config, host, gpu, &view, &ignored);
    free(view.parents);
    return type;
}

static void add_card(struct desired_tree *tree, const struct config *config,
                     const struct host *host, const struct gpu *gpu)
{
    struct gpu view = *gpu;
    view.parents = NULL;
    view.parent_count = 0;
    const struct mdev_type_config *type =
        choose_type(config, host, gpu, &view, &tree->problems);
    _cleanup_free_ char *part =
        gpu->is_pci ? pci_part(tree->mode, gpu->name) : xstrdup(gpu->node_name);
    struct desired_provider *provider = type ? add_provider(tree, part) : NULL;
    if (provider) {
        fill_present(provider, gpu, &view, type, tree);
        add_group_trait(provider, config);
    }
    free(view.parents);
}

/* ---- nova mode: one provider a parent, as Nova has it ---- */

static void add_nova_child(struct desired_tree *tree, const struct config *config,
                           const struct gpu *gpu, const struct parent *parent)
{
    const struct mdev_type_config *type = type_naming(config, parent->name);
    struct gpu view = *gpu;
    view.parents = NULL;
    view.parent_count = 0;
    add_parent(&view, parent);
    if (!type)
        type = default_type_for(config, &view);
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

/* The provider of a GPU that is not on the host is never created, but an existing one
 * is held back. For a device that is not PCI, the libvirt name does not follow from its
 * own name, so only a problem is added. */
static void add_gone(struct desired_tree *tree, const struct mdev_type_config *type,
                     const char *address)
{
    if (!is_pci_address(address)) {
        strlist_add_take(&tree->problems,
                         xasprintf("%s: configured for the type '%s', but not on this "
                                   "host",
                                   address, type->type));
        return;
    }
    _cleanup_free_ char *part = pci_part(tree->mode, address);
    struct desired_provider *provider = add_provider(tree, part);
    if (!provider)
        return;
    provider->gpu_name = xstrdup(address);
    provider->type_config = type;
    provider->resource_class = resource_class_of(type, NULL, tree->mode);
    provider->sick = xstrdup("not on this host");
    add_traits(provider, NULL, tree->mode);
}

static void add_missing(struct desired_tree *tree, const struct config *config,
                        const struct host *host)
{
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        for (size_t j = 0; j < type->device_addresses.count; j++)
            if (!on_host(host, type->device_addresses.items[j]))
                add_gone(tree, type, type->device_addresses.items[j]);
    }
}

static bool offers_any(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            return true;
    return false;
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
    struct desired_tree *tree = xcalloc(1, sizeof *tree);
    tree->mode = config->agent.mode;
    uuid_text_copy(tree->root_uuid, root_uuid);
    tree->root_name = xstrdup(root_name);
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        if (tree->mode != MODE_NOVA)
            add_card(tree, config, host, gpu);
        for (size_t j = 0; tree->mode == MODE_NOVA && j < gpu->parent_count; j++)
            if (backend_is_novas(gpu->parents[j].backend))
                add_nova_child(tree, config, gpu, &gpu->parents[j]);
    }
    add_missing(tree, config, host);
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
        free(provider->gpu_name);
        free(provider->view.parents);
        free(provider->type_id);
        free(provider->type_name);
        free(provider->resource_class);
        free(provider->sick);
        strlist_clear(&provider->traits);
    }
    free(tree->providers);
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
