#include "agent/desired/card_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"

/* ---- lines of operators' choices ---- */

char *type_choice(const char *gpu, const char *type)
{
    return xasprintf("%s %s", gpu, type);
}

const char *type_choice_for(const char *line, const char *gpu)
{
    size_t length = strlen(gpu);
    return strncmp(line, gpu, length) == 0 && line[length] == ' ' ? line + length + 1
                                                                  : NULL;
}

void type_choices_clear(struct type_choices *choices)
{
    strlist_clear(&choices->enabled);
    strlist_clear(&choices->disabled);
}

/* ---- types that no file has ---- */

/* A type with the defaults of a section that sets nothing. */
static const struct mdev_type_config *add_default(struct type_pool *pool,
                                                  const char *type)
{
    struct mdev_type_config *added = xcalloc(1, sizeof *added);
    added->type = xstrdup(type);
    added->mdev_class = xstrdup("VGPU");
    *array_add(pool->items, pool->count) = added;
    return added;
}

const struct mdev_type_config *type_pool_add_sum(struct type_pool *pool,
                                                 const struct card_types *types)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < types->count; i++)
        strlist_add(&names, types->items[i].config->type);
    struct mdev_type_config *added = xcalloc(1, sizeof *added);
    added->type = strlist_join(&names, ", ");
    *array_add(pool->items, pool->count) = added;
    return added;
}

void type_pool_clear(struct type_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        free(pool->items[i]->type);
        free(pool->items[i]->mdev_class);
        free(pool->items[i]);
    }
    free(pool->items);
    *pool = (struct type_pool){0};
}

/* ---- the types of the files ---- */

static bool names(const struct mdev_type_config *type, const char *address)
{
    return strlist_contains(&type->device_addresses, address);
}

static bool is_default(const struct mdev_type_config *type)
{
    return type->device_addresses.count == 0;
}

const struct mdev_type_config *card_types_naming(const struct config *config,
                                                 const char *address)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (names(&config->types[i], address))
            return &config->types[i];
    return NULL;
}

void card_types_model(const struct gpu *gpu, char out[sizeof "10de:26b9"])
{
    snprintf(out, sizeof "10de:26b9", "%04x:%04x", gpu->vendor, gpu->device);
}

bool card_types_is_of_model(const struct mdev_type_config *type, const struct gpu *gpu)
{
    char model[sizeof "10de:26b9"];
    card_types_model(gpu, model);
    return !type->device_id || strcasecmp(type->device_id, model) == 0;
}

char *card_types_other_model(const struct mdev_type_config *type, const struct gpu *gpu)
{
    char model[sizeof "10de:26b9"];
    card_types_model(gpu, model);
    return xasprintf("it is another model, %s: [mdev_%s] is for device_id = %s", model,
                     type->type, type->device_id);
}

/* A default type is for GPUs that offer it, and are of its model; other cards of the
 * host are not touched. */
static bool is_default_for(const struct mdev_type_config *type, const struct gpu *gpu)
{
    return is_default(type) && card_types_is_of_model(type, gpu) &&
           gpu_resolve_type(gpu, type->type);
}

/* Only the first of several defaults is for all GPUs, unless they share them. */
const struct mdev_type_config *card_types_default(const struct config *config,
                                                  const struct gpu *gpu)
{
    const struct mdev_type_config *first = NULL;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        if (!is_default(type) ||
            (first && !(mdev_type_shares(first) && mdev_type_shares(type))))
            continue;
        if (is_default_for(type, gpu))
            return type;
        if (!first)
            first = type;
    }
    return NULL;
}

bool card_types_on_host(const struct host *host, const char *address)
{
    return host_gpu(host, address) || host_parent(host, address, NULL);
}

/* Whether the type is for virtual functions of the card that are not enabled now: they
 * have the bus number of their card. */
static bool names_absent_function(const struct mdev_type_config *type,
                                  const struct host *host, const struct gpu *gpu)
{
    if (!gpu->vf_total || gpu->vf_enabled || gpu->parent_count)
        return false;
    const char *slot = strrchr(gpu->name, ':');
    size_t bus = slot ? (size_t)(slot - gpu->name) + 1 : 0;
    const struct strlist *addresses = &type->device_addresses;
    for (size_t i = 0; bus && i < addresses->count; i++)
        if (strncmp(addresses->items[i], gpu->name, bus) == 0 &&
            !card_types_on_host(host, addresses->items[i]))
            return true;
    return false;
}

