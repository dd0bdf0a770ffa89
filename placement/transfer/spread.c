#include "placement/transfer/spread.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct place {
    const char *tree; /* the uuid of its root */
    size_t rank;      /* in its tree */
    size_t number;
};

static int by_tree(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    int order = strcmp(left->tree, right->tree);
    return order ? order : left->number < right->number ? -1 : 1;
}

static int by_rank(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return strcmp(left->tree, right->tree);
}

static const char *tree_of(const struct snapshot *snapshot,
                           const struct snapshot_consumer *consumer)
{
    const struct snapshot_provider *provider =
        snapshot_provider(snapshot, consumer->allocations[0].provider);
    return provider ? provider->is.root : "";
}

size_t *spread_consumers(const struct snapshot *snapshot)
{
    size_t count = snapshot->consumer_count;
    struct place *places = xcalloc(count + 1, sizeof *places);
    size_t *order = xcalloc(count + 1, sizeof *order);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){.tree = tree_of(snapshot, snapshot->consumers[i]),
                                   .number = i};
    qsort(places, count, sizeof *places, by_tree);
    for (size_t i = 1; i < count; i++)
        if (strcmp(places[i].tree, places[i - 1].tree) == 0)
            places[i].rank = places[i - 1].rank + 1;
    qsort(places, count, sizeof *places, by_rank);
    for (size_t i = 0; i < count; i++)
        order[i] = places[i].number;
    free(places);
    return order;
}
