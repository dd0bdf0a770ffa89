#include "agent/command/print_types.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/host/capacity.h"
#include "lib/pci_address.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

/* Whether `type` is the card's first with its id: every virtual function offers the
 * type, and it is to be shown once. */
static bool is_first(const struct gpu *gpu, const struct device_type *type)
{
    return gpu_type(gpu, type->id) == type;
}

static bool is_asked(const struct asked_types *asked, const struct gpu *gpu,
                     const struct device_type *type)
{
    return is_first(gpu, type) && (!asked->gpu || asked->gpu == gpu) &&
           (!asked->type || type_is_called(type, asked->type));
}

/* ---- the cells ---- */

static void add_number(struct table *table, unsigned number)
{
    if (number)
        table_int(table, number);
    else
        table_none(table);
}

/* How many devices a card that is not healthy can still have is not known. */
static void add_left(struct table *table, bool known, int64_t left)
{
    if (known)
        table_int(table, left);
    else
        table_none(table);
}

static int64_t count_left(const struct gpu *gpu, const struct device_type *type)
{
    return (int64_t)gpu_capacity(gpu, type->id) - gpu_device_count(gpu, type->id);
}

static void add_attributes(struct table *table, const struct device_type *type)
{
    const struct type_attributes *attributes = &type->attributes;
    add_number(table, attributes->max_instance);
    if (attributes->framebuffer_mib)
        table_format(table, "%uM", attributes->framebuffer_mib);
    else
        table_none(table);
    if (attributes->max_width)
        table_format(table, "%ux%u", attributes->max_width, attributes->max_height);
    else
        table_none(table);
    table_string(table, type->device_api);
    add_number(table, attributes->num_heads);
    add_number(table, attributes->frl_config);
}

/* ---- for programs, and wide: one row for each type of each card ---- */

static const struct table_column all_columns[] = {
    {.key = "gpu"},
    {.key = "type"},
    {.key = "name"},
    {.key = "available_instances"},
    {.key = "max_instance"},
    {.key = "framebuffer"},
    {.key = "max_resolution"},
    {.key = "device_api"},
    {.key = "num_heads"},
    {.key = "frl_config"},
    {.key = NULL},
};

static void add_card(struct table *table, const struct gpu *gpu,
                     const struct asked_types *asked)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct device_type *type = &gpu->parents[i].types[j];
            if (!is_asked(asked, gpu, type))
                continue;
            table_string(table, gpu->name);
            table_string(table, type->id);
            table_string(table, type->name);
            add_left(table, gpu->health == GPU_OK, count_left(gpu, type));
            add_attributes(table, type);
        }
}

static int print_all(const struct host *host, const struct asked_types *asked,
                     enum output_format format)
{
    _cleanup_(table_freep) struct table *table = table_new(all_columns);
    for (size_t i = 0; i < host->gpu_count; i++)
        add_card(table, &host->gpus[i], asked);
    return table_print(table, format, stdout);
}

/* ---- for people: one table for all cards that offer the same types ---- */

static const struct table_column columns[] = {
    {.key = "type"},
    {.key = "name"},
    {.key = "left"},
    {.key = "max"},
    {.key = "memory", .place = COLUMN_ROOM},
    {.key = "resolution", .place = COLUMN_ROOM},
    {.key = "device_api"},
    {.key = "heads", .place = COLUMN_ROOM},
    {.key = "frl", .place = COLUMN_ROOM},
    {.key = NULL},
};

static bool offers_asked(const struct gpu *gpu, const struct asked_types *asked)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            if (is_asked(asked, gpu, &gpu->parents[i].types[j]))
                return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_type(const struct device_type *a, const struct device_type *b)
{
    return same_text(a->name, b->name) && same_text(a->description, b->description) &&
           same_text(a->device_api, b->device_api);
}

/* Whether each type of `a` is also a type of `b` with the same properties. */
static bool has_types_of(const struct gpu *a, const struct gpu *b)
{
    for (size_t i = 0; i < a->parent_count; i++)
        for (size_t j = 0; j < a->parents[i].type_count; j++) {
            const struct device_type *type = &a->parents[i].types[j];
            const struct device_type *other = gpu_type(b, type->id);
            if (!other || !same_type(type, other))
                return false;
        }
    return true;
}

static bool is_equal(const struct gpu *a, const struct gpu *b)
{
    bool readable = a->health != GPU_UNREADABLE && b->health != GPU_UNREADABLE;
    return a == b || (readable && a->vendor == b->vendor && a->device == b->device &&
                      has_types_of(a, b) && has_types_of(b, a));
}

/* Whether the card i belongs into one table with the card `first`. */
static bool is_of_fold(const struct host *host, size_t first, size_t i,
                       const struct asked_types *asked)
{
    const struct gpu *gpu = &host->gpus[i];
    return offers_asked(gpu, asked) && is_equal(&host->gpus[first], gpu);
}

static bool was_shown(const struct host *host, size_t index,
                      const struct asked_types *asked)
{
    for (size_t i = 0; i < index; i++)
        if (is_of_fold(host, index, i, asked))
            return true;
    return false;
}

static void add_card_name(struct strlist *names, const struct gpu *gpu)
{
    bool well = gpu->health == GPU_OK;
    strlist_add_take(
        names, xasprintf("%s%s%s%s", pci_address_brief(gpu->name), well ? "" : " (",
                         well ? "" : gpu_health_name(gpu->health), well ? "" : ")"));
}

