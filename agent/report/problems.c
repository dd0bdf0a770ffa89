#include "agent/report/problems.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"

static bool contains(const struct notices *notices, const char *about)
{
    for (size_t i = 0; i < notices->count; i++)
        if (strcmp(notices->items[i].about, about) == 0)
            return true;
    return false;
}

void notices_add_take(struct notices *notices, const char *about, char *text)
{
    if (contains(notices, about ? about : text)) {
        free(text);
        return;
    }
    struct notice *notice = array_add(notices->items, notices->count);
    notice->about = xstrdup(about ? about : text);
    notice->text = text;
}

void notices_add(struct notices *notices, const char *about, const char *text)
{
    notices_add_take(notices, about, xstrdup(text));
}

void notices_update(struct notices *standing, struct notices *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (!contains(standing, now->items[i].about))
            log_warning("agent", "%s", now->items[i].text);
    for (size_t i = 0; i < standing->count; i++)
        if (!contains(now, standing->items[i].about))
            log_info("agent", "over: %s", standing->items[i].text);
    notices_clear(standing);
    *standing = *now;
    *now = (struct notices){0};
}

void notices_clear(struct notices *notices)
{
    for (size_t i = 0; i < notices->count; i++) {
        free(notices->items[i].about);
        free(notices->items[i].text);
    }
    free(notices->items);
    *notices = (struct notices){0};
}
