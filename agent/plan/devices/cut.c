#include "agent/plan/devices/cut.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/host/capacity.h"
#include "agent/plan/world/want_type.h"
#include "lib/xalloc.h"

/* What is known beside the card itself. */
struct sight {
    const struct plan_input *in;
    bool placement; /* all allocations on the card are known */
    bool allocated;
};

static struct sight sight_of(const struct plan_input *in,
                             const struct observed_provider *provider)
{
    struct sight sight = {.in = in};
    sight.placement =
        in->observed && in->observed->root_found && (!provider || provider->detailed);
    sight.allocated = provider && provider->allocation_count > 0;
    return sight;
}

/* ---- the functions as they are ---- */

/* True when the device of the parent has the parent's own address. */
static bool is_function(const struct parent *parent)
{
    const struct backend *backend = backend_find(parent->backend);
    char address[DEVICE_ADDRESS_SIZE] = "";
    if (backend)
        backend->address(parent->name, CUT_CONSUMER, address);
    return strcmp(address, parent->name) == 0;
}

static bool is_named(const struct desired_provider *desired,
                     const struct parent *parent)
{
    for (size_t i = 0; desired && i < desired->view.parent_count; i++)
        if (strcmp(desired->view.parents[i].name, parent->name) == 0)
            return true;
    return false;
}

static bool is_same_type(const struct gpu *gpu, const struct journal_device *entry,
                         const char *type_id)
{
    const struct device_type *type = entry_type(gpu, entry);
    return strcmp(type ? type->id : entry->type_id, type_id) == 0;
}

void cut_uuid(const struct parent *parent, char out[UUID_TEXT_SIZE])
{
    _cleanup_free_ char *name = xasprintf("cut:%s:%s", parent->backend, parent->name);
    uuid5_text(CUT_CONSUMER, name, out);
}

/* An entry has lost its address where somebody else was faster. */
static const struct journal_device *find_entry(const struct journal *journal,
                                               const struct parent *parent)
{
    const struct journal_device *entry =
        journal_find_device_at(journal, parent->backend, parent->name);
    char uuid[UUID_TEXT_SIZE];
    cut_uuid(parent, uuid);
    return entry ? entry : journal_find_device(journal, uuid);
}

static void add_function(struct cut *cut, const struct plan_input *in,
                         const struct parent *parent)
{
    struct cut_function *function = array_add(cut->functions, cut->count);
    function->parent = parent;
    function->device = parent->device_count ? &parent->devices[0] : NULL;
    function->entry = find_entry(in->journal, parent);
    function->use = in->use ? device_use_find(in->use, parent->name) : NULL;
    function->named = is_named(cut->desired, parent);
    function->fate = function->device ? FUNCTION_CUT : FUNCTION_PLAIN;
    const char *type_id = function->device ? function->device->type_id : NULL;
    function->outdated = function->entry && journal_device_is_cut(function->entry) &&
                         type_id &&
                         (!function->entry->address[0] ||
                          !is_same_type(cut->gpu, function->entry, type_id));
}

/* True when the agent gave the function the type that it has. */
static bool is_ours(const struct cut_function *function)
{
    return function->device && function->entry &&
           journal_device_is_cut(function->entry) && !function->outdated;
}

const char *function_type_after(const struct cut_function *function)
{
    if (function->fate == FUNCTION_TO_CUT)
        return function->type->id;
    return function->fate == FUNCTION_CUT ? function->device->type_id : NULL;
}

static bool is_in_transition(const struct cut *cut)
{
    for (size_t i = 0; i < cut->count; i++)
        if (cut->functions[i].device && cut->functions[i].device->in_transition)
            return true;
    return false;
}

/* ---- what is wanted ---- */

/* The configured type; NULL: there is none, or the card is not in a state to get it. */
static const struct device_type *wanted_type(const struct cut *cut)
{
    const struct desired_provider *desired = cut->desired;
    return desired && !desired->sick && desired->type_id
               ? gpu_type(cut->gpu, desired->type_id)
               : NULL;
}

