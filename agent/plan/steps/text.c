#include "agent/plan/steps/text.h"

#include <string.h>

#include "lib/pci_address.h"
#include "lib/printable.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"
#include "placement/codec.h"

const char *allocation_state_name(enum allocation_state state)
{
    static const char *const names[] = {
        [ALLOCATION_PENDING] = "pending", [ALLOCATION_READY] = "ready",
        [ALLOCATION_IN_USE] = "in use",   [ALLOCATION_RELEASING] = "releasing",
        [ALLOCATION_FAILED] = "failed",   [ALLOCATION_MIGRATING] = "migrating",
    };
    return names[state];
}

static bool concerns_device(const struct step *step)
{
    return step->device.uuid[0] != 0;
}

static char *inventory_text(const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (size_t i = 0; i < step->inventory_count; i++) {
        const struct inventory *inventory = &step->inventories[i].inventory;
        strlist_add_take(
            &parts,
            xasprintf("%s total=%lld reserved=%lld allocation_ratio=%g",
                      step->inventories[i].resource_class, (long long)inventory->total,
                      (long long)inventory->reserved, inventory->allocation_ratio));
    }
    return parts.count ? strlist_join(&parts, "; ") : xstrdup("none");
}

char *traits_text(const struct strlist *traits)
{
    _cleanup_strlist_ struct strlist shown = {0};
    for (size_t i = 0; i < traits->count; i++)
        if (strncmp(traits->items[i], "CUSTOM_", 7) == 0)
            strlist_add(&shown, traits->items[i]);
    if (shown.count < traits->count)
        strlist_add_take(&shown,
                         xasprintf("+ %zu standard", traits->count - shown.count));
    return shown.count ? strlist_join(&shown, " ") : xstrdup("none");
}

/* A function of a cut is nobody's, and its address says more than its uuid. */
static char *cut_text(const struct journal_device *device)
{
    return xasprintf("%s on %s", device->type_id, device->address);
}

static char *device_text(const struct step *step)
{
    const struct journal_device *device = &step->device;
    if (journal_device_is_cut(device))
        return cut_text(device);
    if (!*device->consumer)
        return xasprintf("%s %s on %s", device->uuid, device->type_id, device->parent);
    return xasprintf("%s %s on %s for %s", device->uuid, device->type_id,
                     device->parent, device->consumer);
}

char *step_text(const struct step *step)
{
    if (concerns_device(step))
        return device_text(step);
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
    case STEP_CREATE_CLASS:
        return xstrdup(step->name);
    case STEP_SET_INVENTORY:
        return inventory_text(step);
    case STEP_SET_TRAITS:
        return traits_text(&step->traits);
    case STEP_END_REBUILD:
        return xstrdup("the state file is complete again");
    default:
        return xstrdup(step->provider);
    }
}

/* ---- in a table ---- */

/* The width that remains for a provider's name beside STEP, GPU and RESULT. */
#define NAME_COLUMNS 40

static char *brief_inventory(const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (size_t i = 0; i < step->inventory_count; i++) {
        const struct inventory *inventory = &step->inventories[i].inventory;
        strlist_add_take(&parts, xasprintf("%s total=%lld reserved=%lld",
                                           step->inventories[i].resource_class,
                                           (long long)inventory->total,
                                           (long long)inventory->reserved));
    }
    return parts.count ? strlist_join(&parts, "; ") : xstrdup("no inventory");
}

/* Shortens a long name in front, since its end identifies the GPU. */
static char *brief_name(const char *name)
{
    size_t surplus = text_columns(name), room = NAME_COLUMNS - strlen("...");
    if (surplus <= NAME_COLUMNS)
        return xstrdup(name);
    for (surplus -= room; surplus > 0; surplus--)
        name += text_character(name);
    return xasprintf("...%s", name);
}

/* What the step does, in a few words. A provider's uuid is shown only where its name is
 * not known. */
static char *brief_text(const struct step *step)
{
    switch (step->kind) {
    case STEP_SET_INVENTORY:
        return brief_inventory(step);
    case STEP_SET_TRAITS:
        return xasprintf("%zu traits", step->traits.count);
    case STEP_CREATE_ROOT:
    case STEP_CREATE_PROVIDER:
    case STEP_DELETE_PROVIDER:
    case STEP_NOTE_PROVIDER:
    case STEP_FORGET_PROVIDER:
        return brief_name(step->provider_name ? step->provider_name : step->provider);
    default:
        return concerns_device(step) && !journal_device_is_cut(&step->device)
                   ? xstrdup(step->device.uuid)
                   : step_text(step);
    }
}

