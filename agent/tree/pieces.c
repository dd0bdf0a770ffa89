#include "agent/tree/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct observed_provider *pieces_find(const struct pieces *pieces, const char *uuid)
{
    for (size_t i = 0; i < pieces->count; i++)
        if (strcmp(pieces->items[i].provider.uuid, uuid) == 0)
            return &pieces->items[i];
    return NULL;
}

void pieces_take(struct pieces *pieces, struct observed_provider *item)
{
    struct observed_provider *place = pieces_find(pieces, item->provider.uuid);
    if (place)
        observed_provider_clear(place);
    else
        place = array_add(pieces->items, pieces->count);
    *place = *item;
    *item = (struct observed_provider){0};
}

void pieces_clear(struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        observed_provider_clear(&pieces->items[i]);
    free(pieces->items);
    *pieces = (struct pieces){0};
}
