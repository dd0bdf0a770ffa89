#include "agent/command/check_host.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/command/type_names.h"
#include "agent/desired/desired.h"
#include "lib/xalloc.h"

/* How many names a message lists before it says "and others". */
#define LISTED_MAX 12

static char *join_some(const struct strlist *names)
{
    struct strlist some = {.items = names->items, .count = names->count};
    if (some.count > LISTED_MAX)
        some.count = LISTED_MAX;
    _cleanup_free_ char *joined = strlist_join(&some, ", ");
    return xasprintf("%s%s", joined, some.count < names->count ? " and others" : "");
}

/* The GPU that an item of device_addresses means: the GPU of that address, or the one
 * with a virtual function of that address. */
static const struct gpu *find_gpu(const struct host *host, const char *address)
{
    const struct gpu *gpu = host_gpu(host, address);
    return gpu ? gpu : host_parent(host, address, NULL);
}

/* The probable reason why no card offers a type. The caller frees. */
static char *why_no_types(const struct gpu *gpus, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (gpus[i].vf_total > 0 && gpus[i].vf_enabled == 0)
            return xstrdup(
                "are its virtual functions enabled (the vendor's sriov-manage)?");
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *obstacle =
            gpus[i].driver && gpus[i].health == GPU_OK ? gpu_obstacle(&gpus[i]) : NULL;
        if (obstacle)
            return xasprintf("%s: %s", gpus[i].name, obstacle);
    }
    return xstrdup("is the vendor's driver loaded?");
}

static bool is_unreadable(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (host->gpus[i].health == GPU_UNREADABLE)
            return true;
    return false;
}

/* Whether the GPU may offer more types than its driver lists now: with some kinds the
 * list shrinks as the card fills, and what it was before went with the state file; and
 * the agent itself enables virtual functions where it is told how. */
static bool may_offer_more(const struct config *config, const struct gpu *gpu)
{
    if (config->agent.sriov_manage && gpu->vf_total > 0 && gpu->vf_enabled == 0)
        return true;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct backend *backend = backend_find(gpu->parents[i].backend);
        if (backend && backend->recall && gpu->parents[i].device_count)
            return true;
    }
    return false;
}

static bool is_listed_in_part(const struct config *config, const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (may_offer_more(config, &host->gpus[i]))
            return true;
    return false;
}

static const struct device_type *resolve_anywhere(const struct host *host,
                                                  const char *configured)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct device_type *type = gpu_resolve_type(&host->gpus[i], configured);
        if (type)
            return type;
    }
    return NULL;
}

static void check_offered(const struct config *config,
                          const struct mdev_type_config *type, const struct host *host,
                          struct config_problems *problems)
{
    const struct device_type *found = resolve_anywhere(host, type->type);
    if (found) {
        if (config->agent.mode == MODE_NOVA && strcmp(found->id, type->type) != 0)
            config_error(problems, &type->place,
                         "devices.enabled_mdev_types: %s is a name, which nova-compute "
                         "does not know; expected %s in mode nova",
                         type->type, found->id);
        return;
    }
    /* An unreadable GPU may offer it. Whole cards are named, and checked one by one. */
    if (is_unreadable(host) || strcmp(type->type, PASSTHROUGH_TYPE) == 0)
        return;
    _cleanup_free_ char *listed = type_names_list(host->gpus, host->gpu_count);
    _cleanup_free_ char *near =
        type_names_nearest(host->gpus, host->gpu_count, type->type);
    _cleanup_free_ char *why = why_no_types(host->gpus, host->gpu_count);
    if (is_listed_in_part(config, host))
        config_warning(
            problems, &type->place,
            "devices.enabled_mdev_types: no GPU of this host lists %s now; one "
            "with devices lists only what fits beside these, and one whose "
            "virtual functions are off lists nothing%s%s",
            type->type, listed ? "; listed are " : "", listed ? listed : "");
    else if (!listed)
        config_error(
            problems, &type->place,
            "devices.enabled_mdev_types: no GPU of this host offers %s, nor any "
            "other type; %s",
            type->type, why);
    else
        config_error(problems, &type->place,
                     "devices.enabled_mdev_types: no GPU of this host offers %s%s%s; "
                     "expected one of %s",
                     type->type, near ? ", did you mean " : "", near ? near : "",
                     listed);
}