static int64_t card_limit(const struct cut *cut)
{
    return gpu_limit_below(cut->gpu, &cut->desired->view, cut->desired->type_id);
}

/* How many functions are to have the type. */
static int64_t wanted_count(const struct cut *cut, const struct device_type *type)
{
    int64_t count = 0;
    for (size_t i = 0; type && i < cut->count; i++)
        count += cut->functions[i].named;
    if (!count)
        return 0;
    int64_t most = cut->desired->type_config->max_instances;
    if (most && count > most)
        count = most;
    int64_t limit = card_limit(cut);
    return count > limit ? limit : count;
}

static bool will_have(const struct cut_function *function,
                      const struct device_type *type)
{
    const char *id = function_type_after(function);
    return function->named && type && id && strcmp(id, type->id) == 0;
}

static int64_t count_having(const struct cut *cut, const struct device_type *type)
{
    int64_t count = 0;
    for (size_t i = 0; i < cut->count; i++)
        count += will_have(&cut->functions[i], type);
    return count;
}

static void wait_take(struct cut *cut, char *why, bool stuck)
{
    free(cut->waits);
    cut->waits = why;
    cut->stuck = stuck;
}

/* ---- types that a reboot took ---- */

/* True when a guest may need the function with its former type. */
static bool may_be_needed(const struct sight *sight,
                          const struct cut_function *function)
{
    return !sight->placement || sight->allocated || function->use ||
           sight->in->use->unknown;
}

/* Gives the functions the types back that they had, where these are still wanted, or
 * where a guest may need them. */
static void bring_back(struct cut *cut, const struct sight *sight,
                       const struct device_type *wanted, int64_t most)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct cut_function *function = &cut->functions[i];
        if (function->device || !function->entry ||
            !journal_device_is_cut(function->entry))
            continue;
        if (!sight->in->use) {
            cut->needs_use = true;
            continue;
        }
        const struct device_type *type = entry_type(cut->gpu, function->entry);
        bool fits = type && wanted && strcmp(type->id, wanted->id) == 0 &&
                    function->named && count_having(cut, wanted) < most;
        if (!fits && !may_be_needed(sight, function)) {
            function->outdated = true;
            continue;
        }
        if (!type) {
            wait_take(cut,
                      xasprintf("%s cannot get its type %s back, which the card does "
                                "not offer any more",
                                function->parent->name, function->entry->type_id),
                      true);
            continue;
        }
        function->fate = FUNCTION_TO_CUT;
        function->type = type;
        cut->comes_back |= !fits;
    }
}

/* ---- functions that are to lose their type ---- */

/* Why the function cannot lose its type now; NULL: it can. The caller frees. */
static char *obstacle(const struct sight *sight, const struct cut_function *function)
{
    const struct plan_input *in = sight->in;
    if (function->device->in_transition)
        return xstrdup("it is being made or removed");
    if (in->use->unknown)
        return xstrdup("it is not known who uses it");
    if (function->use && function->use->domain[0])
        return xasprintf("the domain %s has it", function->use->domain);
    if (function->use)
        return xstrdup("a process or a definition of mdevctl's has it");
    if (!sight->placement)
        return xstrdup("what is allocated on its card is not known");
    if (sight->allocated)
        return xstrdup("something is allocated on its card");
    if (in->journal->rebuilding)
        return xstrdup("the state file is not complete yet");
    if (in->keep_until > in->now)
        return xstrdup("Placement may have lost allocations");
    return NULL;
}

static void clear_function(struct cut *cut, const struct sight *sight,
                           struct cut_function *function)
{
    if (!sight->in->use) {
        cut->needs_use = true;
        return;
    }
    char *why = obstacle(sight, function);
    if (!why)
        function->fate = FUNCTION_TO_CLEAR;
    else
        wait_take(cut,
                  xasprintf("%s keeps the type %s: %s", function->parent->name,
                            function->device->type_id, why),
                  false);
    free(why);
}

