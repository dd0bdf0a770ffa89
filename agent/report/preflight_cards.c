/* The rules about the cards: their health, driver, virtual functions and types. */
#include "agent/report/preflight_rules.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "lib/xalloc.h"

/* A card that can be expected to be cut: it offers types, or is of a known maker. */
static bool counts(const struct gpu *gpu)
{
    return gpu_offers_types(gpu) || vendor_find(gpu->vendor);
}

void preflight_judge_gpus(const struct preflight_seen *seen, struct preflight *out)
{
    const struct host *host = seen->host;
    size_t count = 0;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        count += counts(gpu);
        if (gpu->health != GPU_OK)
            preflight_add(out, "gpu",
                          gpu->health == GPU_UNREADABLE ? PREFLIGHT_UNKNOWN
                                                        : PREFLIGHT_MISSING,
                          xasprintf("%s is %s: %s", gpu->name,
                                    gpu_health_name(gpu->health), gpu->health_reason),
                          gpu_remedy(gpu));
    }
    if (count)
        preflight_add(out, "gpu", PREFLIGHT_OK,
                      xasprintf("%zu GPU%s", count, count == 1 ? "" : "s"), NULL);
    else
        preflight_add(out, "gpu", PREFLIGHT_MISSING,
                      xstrdup("this host has no GPU of a maker whose GPUs can be cut"),
                      xstrdup("does `lspci` show the card?"));
}

/* Whether the files may mean the card: they name it, or one of its virtual functions,
 * or have a type for all cards that offer it, or nothing yet. A function that is not
 * enabled cannot be told from another card's. */
static bool is_meant(const struct preflight_seen *seen, const struct gpu *gpu)
{
    const struct config *config = seen->config;
    bool hides_functions = gpu->vf_total && !gpu->vf_enabled;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct strlist *named = &config->types[i].device_addresses;
        if (named->count == 0)
            return true;
        for (size_t j = 0; j < named->count; j++) {
            const struct gpu *card = host_gpu(seen->host, named->items[j]);
            if (!card)
                card = host_parent(seen->host, named->items[j], NULL);
            if (card ? card == gpu : hides_functions)
                return true;
        }
    }
    return config->type_count == 0;
}

/* Adds one item for the cards on which `fault` gives a text, named in it; else an item
 * of `well`, which becomes the item's. */
static void add_cards(const struct preflight_seen *seen, struct preflight *out,
                      const char *check, char *(*fault)(const struct gpu *gpu),
                      char *well)
{
    _cleanup_free_ char *spare = well, *first = NULL, *remedy = NULL;
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < seen->host->gpu_count; i++) {
        const struct gpu *gpu = &seen->host->gpus[i];
        _cleanup_free_ char *text =
            gpu->health == GPU_OK && is_meant(seen, gpu) ? fault(gpu) : NULL;
        if (!text)
            continue;
        strlist_add(&names, gpu->name);
        if (first)
            continue;
        first = steal(text);
        remedy = gpu_remedy(gpu);
    }
    _cleanup_free_ char *listed = strlist_join(&names, ", ");
    if (first)
        preflight_add(out, check, PREFLIGHT_MISSING, xasprintf("%s: %s", listed, first),
                      steal(remedy));
    else if (spare)
        preflight_add(out, check, PREFLIGHT_OK, steal(spare), NULL);
}

static char *lacks_driver(const struct gpu *gpu)
{
    const struct vendor *vendor = vendor_find(gpu->vendor);
    if (!vendor || gpu_offers_types(gpu))
        return NULL;
    if (!gpu->driver)
        return xstrdup("no driver is bound to it");
    if (strcmp(gpu->driver, vendor->driver) == 0)
        return NULL;
    return xasprintf("the driver %s is bound to it, and not %s's for hosts (%s)",
                     gpu->driver, vendor->name, vendor->driver);
}

void preflight_judge_driver(const struct preflight_seen *seen, struct preflight *out)
{
    _cleanup_strlist_ struct strlist drivers = {0};
    for (size_t i = 0; i < seen->host->gpu_count; i++) {
        const struct gpu *gpu = &seen->host->gpus[i];
        if (gpu->health == GPU_OK && counts(gpu) && gpu->driver)
            strlist_add_unique(&drivers, gpu->driver);
    }
    _cleanup_free_ char *listed = strlist_join(&drivers, ", ");
    add_cards(seen, out, "driver", lacks_driver,
              drivers.count ? xasprintf("bound to the cards: %s", listed) : NULL);
}

static bool enables_functions(const struct gpu *gpu)
{
    const struct backend *backend =
        gpu->parent_count ? backend_find(gpu->parents[0].backend) : NULL;
    return backend && backend->enables_functions;
}

static char *lacks_functions(const struct gpu *gpu)
{
    return counts(gpu) && gpu->vf_total && !gpu->vf_enabled && !enables_functions(gpu)
               ? xasprintf("none of its %u virtual functions is enabled", gpu->vf_total)
               : NULL;
}

void preflight_judge_functions(const struct preflight_seen *seen, struct preflight *out)
{
    unsigned enabled = 0, total = 0;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        if (counts(&seen->host->gpus[i])) {
            enabled += seen->host->gpus[i].vf_enabled;
            total += seen->host->gpus[i].vf_total;
        }
    add_cards(seen, out, "virtual functions", lacks_functions,
              enabled ? xasprintf("%u of %u are enabled", enabled, total) : NULL);
}

/* What its parents offer is the kind; a card with several counts for each. */
static struct strlist kinds_of(const struct host *host)
{
    struct strlist kinds = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++)
            if (gpu_offers_types(&host->gpus[i]))
                strlist_add_unique(&kinds,
                                   backend_offers(host->gpus[i].parents[j].backend));
    return kinds;
}

/* Without its driver or its functions a card can offer nothing: that is said already. */
static char *offers_nothing(const struct gpu *gpu)
{
    _cleanup_free_ char *driver = lacks_driver(gpu), *functions = lacks_functions(gpu);
    return counts(gpu) && !driver && !functions ? gpu_obstacle(gpu) : NULL;
}

void preflight_judge_kinds(const struct preflight_seen *seen, struct preflight *out)
{
    _cleanup_strlist_ struct strlist kinds = kinds_of(seen->host);
    _cleanup_free_ char *listed = strlist_join(&kinds, ", ");
    add_cards(seen, out, "kind", offers_nothing,
              kinds.count ? xasprintf("the cards offer %s%s", listed,
                                      kinds.count > 1 ? " (mixed)" : "")
                          : NULL);
}
