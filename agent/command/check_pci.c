#include "agent/command/check_pci.h"

#include <string.h>

#include "agent/desired/device_spec.h"
#include "lib/json_read.h"
#include "lib/xalloc.h"

#define TAKE_IT "expected what `vgpu-agent nova-config` prints"

/* What nova.conf says of the functions of one card. */
struct reading {
    const struct device_specs *specs;
    const struct gpu *gpu;
    const struct pci_card *card;
    struct config_problems *problems;
};

/* ---- which functions are named ---- */

/* With `typed` the functions that have the type and that no entry names; else those
 * that have no type, and that an entry names. `place` is the last such entry's. */
static struct strlist find_misnamed(const struct reading *r, bool typed,
                                    const struct config_place **place)
{
    struct strlist found = {0};
    for (size_t i = 0; i < r->card->all.count; i++) {
        const char *function = r->card->all.items[i];
        struct device_tags tags = {0};
        bool named = device_specs_find(r->specs, r->gpu, function, &tags);
        bool has_type = strlist_contains(&r->card->functions, function);
        if (has_type == typed && named != typed) {
            strlist_add(&found, function);
            *place = tags.place;
        }
    }
    return found;
}

static void check_named(const struct reading *r)
{
    const struct config_place *place = NULL;
    _cleanup_strlist_ struct strlist missing = find_misnamed(r, true, &place);
    _cleanup_strlist_ struct strlist extra = find_misnamed(r, false, &place);
    _cleanup_free_ char *missed = strlist_join(&missing, ", ");
    _cleanup_free_ char *named = strlist_join(&extra, ", ");
    if (missing.count)
        config_error(
            r->problems, NULL,
            "pci.device_spec: does not name %s, which %s the type %s; " TAKE_IT, missed,
            missing.count == 1 ? "has" : "have", r->card->type_id);
    if (extra.count)
        config_error(
            r->problems, place,
            "pci.device_spec: names %s of %s, without a type of the agent's: a "
            "guest would not start with it; " TAKE_IT,
            named, r->gpu->name);
}

/* An entry that means the card itself, beside its functions, stops nova-compute's
 * report: a card and its functions cannot both be given away. */
static void check_card(const struct reading *r)
{
    struct device_tags tags;
    if (r->card->functions.count &&
        device_specs_find(r->specs, r->gpu, r->gpu->name, &tags))
        config_error(r->problems, tags.place,
                     "pci.device_spec: names the card %s itself, beside its functions, "
                     "and nova-compute then reports neither; expected the addresses of "
                     "its functions",
                     r->gpu->name);
}

/* ---- what is said of them ---- */

/* How the entry differs from what the function is; NULL: it does not. Traits that an
 * operator has added are left out. The caller frees. */
static char *difference(const struct pci_card *card, const struct device_tags *tags)
{
    if (tags->has_network)
        return xstrdup("physical_network is set, so that it is not reported to "
                       "Placement");
    if (card->managed && !tags->managed)
        return xstrdup("managed is \"no\", and nobody would bind vfio-pci to the "
                       "function for its guest");
    if (tags->managed && !card->managed)
        return xstrdup(
            "managed is not \"no\", and libvirt would take the function from "
            "its driver");
    if (!tags->resource_class ||
        strcmp(tags->resource_class, card->resource_class) != 0)
        return xasprintf("resource_class is %s, not %s",
                         tags->resource_class ? tags->resource_class : "not set",
                         card->resource_class);
    for (size_t i = 0; i < card->traits.count; i++)
        if (!strlist_contains(tags->traits, card->traits.items[i]))
            return xasprintf("traits lack %s", card->traits.items[i]);
    if (tags->live_migratable != card->live_migratable)
        return xasprintf("live_migratable is \"%s\", and that of its type is %s",
                         tags->live_migratable ? "yes" : "no",
                         card->live_migratable ? "true" : "false");
    return NULL;
}

/* One line for each way to differ, with the first function that it is true of. */
static void check_tags(const struct reading *r)
{
    _cleanup_strlist_ struct strlist said = {0};
    for (size_t i = 0; i < r->card->functions.count; i++) {
        const char *function = r->card->functions.items[i];
        struct device_tags tags;
        if (!device_specs_find(r->specs, r->gpu, function, &tags))
            continue;
        _cleanup_free_ char *differs = difference(r->card, &tags);
        if (!differs || strlist_contains(&said, differs))
            continue;
        strlist_add(&said, differs);
        config_error(r->problems, tags.place, "pci.device_spec: %s: %s; " TAKE_IT,
                     function, differs);
    }
}

/* The functions of a card must have the same traits, also those that the agent does not
 * ask for. */
static void check_alike(const struct reading *r)
{
    struct device_tags first, other;
    bool found = false;
    for (size_t i = 0; i < r->card->all.count; i++) {
        if (!device_specs_find(r->specs, r->gpu, r->card->all.items[i], &other))
            continue;
        if (found && !strlist_equal(first.traits, other.traits)) {
            config_error(
                r->problems, other.place,
                "pci.device_spec: %s has other traits than the functions of %s "
                "before it, and nova-compute then reports none of the card; "
                "expected the same for all of them",
                r->card->all.items[i], r->gpu->name);
            return;
        }
        first = other;
        found = true;
    }
}

/* ---- the other options ---- */

static bool is_alias_of(const struct nova_pci_value *value, const struct pci_card *card)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct error err;
    const char *class = NULL;
    return json_parse(value->text, strlen(value->text), &json, &err) == 0 &&
           json_get_string_or_null(json, "resource_class", &class, &err) == 0 &&
           class && strcasecmp(class, card->resource_class) == 0;
}

/* nova-compute needs it for resize and migration; nova-api, elsewhere, for all. */
static void check_alias(const struct reading *r, const struct nova_pci_config *config)
{
    for (size_t i = 0; i < config->alias_count; i++)
        if (is_alias_of(&config->aliases[i], r->card))
            return;
    config_warning(r->problems, NULL,
                   "pci.alias: none asks for %s; " TAKE_IT ", here and at nova-api",
                   r->card->resource_class);
}

static void check_switches(const struct nova_pci_config *config,
                           struct config_problems *problems)
{
    if (!config->report_in_placement)
        config_error(problems, NULL,
                     "pci.report_in_placement: not set, so that nova-compute does not "
                     "report functions to Placement; expected true");
    if (config->scheduler_known && !config->pci_in_placement)
        config_warning(problems, NULL,
                       "filter_scheduler.pci_in_placement: false, so that classes and "
                       "traits in aliases are refused; expected true at nova-scheduler "
                       "and nova-api");
}

void check_pci(const struct config *config, const struct host *host,
               const struct pci_card *cards, size_t card_count,
               struct config_problems *problems)
{
    _cleanup_specs_ struct device_specs specs = {0};
    size_t before = problems->count;
    device_specs_read(&config->nova_pci, &specs, problems);
    if (problems->count > before) /* nova-compute does not start with it */
        return;
    check_switches(&config->nova_pci, problems);
    for (size_t i = 0; i < card_count; i++) {
        const struct reading r = {&specs, host_gpu(host, cards[i].gpu), &cards[i],
                                  problems};
        check_named(&r);
        check_card(&r);
        check_tags(&r);
        check_alike(&r);
        if (cards[i].functions.count)
            check_alias(&r, &config->nova_pci);
    }
}
