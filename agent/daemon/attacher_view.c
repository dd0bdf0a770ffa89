#include "agent/daemon/attacher_view.h"

#include <string.h>

#include "lib/xalloc.h"

static void make_stale(struct attacher_view *view)
{
    view->domains.complete = false;
    strlist_clear(&view->stale);
    for (size_t i = 0; i < view->domains.count; i++)
        strlist_add(&view->stale, view->domains.items[i].uuid);
}

static void set_connection(struct attacher_view *view, bool up, const char *reason)
{
    make_stale(view);
    view->up = up;
    free(view->reason);
    view->reason = xstrdup(reason);
}

static void clear_words(struct attacher_view *view)
{
    for (size_t i = 0; i < view->word_count; i++)
        free(view->words[i].reason);
    free(view->words);
    view->words = NULL;
    view->word_count = 0;
}

static void take_guest(struct attacher_view *view, const struct guest *guest)
{
    struct domain *domain = domains_add(&view->domains, guest->uuid);
    domain->running = guest->running;
    strlist_clear(&domain->live);
    strlist_clear(&domain->configured);
    domain->live = strlist_copy(&guest->live);
    domain->configured = strlist_copy(&guest->configured);
    strlist_remove(&view->stale, guest->uuid);
}

static void drop_guest(struct attacher_view *view, const char *uuid)
{
    domains_remove(&view->domains, uuid);
    strlist_remove(&view->stale, uuid);
}

static void take_all(struct attacher_view *view)
{
    for (size_t i = 0; i < view->stale.count; i++)
        domains_remove(&view->domains, view->stale.items[i]);
    strlist_clear(&view->stale);
    view->domains.complete = true;
}

static struct guest_word *word_of(struct attacher_view *view, const char *consumer)
{
    for (size_t i = 0; i < view->word_count; i++)
        if (strcmp(view->words[i].consumer, consumer) == 0)
            return &view->words[i];
    return NULL;
}

static void take_state(struct attacher_view *view, const struct message *message)
{
    struct guest_word *word = word_of(view, message->domain);
    if (!word) {
        word = array_add(view->words, view->word_count);
        uuid_text_copy(word->consumer, message->domain);
    }
    word->state = message->state;
    free(word->reason);
    word->reason = xstrdup(message->reason);
}

void attacher_view_take(struct attacher_view *view, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_CONNECTION:
        set_connection(view, message->up, message->reason);
        break;
    case MESSAGE_GUEST:
        take_guest(view, &message->guest);
        break;
    case MESSAGE_GONE:
        drop_guest(view, message->domain);
        break;
    case MESSAGE_ALL:
        take_all(view);
        break;
    case MESSAGE_STATE:
        take_state(view, message);
        break;
    case MESSAGE_WANTED:
    case MESSAGE_ASK:
    case MESSAGE_HOLDING:
    case MESSAGE_DOUBT:
    case MESSAGE_SURE:
        break;
    }
}

void attacher_view_keep(struct attacher_view *view, const struct wanted_table *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->word_count; i++)
        if (wanted_find(table, view->words[i].consumer))
            view->words[kept++] = view->words[i];
        else
            free(view->words[i].reason);
    view->word_count = kept;
}

void attacher_view_lost(struct attacher_view *view, const char *reason)
{
    set_connection(view, false, reason);
    clear_words(view);
}

const struct guest_word *attacher_view_word(const struct attacher_view *view,
                                            const char *consumer)
{
    return word_of((struct attacher_view *)view, consumer);
}

void attacher_view_clear(struct attacher_view *view)
{
    free(view->reason);
    domains_clear(&view->domains);
    strlist_clear(&view->stale);
    clear_words(view);
    *view = (struct attacher_view){0};
}