/* Clears functions of other types and, from the last one on, those beyond `most`. */
static void clear_surplus(struct cut *cut, const struct sight *sight,
                          const struct device_type *type, int64_t most)
{
    for (size_t i = cut->count; i-- > 0;) {
        struct cut_function *function = &cut->functions[i];
        if (function->fate != FUNCTION_CUT || !function->device->type_id)
            continue;
        bool fits = will_have(function, type);
        if (fits && count_having(cut, type) <= most)
            continue;
        if (is_ours(function))
            clear_function(cut, sight, function);
        else if (function->named)
            wait_take(cut,
                      xasprintf("%s has the type %s, which the agent did not set%s: "
                                "take it away by hand once it is free",
                                function->parent->name, function->device->type_id,
                                function->entry ? " in this mode" : ""),
                      true);
    }
}

/* ---- functions that are to get the type ---- */

/* True when the card has functions of another type that the agent made, or gives back:
 * Nova has one class and one set of traits for all functions of a card. */
static bool carries_another(const struct cut *cut, const struct device_type *type)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_function *function = &cut->functions[i];
        const char *id = function_type_after(function);
        if (function->fate == FUNCTION_TO_CLEAR ||
            (id && strcmp(id, type->id) != 0 &&
             (function->fate == FUNCTION_TO_CUT || is_ours(function))))
            return true;
    }
    return false;
}

/* True when the function can get the type now. One that a process has open is in some
 * other use; one that a domain names has lost its type, and its guest waits for it. */
static bool is_free(const struct cut_function *function, const struct device_type *type)
{
    const struct device_type *offered = parent_type(function->parent, type->id);
    return function->named && function->fate == FUNCTION_PLAIN && offered &&
           offered->available > 0 &&
           (!function->entry || journal_device_is_cut(function->entry)) &&
           !(function->use && (function->use->group_open || function->use->running));
}

static struct cut_function *next_free(struct cut *cut, const struct device_type *type)
{
    struct cut_function *found = NULL;
    for (size_t i = 0; i < cut->count; i++) {
        struct cut_function *function = &cut->functions[i];
        if (!is_free(function, type))
            continue;
        if (function->use)
            return function;
        if (!found)
            found = function;
    }
    return found;
}

/* Where neither the file nor the driver tells how many fit, one is made after the
 * other, until the driver says that it has no room. */
static bool is_without_limit(const struct cut *cut)
{
    return !cut->desired->type_config->max_instances && card_limit(cut) == INT64_MAX;
}

static void cut_more(struct cut *cut, const struct device_type *type, int64_t most)
{
    bool one_by_one = is_without_limit(cut);
    int64_t missing = most - count_having(cut, type);
    while (missing > 0) {
        struct cut_function *function = next_free(cut, type);
        if (!function)
            break;
        function->fate = FUNCTION_TO_CUT;
        function->type = type;
        missing--;
        if (one_by_one) {
            cut->goes_on = missing > 0;
            return;
        }
    }
    if (missing > 0 && !one_by_one && !cut->waits)
        wait_take(cut,
                  xasprintf("%lld more of '%s' are wanted, and no free function takes "
                            "one",
                            (long long)missing, cut->desired->type_config->type),
                  true);
}

static void add_missing(struct cut *cut, const struct sight *sight,
                        const struct device_type *type, int64_t most)
{
    if (count_having(cut, type) >= most)
        return;
    if (!sight->in->use)
        cut->needs_use = true;
    else if (carries_another(cut, type))
        cut->goes_on = !cut->waits;
    else if (is_in_transition(cut))
        wait_take(cut, xstrdup("it waits for a function in transition"), false);
    else if (sight->in->use->unknown)
        wait_take(cut, xstrdup("it is not known who uses its functions"), false);
    else
        cut_more(cut, type, most);
}

/* ---- what owner mode has left ---- */