/* The highest max_instance of the type over all cards; 0: not known. */
static unsigned most_instances(const struct host *host, const char *configured)
{
    unsigned most = 0;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct device_type *type = gpu_resolve_type(&host->gpus[i], configured);
        if (type && type->attributes.max_instance == 0)
            return 0;
        if (type && type->attributes.max_instance > most)
            most = type->attributes.max_instance;
    }
    return most;
}

static void check_max(const struct mdev_type_config *type, const struct host *host,
                      struct config_problems *problems)
{
    unsigned most = most_instances(host, type->type);
    if (most == 0 || type->max_instances <= most)
        return;
    config_warning(problems, &type->max_place,
                   "mdev_%s.max_instances: %u, but no GPU of this host takes more than "
                   "%u devices of %s; expected 1 to %u",
                   type->type, type->max_instances, most, type->type, most);
}

/* With shares of a card's memory, a type can be named that no card has the memory for. A
 * card that has devices may have it once they are gone. */
static void check_share(const struct mdev_type_config *type, const struct host *host,
                        struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        const struct device_type *offered = gpu_resolve_type(gpu, type->type);
        if (!offered)
            continue;
        const struct backend *backend = backend_find(gpu->parents[0].backend);
        for (size_t j = 0; j < gpu->parent_count; j++)
            if (gpu->parents[j].device_count)
                return;
        if (!backend || !backend->enables_functions || gpu->health != GPU_OK ||
            offered->attributes.max_instance)
            return;
        strlist_add(&names, gpu->name);
    }
    _cleanup_free_ char *listed = join_some(&names);
    if (names.count)
        config_error(
            problems, &type->place,
            "vf_type_%s.vram_quota: no function can get so much (%s); expected "
            "at most the memory of a card",
            type->type, listed);
}

/* `option` has the address: "mdev_nvidia-35.device_addresses". */
static void warn_of_missing(const struct config_place *place, const char *option,
                            const char *address, const struct host *host,
                            struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        strlist_add(&names, host->gpus[i].name);
    _cleanup_free_ char *listed = join_some(&names);
    config_warning(problems, place, "%s: there is no GPU %s on this host; it has %s",
                   option, address, names.count ? listed : "none");
}

static void check_group(const struct group_config *group, const struct host *host,
                        struct config_problems *problems)
{
    _cleanup_free_ char *option = xasprintf("group_%s.device_addresses", group->name);
    for (size_t i = 0; i < group->device_addresses.count; i++)
        if (!find_gpu(host, group->device_addresses.items[i]))
            warn_of_missing(&group->addresses_place, option,
                            group->device_addresses.items[i], host, problems);
}

static void check_address(const struct config *config,
                          const struct mdev_type_config *type, const char *address,
                          const struct host *host, struct config_problems *problems)
{
    const struct gpu *gpu = find_gpu(host, address);
    if (!gpu) {
        warn_of_missing(&type->addresses_place, type->addresses_option, address, host,
                        problems);
        return;
    }
    /* One that has a type could be used, but for who has it open now. */
    if (gpu->health == GPU_UNUSABLE)
        (gpu_offers_types(gpu) ? config_warning : config_error)(
            problems, &type->addresses_place, "%s: the GPU %s: %s",
            type->addresses_option, address, gpu->health_reason);
    if (gpu->health != GPU_OK || gpu_resolve_type(gpu, type->type))
        return;
    if (!resolve_anywhere(host, type->type)) /* check_offered() has reported it */
        return;
    _cleanup_free_ char *listed = type_names_list(gpu, 1);
    _cleanup_free_ char *why = why_no_types(gpu, 1);
    if (may_offer_more(config, gpu))
        config_warning(
            problems, &type->addresses_place,
            "%s: the GPU %s does not list %s now; one with devices lists only "
            "what fits beside these, and one whose virtual functions are off "
            "lists nothing",
            type->addresses_option, address, type->type);
    else if (listed)
        config_error(problems, &type->addresses_place,
                     "%s: the GPU %s does not offer %s; expected a "
                     "GPU that does (this one has %s)",
                     type->addresses_option, address, type->type, listed);
    else
        config_error(problems, &type->addresses_place,
                     "%s: the GPU %s offers no types; %s", type->addresses_option,
                     address, why);
}

