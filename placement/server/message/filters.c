#include "placement/server/message/filters.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/message/python_text.h"
#include "placement/server/message/uuid_like.h"

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A copy without white space at either end. The caller frees. */
static char *stripped(const char *text)
{
    text = skip_blanks(text);
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return xstrndup(text, length);
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct amount *one = *(const struct amount *const *)a;
    const struct amount *other = *(const struct amount *const *)b;
    int order = strcmp(one->class_name, other->class_name);
    return order ? order : (one > other) - (one < other);
}

/* When a class is repeated, its last amount counts, in the place of the first. */
static void drop_repeated(struct filters *filters)
{
    size_t count = filters->amount_count, kept = 0;
    _cleanup_free_ struct amount **sorted = xcalloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &filters->amounts[i];
    qsort(sorted, count, sizeof *sorted, by_name_and_place);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (strcmp(sorted[i]->class_name, sorted[first]->class_name) != 0)
            first = i;
        if (i == first)
            continue;
        sorted[first]->amount = sorted[i]->amount;
        sorted[i]->amount = 0;
    }
    for (size_t i = 0; i < count; i++)
        if (filters->amounts[i].amount == 0)
            free(filters->amounts[i].class_name);
        else
            filters->amounts[kept++] = filters->amounts[i];
    filters->amount_count = kept;
}

static int read_one_resource(struct filters *filters, const char *item,
                             struct reply *reply)
{
    const char *colon = strchr(item, ':');
    if (!colon || strchr(colon + 1, ':'))
        return reply_problem(reply, 400, NULL,
                             "Badly formed resources parameter. Expected resources "
                             "query string parameter in form: "
                             "?resources=VCPU:2,MEMORY_MB:1024. Got: %s.",
                             item);
    _cleanup_free_ char *class_name = xstrndup(item, (size_t)(colon - item));
    int64_t amount;
    if (!python_int(colon + 1, &amount))
        return reply_problem(reply, 400, NULL,
                             "Requested resource %s expected positive integer amount. "
                             "Got: %s.",
                             class_name, colon + 1);
    if (amount < 1)
        return reply_problem(reply, 400, NULL,
                             "Requested resource %s requires amount >= 1. Got: %lld.",
                             class_name, (long long)amount);
    *array_add(filters->amounts, filters->amount_count) =
        (struct amount){.class_name = steal(class_name), .amount = amount};
    return 0;
}

static void amounts_clear(struct filters *filters)
{
    for (size_t i = 0; i < filters->amount_count; i++)
        free(filters->amounts[i].class_name);
    free(filters->amounts);
    filters->amounts = NULL;
    filters->amount_count = 0;
}

int filters_read_resources(struct filters *filters, const char *value,
                           struct reply *reply)
{
    amounts_clear(filters);
    if (*skip_blanks(value) == '\0')
        return reply_problem(reply, 400, NULL,
                             "Badly formed resources parameter. Expected resources "
                             "query string parameter in form: "
                             "?resources=VCPU:2,MEMORY_MB:1024. Got: empty string.");
    _cleanup_strlist_ struct strlist items = strlist_split_exact(value, ',');
    for (size_t i = 0; i < items.count; i++)
        if (read_one_resource(filters, items.items[i], reply) != 0)
            return -1;
    drop_repeated(filters);
    return 0;
}

static void any_of_add_take(struct any_of *any_of, struct strlist set)
{
    *array_add(any_of->sets, any_of->count) = set;
}

static void any_of_add_one(struct any_of *any_of, const char *name)
{
    struct strlist set = {0};
    strlist_add(&set, name);
    any_of_add_take(any_of, set);
}

static int read_any_traits(const char *value, struct any_of *required,
                           struct reply *reply)
{
    _cleanup_strlist_ struct strlist names = strlist_split(value + strlen("in:"), ',');
    struct strlist set;
    if (strlist_contains(&names, ""))
        return reply_problem(
            reply, 400, NULL,
            "Invalid query string parameters: Expected 'required' "
            "parameter value of the form: "
            "in:HW_CPU_X86_VMX,CUSTOM_MAGIC. Got an empty trait in: %s",
            value);
    for (size_t i = 0; i < names.count; i++)
        if (names.items[i][0] == '!')
            return reply_problem(reply, 400, NULL,
                                 "Invalid query string parameters: The format "
                                 "'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support "
                                 "forbidden traits. Got: %s",
                                 value);
    set = names;
    names = (struct strlist){0};
    strlist_sort_unique(&set);
    any_of_add_take(required, set);
    return 0;
}

/* Any number of '!' before the name mean the same as one. */
static const char *forbidden_name(const char *item)
{
    return item + strspn(item, "!");
}

int filters_read_traits(const char *value, bool allow_forbidden, bool allow_any,
                        struct any_of *required, struct strlist *forbidden,
                        struct reply *reply)
{
    if (strncmp(value, "in:", 3) == 0) {
        if (allow_any)
            return read_any_traits(value, required, reply);
        return reply_problem(reply, 400, NULL,
                             "Invalid query string parameters: The format "
                             "'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since "
                             "microversion 1.39. Got: %s",
                             value);
    }
    _cleanup_strlist_ struct strlist names = strlist_split(value, ',');
    bool has_forbidden = false;
    for (size_t i = 0; i < names.count; i++) {
        has_forbidden |= names.items[i][0] == '!';
        if (*forbidden_name(names.items[i]) == '\0')
            return reply_problem(reply, 400, NULL,
                                 "Invalid query string parameters: Expected 'required' "
                                 "parameter value of the form: HW_CPU_X86_VMX,%s. Got "
                                 "an empty trait in: %s",
                                 allow_forbidden ? "!CUSTOM_MAGIC" : "CUSTOM_MAGIC",
                                 value);
    }
    if (has_forbidden && !allow_forbidden)
        return reply_problem(
            reply, 400, NULL,
            "Invalid query string parameters: Expected 'required' "
            "parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. "
            "Got: %s",
            value);
    for (size_t i = 0; i < names.count; i++)
        if (names.items[i][0] == '!')
            strlist_add(forbidden, forbidden_name(names.items[i]));
        else
            any_of_add_one(required, names.items[i]);
    return 0;
}

