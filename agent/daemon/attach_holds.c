#include "agent/daemon/attach_holds.h"

#include <string.h>

static void add_table(struct strlist *out, const struct wanted_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        for (size_t j = 0; j < table->consumers[i].count; j++)
            strlist_add_unique(out, table->consumers[i].devices[j].address);
}

static void add_all(struct strlist *to, const struct strlist *from)
{
    for (size_t i = 0; i < from->count; i++)
        strlist_add_unique(to, from->items[i]);
}

void attach_holds_sent(struct attach_holds *holds, const struct wanted_table *table,
                       int64_t now)
{
    if (holds->sent == holds->answered)
        holds->waits_since = now;
    holds->sent = table->serial;
    add_table(&holds->out, table);
}

void attach_holds_answered(struct attach_holds *holds, uint64_t serial,
                           const struct strlist *busy, const struct wanted_table *table)
{
    /* What an earlier table says is of no use: a later one is on its way. */
    if (serial != holds->sent || serial == 0)
        return;
    holds->answered = serial;
    strlist_clear(&holds->out);
    add_table(&holds->out, table);
    add_all(&holds->out, busy);
}

static void end_doubt(struct attach_holds *holds, int64_t now)
{
    if (holds->over_at == 0 || now < holds->over_at)
        return;
    strlist_clear(&holds->doubtful);
    holds->over_at = 0;
}

void attach_holds_lost(struct attach_holds *holds, bool returns, int64_t now)
{
    end_doubt(holds, now);
    add_all(&holds->doubtful, &holds->out);
    strlist_clear(&holds->out);
    holds->sent = holds->answered = 0;
    if (holds->doubtful.count)
        holds->over_at = returns ? 0 : now + HOLDS_WITHOUT_VIEW;
}

void attach_holds_crashed(struct attach_holds *holds, int64_t until)
{
    holds->any_until = until;
}

void attach_holds_seen_all(struct attach_holds *holds, int64_t now)
{
    int64_t over_at = now + HOLDS_AFTER_VIEW;
    end_doubt(holds, now);
    if (holds->doubtful.count && (holds->over_at == 0 || holds->over_at > over_at))
        holds->over_at = over_at;
    if (holds->any_until > over_at)
        holds->any_until = over_at;
}

bool attach_holds_waits(const struct attach_holds *holds, int64_t seconds, int64_t now)
{
    return holds->sent != holds->answered && now - holds->waits_since >= seconds;
}

bool attach_holds_are_out(const struct attach_holds *holds,
                          const struct strlist *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (strlist_contains(&holds->out, addresses->items[i]))
            return true;
    return false;
}

static bool doubts(const struct attach_holds *holds, int64_t now)
{
    return holds->doubtful.count && (holds->over_at == 0 || now < holds->over_at);
}

bool attach_holds_any(const struct attach_holds *holds, int64_t now)
{
    return holds->out.count || now < holds->any_until || doubts(holds, now);
}

bool attach_holds_has(const struct attach_holds *holds, const char *address,
                      int64_t now)
{
    if (strlist_contains(&holds->out, address))
        return true;
    return now < holds->any_until ||
           (doubts(holds, now) && strlist_contains(&holds->doubtful, address));
}

void attach_holds_clear(struct attach_holds *holds)
{
    strlist_clear(&holds->out);
    strlist_clear(&holds->doubtful);
    *holds = (struct attach_holds){0};
}
