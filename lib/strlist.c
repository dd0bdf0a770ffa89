#include "lib/strlist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void strlist_add_take(struct strlist *list, char *text)
{
    *array_add(list->items, list->count) = text;
}

void strlist_add(struct strlist *list, const char *text)
{
    strlist_add_take(list, xstrdup(text));
}

static char **find(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return &list->items[i];
    return NULL;
}

bool strlist_contains(const struct strlist *list, const char *text)
{
    return find(list, text) != NULL;
}

bool strlist_add_unique(struct strlist *list, const char *text)
{
    if (strlist_contains(list, text))
        return false;
    strlist_add(list, text);
    return true;
}

bool strlist_remove(struct strlist *list, const char *text)
{
    char **item = find(list, text);
    if (!item)
        return false;
    free(*item);
    size_t after = list->count - (size_t)(item - list->items) - 1;
    memmove(item, item + 1, after * sizeof *item);
    list->count--;
    /* array_add() grows at powers of two only, so capacity stays at least what it
     * expects. */
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

void strlist_sort_unique(struct strlist *list)
{
    size_t kept = 0;
    strlist_sort(list);
    for (size_t i = 0; i < list->count; i++)
        if (kept > 0 && strcmp(list->items[kept - 1], list->items[i]) == 0)
            free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    list->count = kept;
}

bool strlist_sorted_contains(const struct strlist *list, const char *text)
{
    return list->count > 0 && bsearch(&text, list->items, list->count,
                                      sizeof *list->items, compare) != NULL;
}

bool strlist_equal(const struct strlist *a, const struct strlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

struct strlist strlist_copy(const struct strlist *list)
{
    struct strlist copy = {0};
    for (size_t i = 0; i < list->count; i++)
        strlist_add(&copy, list->items[i]);
    return copy;
}

char *strlist_join(const struct strlist *list, const char *separator)
{
    size_t gap = strlen(separator), length = 0;
    for (size_t i = 0; i < list->count; i++)
        length += strlen(list->items[i]) + gap;
    char *text = xcalloc(length + 1, 1), *end = text;
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            end = mempcpy(end, separator, gap);
        end = mempcpy(end, list->items[i], strlen(list->items[i]));
    }
    return text;
}

static struct strlist split(const char *text, char separator, bool strip)
{
    struct strlist list = {0};
    for (const char *end; text; text = end ? end + 1 : NULL) {
        end = strchr(text, separator);
        size_t length = end ? (size_t)(end - text) : strlen(text);
        while (strip && length && isspace((unsigned char)*text))
            text++, length--;
        while (strip && length && isspace((unsigned char)text[length - 1]))
            length--;
        strlist_add_take(&list, xstrndup(text, length));
    }
    return list;
}

struct strlist strlist_split(const char *text, char separator)
{
    return split(text, separator, true);
}

struct strlist strlist_split_exact(const char *text, char separator)
{
    return split(text, separator, false);
}

void strlist_clear(struct strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist){0};
}