/* The card, or one of its parents. */
static bool names_gpu(const struct mdev_type_config *type, const struct gpu *gpu)
{
    bool named = names(type, gpu->name);
    for (size_t i = 0; i < gpu->parent_count && !named; i++)
        named = names(type, gpu->parents[i].name);
    return named;
}

static bool names_card(const struct mdev_type_config *type, const struct host *host,
                       const struct gpu *gpu)
{
    return names_gpu(type, gpu) || names_absent_function(type, host, gpu);
}

/* Whether one of them is for cards of this model; `other` is the last that is not. */
struct models {
    bool allowed;
    const struct mdev_type_config *other;
};

static void add_model(struct models *models, const struct mdev_type_config *type,
                      const struct gpu *gpu)
{
    if (card_types_is_of_model(type, gpu))
        models->allowed = true;
    else
        models->other = type;
}

char *card_types_forbid(const struct config *config, const struct gpu *gpu,
                        const char *type_id)
{
    struct models own = {0}, cards = {0};
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        bool named = names_gpu(type, gpu);
        if ((named || is_default(type)) && card_types_is_same(gpu, type->type, type_id))
            add_model(&own, type, gpu);
        if (named)
            add_model(&cards, type, gpu);
    }
    const struct models *models = own.allowed || own.other ? &own : &cards;
    return !models->allowed && models->other
               ? card_types_other_model(models->other, gpu)
               : NULL;
}

/* The first type for the card. */
static const struct mdev_type_config *first_type(const struct config *config,
                                                 const struct host *host,
                                                 const struct gpu *gpu,
                                                 struct strlist *problems)
{
    const struct mdev_type_config *first = card_types_naming(config, gpu->name);
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct parent *parent = &gpu->parents[i];
        const struct mdev_type_config *named = card_types_naming(config, parent->name);
        if (!first)
            first = named;
        else if (named && named != first &&
                 !(mdev_type_shares(named) && mdev_type_shares(first)))
            strlist_add_take(
                problems, xasprintf("%s: the type '%s' is not used there: the card "
                                    "%s carries '%s', and one type at a time",
                                    parent->name, named->type, gpu->name, first->type));
    }
    for (size_t i = 0; !first && i < config->type_count; i++)
        if (names_absent_function(&config->types[i], host, gpu))
            first = &config->types[i];
    return first ? first : card_types_default(config, gpu);
}

/* ---- the list of a card ---- */

/* A card is used whole when its own address is named, or when it gets the type as the
 * default; else those of its parents are used that the type names. */
static struct gpu view_of(const struct gpu *gpu, const struct mdev_type_config *type,
                          bool whole)
{
    struct gpu view = *gpu;
    view.parents = NULL;
    view.parent_count = 0;
    whole |= is_default(type) || names(type, gpu->name);
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (whole || names(type, gpu->parents[i].name))
            *array_add(view.parents, view.parent_count) = gpu->parents[i];
    return view;
}

bool card_types_is_same(const struct gpu *gpu, const char *one, const char *other)
{
    if (strcasecmp(one, other) == 0)
        return true;
    const struct device_type *type = gpu ? gpu_resolve_type(gpu, one) : NULL;
    return type && gpu_resolve_type(gpu, other) == type;
}

static struct card_type *find(const struct card_types *types, const struct gpu *gpu,
                              const char *name)
{
    for (size_t i = 0; i < types->count; i++)
        if (card_types_is_same(gpu, types->items[i].config->type, name))
            return &types->items[i];
    return NULL;
}

static struct card_type *add(struct card_types *types, const struct gpu *gpu,
                             const struct mdev_type_config *config, bool whole)
{
    struct card_type *added = array_add(types->items, types->count);
    added->config = config;
    if (gpu)
        added->view = view_of(gpu, config, whole);
    return added;
}

