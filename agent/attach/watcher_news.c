#include "agent/attach/watcher_data.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* ---- states ---- */

/* False: nothing is known of it. */
static bool find_state(const struct watcher *watcher, const struct watched *watched,
                       const struct wanted *wanted, enum guest_state *state)
{
    if (!wanted || !watcher->connected)
        return false;
    if (!watched->present)
        *state = GUEST_ABSENT;
    else if (watched->failed)
        *state = GUEST_FAILED;
    else if (watched->seen)
        *state = attach_state(&watched->guest, wanted, watched->no_port);
    else
        return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void watcher_news_state(struct watcher *watcher, struct watched *watched, int64_t now)
{
    const struct wanted *wanted = wanted_find(&watcher->table, watched->uuid);
    enum guest_state state;
    if (!wanted) {
        watched->has_state = watched->tell_state = false;
        watched->since = -1;
        return;
    }
    if (!find_state(watcher, watched, wanted, &state))
        return;
    const char *reason = state == GUEST_FAILED ? watched->reason : NULL;
    watched->took = -1;
    if (state == GUEST_CONFIGURED && wanted->count && watched->defined_at >= 0) {
        watched->took = now - watched->defined_at;
        watched->defined_at = -1;
    }
    bool same = watched->since >= 0 && watched->state == state;
    if (same && watched->has_state && same_text(watched->state_reason, reason))
        return;
    if (!same)
        watched->since = now;
    watched->state = state;
    free(watched->state_reason);
    watched->state_reason = xstrdup(reason);
    watched->has_state = watched->tell_state = true;
}

/* ---- one fact after the other ---- */

static bool take(bool *flag)
{
    bool was = *flag;
    *flag = false;
    return was;
}

/* Whether the domain is to be asked for; not before there is a table. */
static bool take_ask(const struct watcher *watcher, struct watched *watched)
{
    if (!watched->ask || watched->doubt.doubts || watcher->table.serial == 0)
        return false;
    watched->ask = false;
    return wanted_is_nothing(wanted_find(&watcher->table, watched->uuid));
}

int64_t watcher_asks_early_at(const struct watcher *watcher,
                              const struct watched *watched)
{
    int64_t at = doubt_early_at(&watched->doubt, watched->present);
    if (at < 0 || !watcher->connected || watcher->table.serial == 0)
        return -1;
    const struct wanted *wanted = wanted_find(&watcher->table, watched->uuid);
    size_t under_way = 0;
    if (wanted_is_nothing(wanted) || wanted->heals)
        return -1;
    for (size_t i = 0; i < watcher->count; i++)
        under_way += watcher->all[i]->doubt.early != 0;
    return under_way < DOUBT_EARLY_MOST ? at : -1;
}

static bool take_early(struct watcher *watcher, struct watched *watched, int64_t now)
{
    int64_t at = watcher_asks_early_at(watcher, watched);
    if (at < 0 || at > now)
        return false;
    doubt_ask_early(&watched->doubt, ++watcher->doubts, now);
    return true;
}

/* One question is enough until the domain is defined again. */
static bool take_doubt(struct watcher *watcher, struct watched *watched)
{
    struct doubt *doubt = &watched->doubt;
    bool asks = (watched->ask && doubt->doubts) || doubt->verifies;
    if (!asks || watcher->table.serial == 0)
        return false;
    watched->ask = doubt->verifies = false;
    if (doubt->number)
        return false;
    doubt->number = ++watcher->doubts;
    return true;
}

static bool take_fact(struct watcher *watcher, struct watched *watched,
                      enum watcher_news_kind kind, int64_t now)
{
    switch (kind) {
    case NEWS_ASK:
        return take_ask(watcher, watched);
    case NEWS_DOUBT:
        return take_doubt(watcher, watched);
    case NEWS_EARLY_DOUBT:
        return take_early(watcher, watched, now);
    case NEWS_GONE:
        return take(&watched->tell_gone);
    case NEWS_GUEST:
        return take(&watched->tell_guest);
    case NEWS_STATE:
        return take(&watched->tell_state);
    case NEWS_ALL:
        break;
    }
    return false;
}

static void describe(const struct watched *watched, enum watcher_news_kind kind,
                     struct watcher_news *news)
{
    *news = (struct watcher_news){.kind = kind};
    uuid_text_copy(news->domain, watched->uuid);
    if (kind == NEWS_DOUBT)
        news->number = watched->doubt.number;
    if (kind == NEWS_EARLY_DOUBT) {
        news->number = watched->doubt.early;
        news->life = watched->doubt.life;
    }
    if (kind == NEWS_GUEST) {
        news->guest = &watched->guest;
        news->life = watched->guest_life;
    }
    if (kind != NEWS_STATE)
        return;
    news->state = watched->state;
    news->reason = watched->state_reason;
    news->since = watched->since;
    news->took = watched->took;
}

/* A question goes first, since a guest's start may be some milliseconds away. */
bool watcher_next_news(struct watcher *watcher, int64_t now, struct watcher_news *news)
{
    static const enum watcher_news_kind kinds[] = {
        NEWS_ASK, NEWS_DOUBT, NEWS_EARLY_DOUBT, NEWS_GONE, NEWS_GUEST, NEWS_STATE};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < watcher->count; i++)
            if (take_fact(watcher, watcher->all[i], kinds[k], now)) {
                describe(watcher->all[i], kinds[k], news);
                return true;
            }
    *news = (struct watcher_news){.kind = NEWS_ALL};
    return take(&watcher->tell_all);
}