/* The type is a driver's, which makes its devices: functions that are there anyway are
 * none of it. */
static void check_fixed(const struct mdev_type_config *type, const char *address,
                        const struct host *host, struct config_problems *problems)
{
    const struct gpu *gpu = find_gpu(host, address);
    const struct backend *backend =
        gpu && gpu->parent_count ? backend_find(gpu->parents[0].backend) : NULL;
    if (type->vf.fixed && backend && !backend->permanent &&
        gpu_resolve_type(gpu, type->type))
        config_warning(problems, &type->vf.place,
                       "vf_type_%s.fixed: not used: the GPU %s offers %s, and of them "
                       "this type",
                       type->type, address, backend->offers);
}

static void check_model(const struct mdev_type_config *type, const char *address,
                        const struct host *host, struct config_problems *problems)
{
    const struct gpu *gpu = find_gpu(host, address);
    if (gpu && !card_types_is_of_model(type, gpu))
        config_error(problems, &type->addresses_place,
                     "mdev_%s.device_id: the GPU %s is a %04x:%04x; expected %s, and "
                     "nothing is made on another model",
                     type->type, address, gpu->vendor, gpu->device, type->device_id);
}

/* The parents of the card that nova-compute offers devices of the type on. */
static unsigned count_parents(const struct config *config,
                              const struct mdev_type_config *type,
                              const struct gpu *gpu)
{
    unsigned count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        bool elsewhere = false;
        for (size_t j = 0; j < config->type_count; j++)
            elsewhere |= strlist_contains(&config->types[j].device_addresses,
                                          gpu->parents[i].name);
        count += type->device_addresses.count
                     ? strlist_contains(&type->device_addresses, gpu->parents[i].name)
                     : !elsewhere;
    }
    return count;
}

/* nova-compute reports each virtual function by itself, as long as it shows an instance:
 * all of them, also where the card is full after a few. */
static void check_fit(const struct config *config, const struct mdev_type_config *type,
                      const struct host *host, struct config_problems *problems)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        const struct device_type *offered = gpu_resolve_type(gpu, type->type);
        unsigned most = offered ? offered->attributes.max_instance : 0;
        unsigned count = count_parents(config, type, gpu);
        if (gpu->vf_enabled == 0 || most == 0 || count <= most ||
            !backend_is_novas(gpu->parents[0].backend))
            continue;
        config_warning(problems,
                       type->device_addresses.count ? &type->addresses_place
                                                    : &type->place,
                       "mdev_%s.device_addresses: %u virtual functions of the GPU %s "
                       "get this type, and the card takes %u devices of it: "
                       "nova-compute offers them all, and guests fail; expected %u of "
                       "them in mode nova",
                       type->type, count, gpu->name, most, most);
    }
}

/* Tells of a GPU that the type would be for, but that nova-compute cannot use. */
static void check_is_novas(const struct mdev_type_config *type, const struct host *host,
                           struct config_problems *problems)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        const struct parent *parent = gpu->parent_count ? &gpu->parents[0] : NULL;
        bool named = type->device_addresses.count == 0;
        for (size_t j = 0; j < type->device_addresses.count; j++)
            named |= find_gpu(host, type->device_addresses.items[j]) == gpu;
        if (!parent || !named || backend_is_novas(parent->backend) ||
            !gpu_resolve_type(gpu, type->type))
            continue;
        config_error(
            problems, &type->place,
            "devices.enabled_mdev_types: %s is for the GPU %s, which offers %s: "
            "nova-compute makes none by [devices]; expected mode owner or nova-pci",
            type->type, gpu->name, backend_offers(parent->backend));
    }
}