static bool is_parameter(const struct query_item *item, const char *prefix,
                         const char *suffix)
{
    size_t length = strlen(prefix);
    return strncmp(item->name, prefix, length) == 0 &&
           strcmp(item->name + length, suffix) == 0;
}

static size_t count_parameters(const struct query *query, const char *prefix,
                               const char *suffix)
{
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++)
        count += is_parameter(&query->items[i], prefix, suffix);
    return count;
}

int filters_read_required(struct filters *filters, const struct query *query,
                          const char *suffix, int microversion, struct reply *reply)
{
    filters_clear_any_of(&filters->required);
    strlist_clear(&filters->forbidden);
    size_t left = count_parameters(query, "required", suffix);
    for (size_t i = 0; i < query->count; i++) {
        if (!is_parameter(&query->items[i], "required", suffix))
            continue;
        if (--left > 0 && microversion < MICROVERSION_ANY_TRAITS)
            continue; /* before 1.39 only the last one counts */
        if (filters_read_traits(query->items[i].value,
                                microversion >= MICROVERSION_FORBIDDEN_TRAITS,
                                microversion >= MICROVERSION_ANY_TRAITS,
                                &filters->required, &filters->forbidden, reply) != 0)
            return -1;
    }
    strlist_sort_unique(&filters->forbidden);
    return 0;
}

static int read_aggregate(const char *text, struct strlist *out, struct reply *reply)
{
    if (!uuid_like(text, NULL))
        return reply_problem(reply, 400, NULL,
                             "Invalid query string parameters: Expected 'member_of' "
                             "parameter to contain valid UUID(s). Got: %s",
                             text);
    strlist_add(out, text);
    return 0;
}

/* One value: "U", "!U", "in:U,U" or "!in:U,U". */
static int read_member_of_value(const char *value, struct strlist *uuids,
                                bool *forbidden, struct reply *reply)
{
    *forbidden = *value == '!';
    const char *list = value + *forbidden;
    bool many = strncmp(list, "in:", 3) == 0;
    if (!many) {
        if (strchr(list, ','))
            return reply_problem(
                reply, 400, NULL,
                "Multiple values for 'member_of' must be prefixed with "
                "the 'in:' or '!in:' keyword using the valid "
                "microversion. Got: %s",
                value);
        return read_aggregate(list, uuids, reply);
    }
    _cleanup_strlist_ struct strlist items =
        strlist_split_exact(list + strlen("in:"), ',');
    for (size_t i = 0; i < items.count; i++)
        if (read_aggregate(items.items[i], uuids, reply) != 0)
            return -1;
    return 0;
}

static int read_one_member_of(struct filters *filters, const char *value,
                              const char *suffix, int microversion, struct reply *reply)
{
    _cleanup_strlist_ struct strlist uuids = {0};
    bool forbidden;
    if (read_member_of_value(value, &uuids, &forbidden, reply) != 0)
        return -1;
    strlist_sort_unique(&uuids);
    if (!forbidden) {
        any_of_add_take(&filters->member_of, uuids);
        uuids = (struct strlist){0};
        return 0;
    }
    if (microversion < MICROVERSION_FORBIDDEN_AGGREGATES)
        return reply_problem(
            reply, 400, NULL,
            "Forbidden member_of%s parameters are not supported in the "
            "specified microversion",
            suffix);
    for (size_t i = 0; i < uuids.count; i++)
        strlist_add(&filters->not_member_of, uuids.items[i]);
    return 0;
}

int filters_read_member_of(struct filters *filters, const struct query *query,
                           const char *suffix, int microversion, struct reply *reply)
{
    filters_clear_any_of(&filters->member_of);
    strlist_clear(&filters->not_member_of);
    if (count_parameters(query, "member_of", suffix) > 1 &&
        microversion < MICROVERSION_REPEATED_MEMBER_OF)
        return reply_problem(reply, 400, NULL,
                             "Multiple member_of%s parameters are not supported",
                             suffix);
    for (size_t i = 0; i < query->count; i++)
        if (is_parameter(&query->items[i], "member_of", suffix) &&
            read_one_member_of(filters, query->items[i].value, suffix, microversion,
                               reply) != 0)
            return -1;
    strlist_sort_unique(&filters->not_member_of);
    return 0;
}

int filters_read_in_tree(struct filters *filters, const char *value,
                         struct reply *reply)
{
    _cleanup_free_ char *text = stripped(value);
    if (!uuid_like(text, NULL))
        return reply_problem(reply, 400, NULL,
                             "Invalid query string parameters: Expected 'in_tree' "
                             "parameter to be a format of uuid. Got: %s",
                             value);
    free(filters->in_tree);
    filters->in_tree = steal(text);
    return 0;
}

void filters_clear_any_of(struct any_of *any_of)
{
    for (size_t i = 0; i < any_of->count; i++)
        strlist_clear(&any_of->sets[i]);
    free(any_of->sets);
    *any_of = (struct any_of){0};
}

void filters_clear(struct filters *filters)
{
    amounts_clear(filters);
    filters_clear_any_of(&filters->required);
    strlist_clear(&filters->forbidden);
    filters_clear_any_of(&filters->member_of);
    strlist_clear(&filters->not_member_of);
    free(filters->in_tree);
    *filters = (struct filters){0};
}
