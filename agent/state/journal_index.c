#include "agent/state/journal_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

static int compare_entries(const void *a, const void *b)
{
    const struct journal_device *const *x = a, *const *y = b;
    int order = strcmp((*x)->address, (*y)->address);
    return order ? order : strcmp((*x)->backend, (*y)->backend);
}

struct journal_index journal_index_make(const struct journal *journal)
{
    struct journal_index index = {.count = journal->device_count};
    index.entries = xcalloc(index.count, sizeof(struct journal_device *));
    index.seen = xcalloc(index.count, sizeof *index.seen);
    for (size_t i = 0; i < index.count; i++)
        index.entries[i] = &journal->devices[i];
    qsort(index.entries, index.count, sizeof *index.entries, compare_entries);
    return index;
}

void journal_index_clear(struct journal_index *index)
{
    free(index->entries);
    free(index->seen);
}

/* Finds the entry of a device whose address was not known when it was noted. Such
 * entries sort first, and there are few. */
static const struct journal_device **find_unplaced(const struct journal_index *index,
                                                   const struct device *device)
{
    for (size_t i = 0; i < index->count && !index->entries[i]->address[0]; i++)
        if (*device->uuid && strcmp(index->entries[i]->uuid, device->uuid) == 0 &&
            strcmp(index->entries[i]->backend, device->backend) == 0)
            return &index->entries[i];
    return NULL;
}

static const struct journal_device **find_placed(const struct journal_index *index,
                                                 const struct device *device)
{
    struct journal_device wanted = {0};
    text_copy_array(wanted.backend, device->backend);
    text_copy_array(wanted.address, device->address);
    const struct journal_device *key = &wanted;
    return *device->address ? bsearch(&key, index->entries, index->count,
                                      sizeof *index->entries, compare_entries)
                            : NULL;
}

const struct journal_device *journal_index_other_kind(const struct journal_index *index,
                                                      const struct device *device)
{
    size_t low = 0, high = *device->address ? index->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->entries[middle]->address, device->address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->count &&
           strcmp(index->entries[low]->address, device->address) == 0;
         low++)
        if (strcmp(index->entries[low]->backend, device->backend) != 0 &&
            !index->entries[low]->released_at)
            return index->entries[low];
    return NULL;
}

const struct journal_device *journal_index_see(struct journal_index *index,
                                               const struct device *device,
                                               const struct parent *parent)
{
    const struct journal_device **found = find_placed(index, device);
    if (!found)
        found = find_unplaced(index, device);
    if (!found || !journal_device_may_be(*found, device, parent))
        return NULL;
    index->seen[found - index->entries] = true;
    return *found;
}