/* nova-compute accepts only the addresses of mdev parents. */
static void check_is_parent(const struct mdev_type_config *type, const char *address,
                            const struct host *host, struct config_problems *problems)
{
    const struct gpu *gpu = host_gpu(host, address);
    if (!gpu || gpu->parent_count == 0 || host_parent(host, address, NULL))
        return;
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < gpu->parent_count; i++)
        strlist_add(&names, gpu->parents[i].name);
    _cleanup_free_ char *listed = join_some(&names);
    config_error(problems, &type->addresses_place,
                 "mdev_%s.device_addresses: %s makes its devices below its virtual "
                 "functions, which nova-compute wants named; expected some of %s in "
                 "mode nova",
                 type->type, address, listed);
}

/* Reports two functions of one card that are configured for two types: a card is one
 * provider, which has one type. */
static void check_same_card(const struct config *config, size_t index,
                            const char *address, const struct host *host,
                            struct config_problems *problems)
{
    const struct mdev_type_config *type = &config->types[index];
    const struct gpu *gpu = find_gpu(host, address);
    for (size_t i = 0; gpu && i < index; i++) {
        const struct strlist *others = &config->types[i].device_addresses;
        for (size_t j = 0; j < others->count; j++)
            if (find_gpu(host, others->items[j]) == gpu &&
                !(mdev_type_shares(type) && mdev_type_shares(&config->types[i]))) {
                config_error(
                    problems, &type->addresses_place,
                    "%s: %s is the same GPU as %s of %s; expected one type for "
                    "each GPU",
                    type->addresses_option, address, others->items[j],
                    config->types[i].addresses_option);
                return;
            }
    }
}

void check_host_types(const struct config *config, const struct host *host,
                      struct config_problems *problems)
{
    _cleanup_free_ char *nothing = desired_nothing_enabled(config, host);
    if (nothing && !config_has_errors(problems))
        config_warning(problems, NULL, "devices.enabled_mdev_types: %s", nothing);
    for (size_t i = 0; i < config->group_count; i++)
        check_group(&config->groups[i], host, problems);
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        check_offered(config, type, host, problems);
        check_max(type, host, problems);
        check_share(type, host, problems);
        if (config->agent.mode == MODE_NOVA) {
            check_fit(config, type, host, problems);
            check_is_novas(type, host, problems);
        }
        for (size_t j = 0; j < type->device_addresses.count; j++) {
            check_address(config, type, type->device_addresses.items[j], host,
                          problems);
            check_model(type, type->device_addresses.items[j], host, problems);
            check_fixed(type, type->device_addresses.items[j], host, problems);
            if (config->agent.mode != MODE_NOVA)
                check_same_card(config, i, type->device_addresses.items[j], host,
                                problems);
            else
                check_is_parent(type, type->device_addresses.items[j], host, problems);
        }
    }
}

/* ---- what operators have chosen at run time ---- */

static bool is_of_files(const struct config *config, const struct host *host,
                        const char *name, const char *type)
{
    const struct gpu *gpu = host_gpu(host, name);
    _cleanup_strlist_ struct strlist ignored = {0};
    struct type_pool pool = {0};
    struct card_types types =
        gpu ? card_types_choose(config, host, gpu, NULL, &pool, &ignored)
            : card_types_of_absent(config, name, NULL, &pool);
    bool found = false;
    for (size_t i = 0; i < types.count; i++)
        found |= card_types_is_same(gpu, types.items[i].config->type, type);
    card_types_clear(&types);
    type_pool_clear(&pool);
    return found;
}

static void check_lines(const struct config *config, const struct host *host,
                        const struct strlist *lines, bool enabled,
                        struct config_problems *problems)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *blank = strchr(lines->items[i], ' ');
        if (!blank)
            continue;
        _cleanup_free_ char *gpu =
            xstrndup(lines->items[i], (size_t)(blank - lines->items[i]));
        if (is_of_files(config, host, gpu, blank + 1) == enabled)
            continue;
        config_warning(
            problems, NULL,
            "%s: '%s' is %s by `vgpu-agent %s`, and the files say otherwise; "
            "`vgpu-agent gpus %s` shows its types",
            gpu, blank + 1, enabled ? "enabled" : "disabled",
            enabled ? "enable" : "disable", gpu);
    }
}

void check_host_choices(const struct config *config, const struct host *host,
                        const struct type_choices *choices,
                        struct config_problems *problems)
{
    check_lines(config, host, &choices->enabled, true, problems);
    check_lines(config, host, &choices->disabled, false, problems);
}