static void add_sharing(struct card_types *types, const struct config *config,
                        const struct host *host, const struct gpu *gpu,
                        struct strlist *problems)
{
    const struct mdev_type_config *first = types->items[0].config;
    for (size_t i = 0; i < config->type_count && mdev_type_shares(first); i++) {
        const struct mdev_type_config *type = &config->types[i];
        if (type == first || !mdev_type_shares(type) ||
            !(is_default(first) ? is_default_for(type, gpu)
                                : names_card(type, host, gpu)))
            continue;
        const struct card_type *same = find(types, gpu, type->type);
        if (same)
            strlist_add_take(problems,
                             xasprintf("%s: the types '%s' and '%s' are one", gpu->name,
                                       same->config->type, type->type));
        else
            add(types, gpu, type, false);
    }
}

/* ---- operators' choices ---- */

const struct mdev_type_config *
card_types_section(const struct config *config, const struct gpu *gpu, const char *name)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (card_types_is_same(gpu, config->types[i].type, name))
            return &config->types[i];
    return NULL;
}

static void choose(struct card_types *types, const struct config *config,
                   const struct gpu *gpu, const char *card, const struct strlist *lines,
                   bool disabled, struct type_pool *pool)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *name = type_choice_for(lines->items[i], card);
        if (!name)
            continue;
        struct card_type *type = find(types, gpu, name);
        const struct mdev_type_config *section =
            type ? NULL : card_types_section(config, gpu, name);
        if (!type)
            type = add(types, gpu, section ? section : add_default(pool, name), true);
        type->disabled = disabled;
    }
}

/* `enable` refuses such a type. An older version did not, and the files can say
 * one_time_use after it was enabled. */
static void hold_back_beside_one_use(struct card_types *types, size_t of_files)
{
    bool once = false;
    for (size_t i = 0; i < types->count; i++)
        once |= types->items[i].config->one_time_use &&
                !(i >= of_files && types->items[i].disabled);
    for (size_t i = of_files ? of_files : 1; once && i < types->count; i++)
        if (!types->items[i].disabled)
            types->items[i].beside = types->items[0].config;
}

static void choose_all(struct card_types *types, const struct config *config,
                       const struct gpu *gpu, const char *card,
                       const struct type_choices *choices, struct type_pool *pool)
{
    size_t of_files = types->count;
    if (choices && config->agent.mode == MODE_OWNER) {
        choose(types, config, gpu, card, &choices->enabled, false, pool);
        choose(types, config, gpu, card, &choices->disabled, true, pool);
        hold_back_beside_one_use(types, of_files);
    }
    types->mixed = types->count > 1;
    for (size_t i = 0; i < types->count; i++)
        types->mixed &= types->items[i].config->allow_mixed;
}

/* As card_types_default() and add_sharing() go through the files, whatever the card
 * lists. */
static void add_unlisted(struct card_types *types, const struct config *config,
                         const struct gpu *gpu, const struct mdev_type_config *of_files)
{
    const struct mdev_type_config *first = NULL;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        if ((of_files && !is_default(of_files)) || !is_default(type) ||
            (first && !(mdev_type_shares(first) && mdev_type_shares(type))))
            continue;
        if (!first)
            first = type;
        if (card_types_is_of_model(type, gpu) && !gpu_resolve_type(gpu, type->type))
            strlist_add(&types->unlisted, type->type);
    }
}

struct card_types card_types_choose(const struct config *config,
                                    const struct host *host, const struct gpu *gpu,
                                    const struct type_choices *choices,
                                    struct type_pool *pool, struct strlist *problems)
{
    struct card_types types = {0};
    const struct mdev_type_config *first = first_type(config, host, gpu, problems);
    if (first) {
        add(&types, gpu, first, false);
        add_sharing(&types, config, host, gpu, problems);
    }
    choose_all(&types, config, gpu, gpu->name, choices, pool);
    add_unlisted(&types, config, gpu, first);
    return types;
}

struct card_types card_types_of_absent(const struct config *config, const char *address,
                                       const struct type_choices *choices,
                                       struct type_pool *pool)
{
    struct card_types types = {0};
    for (size_t i = 0; i < config->type_count; i++)
        if (names(&config->types[i], address))
            add(&types, NULL, &config->types[i], false);
    choose_all(&types, config, NULL, address, choices, pool);
    return types;
}

void card_types_clear(struct card_types *types)
{
    for (size_t i = 0; i < types->count; i++)
        free(types->items[i].view.parents);
    free(types->items);
    strlist_clear(&types->unlisted);
    *types = (struct card_types){0};
}
