#include "agent/command/gpu_argument.h"

#include <string.h>

#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* ---- the known names ---- */

static void add_provider(struct gpu_names *names, const char *uuid, const char *name,
                         const char *gpu)
{
    if (!gpu || !name)
        return;
    strlist_add(&names->providers, name);
    strlist_add(&names->provider_gpus, gpu);
    strlist_add(&names->providers, uuid);
    strlist_add(&names->provider_gpus, gpu);
}

void gpu_names_add_journal(struct gpu_names *names, const struct journal *journal)
{
    for (size_t i = 0; i < journal->provider_count; i++)
        add_provider(names, journal->providers[i].uuid, journal->providers[i].name,
                     journal->providers[i].gpu);
}

static void add_desired(struct gpu_names *names, const struct cycle *cycle)
{
    for (size_t i = 0; cycle->desired && i < cycle->desired->provider_count; i++) {
        const struct desired_provider *desired = &cycle->desired->providers[i];
        const struct observed_provider *observed =
            cycle->observed ? desired_observe(cycle->observed, desired) : NULL;
        add_provider(names, observed ? observed->provider.uuid : desired->uuid,
                     desired->name, desired->gpu_name);
    }
}

void gpu_names_add_cycle(struct gpu_names *names, const struct cycle *cycle)
{
    const struct plan *plan = cycle->round_count ? cycle_plan(cycle) : NULL;
    add_desired(names, cycle);
    for (size_t i = 0; plan && i < plan->retired_count; i++)
        add_provider(names, plan->retired[i].uuid, plan->retired[i].name,
                     plan->retired[i].gpu);
    if (cycle->journal)
        gpu_names_add_journal(names, cycle->journal);
}

void gpu_names_add_config(struct gpu_names *names, const struct config *config)
{
    for (size_t i = 0; i < config->type_count; i++)
        for (size_t j = 0; j < config->types[i].device_addresses.count; j++)
            strlist_add_unique(&names->gpus,
                               config->types[i].device_addresses.items[j]);
}

void gpu_names_clear(struct gpu_names *names)
{
    strlist_clear(&names->gpus);
    strlist_clear(&names->providers);
    strlist_clear(&names->provider_gpus);
}

/* ---- comparing names ---- */

/* Parses "84:00.0" with the domain 0000. False: it is no such address. */
static bool parse_without_domain(const char *asked, uint64_t *number)
{
    _cleanup_free_ char *whole = xasprintf("0000:%s", asked);
    return pci_address_parse(whole, number);
}

static bool is_address(const char *name, const char *asked)
{
    uint64_t number, whole, rest;
    if (!pci_address_parse(name, &number))
        return false;
    if (pci_address_parse(asked, &whole))
        return number == whole;
    return parse_without_domain(asked, &rest) && (number & 0xffff) == rest;
}

/* `name` is that of a card, of a parent, or of a GPU that is not on the host. */
static bool is_called(const char *name, const char *asked)
{
    _cleanup_free_ char *libvirts = node_device_name("pci", name);
    return strcmp(name, asked) == 0 || is_address(name, asked) ||
           (pci_address_parse(name, NULL) && strcmp(libvirts, asked) == 0);
}

static bool gpu_is_called(const struct gpu *gpu, const char *asked)
{
    bool called = is_called(gpu->name, asked) || strcmp(gpu->node_name, asked) == 0;
    for (size_t i = 0; i < gpu->parent_count && !called; i++)
        called = is_called(gpu->parents[i].name, asked);
    return called;
}

static bool has_logical_name(const struct host *host, const struct gpu *gpu,
                             const char *asked)
{
    _cleanup_free_ char *name = host_logical_name(host, gpu);
    return name && strcmp(name, asked) == 0;
}

static void find_providers(const struct gpu_names *names, const char *asked,
                           struct strlist *found)
{
    char uuid[UUID_TEXT_SIZE];
    if (uuid_parse_text(asked, uuid))
        asked = uuid;
    for (size_t i = 0; i < names->providers.count; i++)
        if (strcmp(names->providers.items[i], asked) == 0)
            strlist_add_unique(found, names->provider_gpus.items[i]);
}

/* Adds all GPUs that `asked` can mean, by the names that the host or the configuration
 * uses. */
static void find_all(const struct host *host, const struct gpu_names *names,
                     const char *asked, struct strlist *found)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_is_called(&host->gpus[i], asked) ||
            has_logical_name(host, &host->gpus[i], asked))
            strlist_add_unique(found, host->gpus[i].name);
    for (size_t i = 0; names && i < names->gpus.count; i++) {
        const char *name = names->gpus.items[i];
        const struct gpu *of = host_parent(host, name, NULL);
        if (is_called(name, asked))
            strlist_add_unique(found, of ? of->name : name);
    }
    if (names)
        find_providers(names, asked, found);
}

static int complain(const struct host *host, const char *asked,
                    const struct strlist *found, struct error *err)
{
    _cleanup_strlist_ struct strlist there = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        strlist_add(&there, host->gpus[i].name);
    _cleanup_free_ char *list = strlist_join(found->count ? found : &there, ", ");
    if (found->count)
        return error_set(err, ERROR_INVALID, "%s can be each of %s: say which", asked,
                         list);
    return error_set(err, ERROR_NOT_FOUND, "no GPU %s on this host; it has %s", asked,
                     there.count ? list : "none");
}

int gpu_argument_find(const struct host *host, const struct gpu_names *names,
                      const char *asked, const struct gpu **out, struct error *err)
{
    _cleanup_strlist_ struct strlist found = {0};
    find_all(host, names, asked, &found);
    const struct gpu *gpu = found.count == 1 ? host_gpu(host, found.items[0]) : NULL;
    if (!gpu && found.count == 1)
        strlist_clear(&found);
    if (!gpu)
        return complain(host, asked, &found, err);
    *out = gpu;
    return 0;
}

int gpu_argument_name(const struct host *host, const struct gpu_names *names,
                      const char *asked, char **out, struct error *err)
{
    _cleanup_strlist_ struct strlist found = {0};
    find_all(host, names, asked, &found);
    if (found.count != 1)
        return complain(host, asked, &found, err);
    *out = xstrdup(found.items[0]);
    return 0;
}
