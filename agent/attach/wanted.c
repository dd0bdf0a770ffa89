#include "agent/attach/wanted.h"

#include <string.h>

#include "lib/lower_bound.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* ---- one consumer ---- */

void wanted_add_device(struct wanted *wanted, const char *address, const char *xml)
{
    struct wanted_device *device = array_add(wanted->devices, wanted->count);
    text_copy_array(device->address, address);
    device->xml = xstrdup(xml);
}

bool wanted_names(const struct wanted *wanted, const char *address)
{
    for (size_t i = 0; wanted && i < wanted->count; i++)
        if (strcmp(wanted->devices[i].address, address) == 0)
            return true;
    return false;
}

bool wanted_is_nothing(const struct wanted *wanted)
{
    return !wanted || (wanted->whole && wanted->count == 0);
}

bool wanted_equal(const struct wanted *a, const struct wanted *b)
{
    if (!a || !b)
        return a == b;
    if (strcmp(a->consumer, b->consumer) != 0 || a->whole != b->whole ||
        a->heals != b->heals || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->devices[i].address, b->devices[i].address) != 0 ||
            strcmp(a->devices[i].xml, b->devices[i].xml) != 0)
            return false;
    return true;
}

struct wanted wanted_copy(const struct wanted *wanted)
{
    struct wanted copy = {0};
    if (!wanted)
        return copy;
    uuid_text_copy(copy.consumer, wanted->consumer);
    copy.whole = wanted->whole;
    copy.heals = wanted->heals;
    for (size_t i = 0; i < wanted->count; i++)
        wanted_add_device(&copy, wanted->devices[i].address, wanted->devices[i].xml);
    return copy;
}

void wanted_clear(struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        free(wanted->devices[i].xml);
    free(wanted->devices);
    *wanted = (struct wanted){0};
}

/* ---- the table ---- */

struct wanted *wanted_table_add(struct wanted_table *table, const char *consumer)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->consumers[i].consumer, consumer) == 0)
            return &table->consumers[i];
    struct wanted *wanted = array_add(table->consumers, table->count);
    uuid_text_copy(wanted->consumer, consumer);
    return wanted;
}

static int compare_devices(const void *a, const void *b)
{
    return strcmp(((const struct wanted_device *)a)->address,
                  ((const struct wanted_device *)b)->address);
}

static int compare_consumers(const void *a, const void *b)
{
    return strcmp(((const struct wanted *)a)->consumer,
                  ((const struct wanted *)b)->consumer);
}

void wanted_table_sort(struct wanted_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct wanted *wanted = &table->consumers[i];
        if (wanted->count)
            qsort(wanted->devices, wanted->count, sizeof *wanted->devices,
                  compare_devices);
    }
    if (table->count)
        qsort(table->consumers, table->count, sizeof *table->consumers,
              compare_consumers);
    strlist_sort_unique(&table->ours);
}

void wanted_table_clear(struct wanted_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        wanted_clear(&table->consumers[i]);
    free(table->consumers);
    strlist_clear(&table->ours);
    *table = (struct wanted_table){0};
}

const struct wanted *wanted_find(const struct wanted_table *table, const char *consumer)
{
    size_t at = lower_bound(i, table->count,
                            strcmp(table->consumers[i].consumer, consumer) < 0);
    return at < table->count && strcmp(table->consumers[at].consumer, consumer) == 0
               ? &table->consumers[at]
               : NULL;
}

bool wanted_has(const struct wanted_table *table, const char *address)
{
    for (size_t i = 0; i < table->count; i++)
        if (wanted_names(&table->consumers[i], address))
            return true;
    return false;
}

bool wanted_table_equal(const struct wanted_table *a, const struct wanted_table *b)
{
    if (a->count != b->count || !strlist_equal(&a->ours, &b->ours))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!wanted_equal(&a->consumers[i], &b->consumers[i]))
            return false;
    return true;
}
