#include "agent/daemon/departures.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void departures_add(struct departures *departures, const char *consumer, int64_t now)
{
    struct departure *departure = NULL;
    for (size_t i = 0; i < departures->count; i++)
        if (strcmp(departures->items[i].consumer, consumer) == 0)
            departure = &departures->items[i];
    if (!departure) {
        departure = array_add(departures->items, departures->count);
        uuid_text_copy(departure->consumer, consumer);
    }
    departure->until = now + DEPARTURE_MOST;
}

void departures_begin_cycle(struct departures *departures, const struct domains *view,
                            struct agent *agent, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < departures->count; i++) {
        const struct departure *departure = &departures->items[i];
        if (now >= departure->until || domains_find(view, departure->consumer))
            continue;
        agent_look_at(agent, departure->consumer);
        departures->items[kept++] = *departure;
    }
    departures->count = kept;
}

void departures_end_cycle(struct departures *departures,
                          const struct observed *observed)
{
    size_t kept = 0;
    for (size_t i = 0; i < departures->count; i++)
        if (!observed || observed_has_consumer(observed, departures->items[i].consumer))
            departures->items[kept++] = departures->items[i];
    departures->count = kept;
}

void departures_clear(struct departures *departures)
{
    free(departures->items);
    *departures = (struct departures){0};
}