/* A function that was cut for a consumer is the consumer's until that is gone. */
static void find_orphans(struct cut *cut, const struct sight *sight)
{
    const struct plan_input *in = sight->in;
    for (size_t i = 0; sight->placement && i < cut->count; i++) {
        struct cut_function *function = &cut->functions[i];
        const struct journal_device *entry = function->entry;
        if (!entry || entry->adopted || journal_device_is_cut(entry) ||
            observed_has_consumer(in->observed, entry->consumer))
            continue;
        cut->needs_use |= !in->use;
        function->orphaned = in->use && !in->use->unknown && !function->use;
    }
}

/* ---- the resource class ---- */

static const struct cut_function *find_former(const struct cut *cut)
{
    const char *type_id = cut->desired ? cut->desired->type_id : NULL;
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_function *function = &cut->functions[i];
        const char *id = function_type_after(function);
        if (id && function->entry && journal_device_is_cut(function->entry) &&
            !(function->device && function->outdated) &&
            (!type_id || strcmp(id, type_id) != 0))
            return function;
    }
    return NULL;
}

/* The class in which the functions were made, as far as the journal tells. */
static const char *noted_class(const struct cut *cut)
{
    if (cut->former)
        return cut->former->entry->resource_class;
    for (size_t i = 0; i < cut->count; i++)
        if (cut->functions[i].entry && journal_device_is_cut(cut->functions[i].entry))
            return cut->functions[i].entry->resource_class;
    return NULL;
}

/* nova-compute cannot change the class of a provider while something is allocated
 * there. */
static void choose_class(struct cut *cut, const struct sight *sight,
                         const struct observed_provider *provider)
{
    const char *wanted = cut->desired ? cut->desired->resource_class : NULL;
    const char *noted = noted_class(cut), *held = NULL;
    if (sight->allocated)
        held = provider->allocations[0].resource_class;
    else if (!sight->placement || cut->former)
        held = noted;
    cut->resource_class = held ? held : wanted ? wanted : noted;
    if (!cut->waits && !cut->former && wanted && sight->allocated &&
        strcmp(wanted, cut->resource_class) != 0)
        wait_take(cut,
                  xasprintf("its resource class stays %s as long as something is "
                            "allocated on it",
                            held),
                  false);
}

/* ---- the cut ---- */

static bool has_plain_kind(const struct cut *cut)
{
    return cut->count == 0 && cut->gpu->parent_count > 0;
}

static void decide(struct cut *cut, const struct sight *sight)
{
    const struct desired_provider *desired = cut->desired;
    if (desired && desired->sick)
        return;
    if (desired && has_plain_kind(cut)) {
        wait_take(cut,
                  xasprintf("it offers %s, which Nova's [pci] cannot give to guests: "
                            "use [agent] mode = owner or nova",
                            backend_offers(cut->gpu->parents[0].backend)),
                  true);
        return;
    }
    const struct device_type *type = wanted_type(cut);
    if (desired && !type) /* the service says that it is misconfigured */
        return;
    int64_t most = wanted_count(cut, type);
    bring_back(cut, sight, type, most);
    clear_surplus(cut, sight, type, most);
    if (type)
        add_missing(cut, sight, type, most);
}

struct cut cut_make(const struct plan_input *in, const struct gpu *gpu,
                    const struct desired_provider *desired,
                    const struct observed_provider *provider)
{
    struct cut cut = {.gpu = gpu, .desired = desired};
    const struct sight sight = sight_of(in, provider);
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (is_function(&gpu->parents[i]))
            add_function(&cut, in, &gpu->parents[i]);
    if (gpu->health == GPU_OK)
        decide(&cut, &sight);
    find_orphans(&cut, &sight);
    cut.former = find_former(&cut);
    choose_class(&cut, &sight, provider);
    return cut;
}

void cut_clear(struct cut *cut)
{
    free(cut->functions);
    free(cut->waits);
    *cut = (struct cut){0};
}