void step_add_to(struct table *table, const struct step *step)
{
    _cleanup_free_ char *what = step_text(step), *brief = brief_text(step);
    table_string(table, step_kind_name(step->kind));
    table_string(table, step->gpu);
    table_brief(table, pci_address_brief(step->gpu));
    table_string(table, step->provider_name);
    table_string(table, what);
    table_brief(table, brief);
}

/* ---- as JSON ---- */

static void write_inventories(struct json_writer *w, const struct step *step)
{
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < step->inventory_count; i++) {
        json_write_key(w, step->inventories[i].resource_class);
        codec_write_inventory(w, &step->inventories[i].inventory);
    }
    json_write_end_object(w);
}

static void write_device(struct json_writer *w, const struct journal_device *device)
{
    json_write_key(w, "device");
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", device->uuid);
    json_write_string_member(
        w, "consumer",
        journal_device_is_cut(device) || !*device->consumer ? NULL : device->consumer);
    json_write_string_member(w, "resource_class", device->resource_class);
    json_write_string_member(w, "parent", device->parent);
    json_write_string_member(w, "type_id", device->type_id);
    json_write_string_member(w, "type_name", device->type_name);
    json_write_end_object(w);
}

/* In JSON the words of a name are joined by '_'. */
static void write_kind(struct json_writer *w, enum step_kind kind)
{
    _cleanup_free_ char *name = xstrdup(step_kind_name(kind));
    for (char *p = strchr(name, ' '); p; p = strchr(p, ' '))
        *p = '_';
    json_write_string_member(w, "step", name);
}

void step_write(struct json_writer *w, const struct step *step)
{
    json_write_begin_object(w);
    write_kind(w, step->kind);
    json_write_string_member(w, "gpu", step->gpu);
    json_write_string_member(w, "provider", step->provider[0] ? step->provider : NULL);
    json_write_string_member(w, "provider_name", step->provider_name);
    if (step->name)
        json_write_string_member(w, "name", step->name);
    if (step->kind == STEP_SET_INVENTORY)
        write_inventories(w, step);
    if (step->kind == STEP_SET_TRAITS) {
        json_write_key(w, "traits");
        json_write_strings(w, &step->traits);
    }
    if (concerns_device(step))
        write_device(w, &step->device);
    json_write_string_member(w, "reason", step->reason);
    json_write_end_object(w);
}

static void print_json(const struct plan *plan, const struct strlist *problems,
                       FILE *out)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_key(&w, "steps");
    json_write_begin_array(&w);
    for (size_t i = 0; i < plan->step_count; i++)
        step_write(&w, &plan->steps[i]);
    json_write_end_array(&w);
    json_write_key(&w, "problems");
    json_write_strings(&w, problems);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    fprintf(out, "%s\n", text);
}

/* Adds the reason. For a step on a device the consumer is added as well, since the
 * brief WHAT does not name it. */
static void add_reason(struct table *table, const struct step *step)
{
    const struct journal_device *device = &step->device;
    _cleanup_free_ char *brief =
        concerns_device(step) && !journal_device_is_cut(device) && *device->consumer
            ? xasprintf("%s for consumer %s%s%s", device->type_id, device->consumer,
                        step->reason ? ": " : "", step->reason ? step->reason : "")
            : NULL;
    table_string(table, step->reason);
    table_brief(table, brief);
}

static void print_table(const struct plan *plan, const struct strlist *problems,
                        enum output_format format, FILE *out)
{
    static const struct table_column columns[] = {
        {.key = "step"},
        {.key = "gpu"},
        {.key = "provider", .place = COLUMN_WIDE},
        {.key = "what"},
        {.key = "reason", .place = COLUMN_BELOW},
        {.key = NULL}};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        step_add_to(table, step);
        add_reason(table, step);
    }
    if (plan->step_count)
        table_print(table, format, out);
    else
        fputs(problems->count ? "no step would help; not well:\n" : "nothing to do\n",
              out);
    if (plan->step_count && problems->count)
        fputs("not well:\n", out);
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = printable_copy(problems->items[i]);
        fprintf(out, "  %s\n", text);
    }
}

int plan_print(const struct plan *plan, const struct strlist *problems,
               enum output_format format, FILE *out)
{
    if (format == FORMAT_JSON)
        print_json(plan, problems, out);
    else
        print_table(plan, problems, format, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
