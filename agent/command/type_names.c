#include "agent/command/type_names.h"

#include <string.h>

#include "lib/nearest.h"
#include "lib/strlist.h"
#include "lib/xalloc.h"

/* How many types a message lists before it says "and others". */
#define LISTED_MAX 12

static char *text_of(const struct device_type *type)
{
    return type->name ? xasprintf("%s (%s)", type->id, type->name) : xstrdup(type->id);
}

/* Calls the function for each type of each parent, until it returns true. */
static void for_each(const struct gpu *gpus, size_t count,
                     bool (*take)(const struct device_type *type, void *data),
                     void *data)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < gpus[i].parent_count; j++)
            for (size_t k = 0; k < gpus[i].parents[j].type_count; k++)
                if (take(&gpus[i].parents[j].types[k], data))
                    return;
}

static bool add_text(const struct device_type *type, void *data)
{
    _cleanup_free_ char *text = text_of(type);
    strlist_add_unique(data, text);
    return false;
}

char *type_names_list(const struct gpu *gpus, size_t count)
{
    _cleanup_strlist_ struct strlist texts = {0};
    for_each(gpus, count, add_text, &texts);
    struct strlist some = {.items = texts.items, .count = texts.count};
    if (some.count > LISTED_MAX)
        some.count = LISTED_MAX;
    _cleanup_free_ char *joined = strlist_join(&some, ", ");
    if (texts.count == 0)
        return NULL;
    return xasprintf("%s%s", joined, some.count < texts.count ? " and others" : "");
}

struct search {
    const char *word;
    char *text;
};

static bool take_called(const struct device_type *type, void *data)
{
    struct search *search = data;
    if (!type_is_called(type, search->word))
        return false;
    search->text = text_of(type);
    return true;
}

static bool add_names(const struct device_type *type, void *data)
{
    strlist_add_unique(data, type->id);
    if (type->name)
        strlist_add_unique(data, type->name);
    return false;
}

char *type_names_nearest(const struct gpu *gpus, size_t count, const char *asked)
{
    struct search search = {.word = asked};
    for_each(gpus, count, take_called, &search);
    if (search.text)
        return search.text;
    _cleanup_strlist_ struct strlist names = {0}, near = {0};
    for_each(gpus, count, add_names, &names);
    nearest_names(asked, (const char *const *)names.items, names.count, &near);
    if (near.count == 0)
        return NULL;
    search.word = near.items[0];
    for_each(gpus, count, take_called, &search);
    return search.text;
}