static void print_cards(const struct host *host, size_t first,
                        const struct asked_types *asked)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = first; i < host->gpu_count; i++)
        if (is_of_fold(host, first, i, asked))
            add_card_name(&names, &host->gpus[i]);
    _cleanup_free_ char *joined = strlist_join(&names, ", ");
    _cleanup_free_ char *text =
        xasprintf("%zu GPU%s: %s", names.count, names.count == 1 ? "" : "s", joined);
    text_wrap(text, 0, TABLE_WIDTH, stdout);
}

static void add_type(struct table *table, const struct host *host, size_t first,
                     const struct device_type *type, const struct asked_types *asked)
{
    int64_t left = 0;
    bool known = false;
    for (size_t i = first; i < host->gpu_count; i++)
        if (is_of_fold(host, first, i, asked) && host->gpus[i].health == GPU_OK) {
            left += count_left(&host->gpus[i], type);
            known = true;
        }
    table_string(table, type->id);
    table_string(table, type->name);
    add_left(table, known, left);
    add_attributes(table, type);
}

/* Only the ids of its types may be readable, so there is no table for it. */
static int print_unreadable(const struct gpu *gpu)
{
    _cleanup_free_ char *text =
        xasprintf("%s is unreadable: %s", gpu->name, gpu->health_reason);
    text_wrap(text, 0, TABLE_WIDTH, stdout);
    return 0;
}

/* The type of all devices on the card; NULL: it has none, or devices of several. */
static const char *only_type(const struct gpu *gpu)
{
    const char *type_id = NULL;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].device_count; j++) {
            const char *its = gpu->parents[i].devices[j].type_id;
            if (!its || (type_id && strcmp(its, type_id) != 0))
                return NULL;
            type_id = its;
        }
    return type_id;
}

/* Whether the card has room for the type, but for no other. */
static bool is_left_to_one(const struct gpu *gpu, const char *type_id)
{
    bool has_others = false, has_room = false;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct device_type *type = &gpu->parents[i].types[j];
            bool same = strcmp(type->id, type_id) == 0;
            if (!same && type->available != 0)
                return false;
            has_others |= !same;
            has_room |= same && type->available > 0;
        }
    return has_others && has_room;
}

/* Why types have no instances left on cards that are not full. */
static void print_taken(const struct host *host, size_t first,
                        const struct asked_types *asked)
{
    _cleanup_strlist_ struct strlist taken = {0};
    for (size_t i = first; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        const char *type_id = gpu->health == GPU_OK ? only_type(gpu) : NULL;
        if (is_of_fold(host, first, i, asked) && type_id &&
            is_left_to_one(gpu, type_id))
            strlist_add_take(
                &taken, xasprintf("%s (%s)", pci_address_brief(gpu->name), type_id));
    }
    _cleanup_free_ char *joined = strlist_join(&taken, ", ");
    _cleanup_free_ char *text =
        xasprintf("no other type can be made beside the one that is there: %s", joined);
    if (taken.count)
        text_wrap(text, 0, TABLE_WIDTH, stdout);
}

static int print_fold(const struct host *host, size_t first,
                      const struct asked_types *asked)
{
    const struct gpu *gpu = &host->gpus[first];
    if (gpu->health == GPU_UNREADABLE)
        return print_unreadable(gpu);
    _cleanup_(table_freep) struct table *table = table_new(columns);
    print_cards(host, first, asked);
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            if (is_asked(asked, gpu, &gpu->parents[i].types[j]))
                add_type(table, host, first, &gpu->parents[i].types[j], asked);
    int rc = table_print(table, FORMAT_TABLE, stdout);
    print_taken(host, first, asked);
    return rc;
}

/* Cards without types are listed as well, with the reason. */
static void print_others(const struct host *host)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        if (!gpu_offers_types(&host->gpus[i]))
            add_card_name(&names, &host->gpus[i]);
    _cleanup_free_ char *joined = strlist_join(&names, ", ");
    _cleanup_free_ char *text =
        xasprintf("without types, as `vgpu-agent gpus` says why: %s", joined);
    if (names.count == 0)
        return;
    putchar('\n');
    text_wrap(text, 0, TABLE_WIDTH, stdout);
}

static int print_folded(const struct host *host, const struct asked_types *asked)
{
    size_t shown = 0;
    for (size_t i = 0; i < host->gpu_count; i++) {
        if (!offers_asked(&host->gpus[i], asked) || was_shown(host, i, asked))
            continue;
        if (shown++)
            putchar('\n');
        if (print_fold(host, i, asked) != 0)
            return -1;
    }
    if (!asked->gpu && !asked->type)
        print_others(host);
    return 0;
}

/* ---- the output ---- */

bool host_offers(const struct host *host, const struct asked_types *asked)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (offers_asked(&host->gpus[i], asked))
            return true;
    return false;
}

/* Says why no type is shown. */
static int print_none(const struct host *host, const struct asked_types *asked,
                      const char *sysfs_root)
{
    const struct gpu *gpu = asked->gpu;
    _cleanup_free_ char *why = NULL;
    if (!gpu)
        why = host_obstacle(host, sysfs_root);
    else if (gpu->health != GPU_OK)
        why = xasprintf("%s offers no types now, since it is %s: %s", gpu->name,
                        gpu_health_name(gpu->health), gpu->health_reason);
    else {
        _cleanup_free_ char *obstacle = gpu_obstacle(gpu), *remedy = gpu_remedy(gpu);
        why = xasprintf("%s offers no types: %s: %s", gpu->name, obstacle, remedy);
    }
    text_wrap(why, 0, TABLE_WIDTH, stdout);
    return 0;
}

int print_types(const struct host *host, const struct asked_types *asked,
                const char *sysfs_root, enum output_format format)
{
    if (format != FORMAT_TABLE)
        return print_all(host, asked, format);
    return host_offers(host, asked) ? print_folded(host, asked)
                                    : print_none(host, asked, sysfs_root);
}
