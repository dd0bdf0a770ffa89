#include "agent/notices.h"

#include "lib/log.h"

void notices_update(struct notices *notices, const struct strlist *now)
{
    struct strlist standing = {0};
    for (size_t i = 0; i < now->count; i++)
        if (strlist_add_unique(&standing, now->items[i]) &&
            !strlist_contains(&notices->standing, now->items[i]))
            log_warning("agent", "%s", now->items[i]);
    for (size_t i = 0; i < notices->standing.count; i++)
        if (!strlist_contains(&standing, notices->standing.items[i]))
            log_info("agent", "over: %s", notices->standing.items[i]);
    strlist_clear(&notices->standing);
    notices->standing = standing;
}

void notices_clear(struct notices *notices)
{
    strlist_clear(&notices->standing);
}
