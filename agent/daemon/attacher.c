#include "agent/daemon/attacher.h"

#include <poll.h>
#include <string.h>

#include "agent/daemon/attach_holds.h"
#include "agent/daemon/attach_link.h"
#include "agent/daemon/attach_place.h"
#include "agent/daemon/attach_table.h"
#include "agent/daemon/backoff.h"
#include "agent/daemon/heal.h"
#include "agent/daemon/lives.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define LOOK_AGAIN 10000    /* milliseconds: whether libvirt's socket is there by now */
#define STAYS 60000         /* milliseconds: a program that ran so long begins anew */
#define TAKE_BACK_MOST 1000 /* milliseconds */
#define ANSWER_OVERDUE 30   /* seconds */
#define ANSWER_LOST 60      /* seconds: a program that is silent for so long is ended */

struct attacher {
    struct attacher_user user;
    const struct config *config; /* borrowed; NULL until attacher_follow() */
    struct attach_place place;
    bool followed; /* `place` was looked at */
    struct attach_link link;
    unsigned failures;  /* programs in a row that have ended, or could not be started */
    char *last_failure; /* what the last of them ended with; NULL: none has */
    int64_t started_at, next_start, next_look; /* milliseconds, monotonic */
    struct attacher_view view;
    struct attach_holds holds;
    struct strlist withheld;
    struct wanted_table table; /* serial 0: none was made yet */
    struct attach_question *questions;
    size_t question_count;
    uint64_t last_question; /* its id */
    struct lives lives;
    struct strlist providers;
    struct strlist gone; /* consumers in the table, whose domain has gone */
    bool news;           /* the program has said something */
    struct attach_times times;
};

struct attacher *attacher_new(const struct attacher_user *user, int64_t left_until)
{
    struct attacher *attacher = xcalloc(1, sizeof *attacher);
    attacher->user = *user;
    attach_holds_crashed(&attacher->holds, left_until);
    return attacher;
}

void attacher_free(struct attacher *attacher)
{
    if (!attacher)
        return;
    attach_link_clear(&attacher->link);
    attach_place_clear(&attacher->place);
    attacher_view_clear(&attacher->view);
    attach_holds_clear(&attacher->holds);
    strlist_clear(&attacher->withheld);
    wanted_table_clear(&attacher->table);
    free(attacher->questions);
    lives_clear(&attacher->lives);
    strlist_clear(&attacher->providers);
    strlist_clear(&attacher->gone);
    free(attacher->last_failure);
    free(attacher);
}

/* ---- the table ---- */

static void send_table(struct attacher *attacher)
{
    if (!attacher->link.runs || attacher->table.serial == 0)
        return;
    const struct message message = {.kind = MESSAGE_WANTED, .table = attacher->table};
    attach_link_send(&attacher->link, &message);
    attach_holds_sent(&attacher->holds, &attacher->table, clock_boot_seconds());
}

/* ---- what the program says ---- */

static void count_state(struct attacher *attacher, const struct message *message)
{
    const struct guest_word *word =
        attacher_view_word(&attacher->view, message->domain);
    if (message->took >= 0) {
        attacher->times.configured++;
        attacher->times.configured_ms += (uint64_t)message->took;
    }
    if (message->state != GUEST_FAILED)
        return;
    attacher->times.refusals++;
    if (!word || word->state != GUEST_FAILED)
        log_warning("agent", "attach: a guest has not got its device consumer=%s: %s",
                    message->domain, message->reason ? message->reason : "no reason");
}

static void drop_question(struct attacher *attacher, struct attach_question *question)
{
    const struct attach_question *end = attacher->questions + attacher->question_count;
    memmove(question, question + 1, (size_t)(end - (question + 1)) * sizeof *question);
    attacher->question_count--;
}

bool attach_questions_wait(const struct attach_question *all, size_t count,
                           const char *consumer)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].life == 0 && strcmp(all[i].consumer, consumer) == 0)
            return true;
    return false;
}

/* The program waits for the answer to the last doubt of a kind only. */
static void drop_earlier_doubt(struct attacher *attacher, const struct message *message)
{
    for (size_t i = attacher->question_count; i-- > 0;) {
        struct attach_question *earlier = &attacher->questions[i];
        if (earlier->number && !earlier->life == !message->life &&
            strcmp(earlier->consumer, message->domain) == 0)
            drop_question(attacher, earlier);
    }
}

/* The answer to an earlier question about a domain that is there is the answer to one that
 * is no doubt, too. A doubt comes behind all others also where it takes the place of an
 * earlier one: the request under way, which may be for that, is too old for it. */
static void add_question(struct attacher *attacher, const struct message *message)
{
    bool doubts = message->kind == MESSAGE_DOUBT;
    if (!doubts && attach_questions_wait(attacher->questions, attacher->question_count,
                                         message->domain))
        return;
    if (doubts)
        drop_earlier_doubt(attacher, message);
    struct attach_question *question =
        array_add(attacher->questions, attacher->question_count);
    question->id = ++attacher->last_question;
    uuid_text_copy(question->consumer, message->domain);
    if (doubts) {
        question->number = message->number;
        question->life = message->life;
    }
}

static void note_life(struct attacher *attacher, const struct message *message)
{
    if (message->kind == MESSAGE_GUEST)
        lives_note(&attacher->lives, message->guest.uuid,
                   message->guest.running ? message->life : 0);
    else if (message->kind == MESSAGE_GONE ||
             (message->kind == MESSAGE_DOUBT && message->life))
        lives_note(&attacher->lives, message->domain, 0);
    else if (message->kind == MESSAGE_CONNECTION)
        lives_clear(&attacher->lives);
}

static void add_gone(struct attacher *attacher, const char *domain)
{
    if (wanted_find(&attacher->table, domain))
        strlist_add_unique(&attacher->gone, domain);
}

/* Before the view takes it: of a domain that has gone while nobody looked nothing tells
 * but that it is not among all. */
static void note_gone(struct attacher *attacher, const struct message *message)
{
    const struct strlist *stale = &attacher->view.stale;
    if (message->kind == MESSAGE_GONE)
        add_gone(attacher, message->domain);
    for (size_t i = 0; message->kind == MESSAGE_ALL && i < stale->count; i++)
        add_gone(attacher, stale->items[i]);
}

static void take(void *data, struct message *message)
{
    struct attacher *attacher = data;
    attacher->news = true;
    if (message->kind == MESSAGE_STATE)
        count_state(attacher, message);
    note_gone(attacher, message);
    note_life(attacher, message);
    attacher_view_take(&attacher->view, message);
    if (message->kind == MESSAGE_ASK || message->kind == MESSAGE_DOUBT)
        add_question(attacher, message);
    else if (message->kind == MESSAGE_HOLDING)
        attach_holds_answered(&attacher->holds, message->serial, &message->addresses,
                              &attacher->table);
    else if (message->kind == MESSAGE_ALL)
        attach_holds_seen_all(&attacher->holds, clock_boot_seconds());
    else if (message->kind == MESSAGE_CONNECTION && message->up)
        log_info("agent", "attach: libvirt is connected");
    else if (message->kind == MESSAGE_CONNECTION)
        log_warning("agent", "attach: libvirt is not connected: %s",
                    message->reason ? message->reason : "no reason is known");
}

/* ---- the program's life ---- */

static void note_end(struct attacher *attacher, const struct error *err)
{
    int64_t now = clock_monotonic_ms();
    if (now - attacher->started_at >= STAYS)
        attacher->failures = 0;
    attacher->failures++;
    /* The pause need not be random: it is only this host's. */
    attacher->next_start =
        now + (int64_t)backoff_delay(1, attacher->failures, UINT32_MAX / 2);
    free(attacher->last_failure);
    attacher->last_failure = xasprintf("vgpu-agent-libvirt %s", err->text);
    log_warning("agent", "attach: %s", attacher->last_failure);
}

static void lose(struct attacher *attacher, bool returns)
{
    attacher->question_count = 0; /* the next program asks anew */
    lives_clear(&attacher->lives);
    attacher_view_lost(&attacher->view, NULL);
    attach_holds_lost(&attacher->holds, returns, clock_boot_seconds());
    attacher->news = true;
}

static void start(struct attacher *attacher)
{
    struct error err;
    const struct attach_place *place = &attacher->place;
    attacher->started_at = clock_monotonic_ms();
    attacher->user.starts(attacher->user.data);
    if (attach_link_start(&attacher->link, place->program, place->uri,
                          attacher->config->agent.log_level, &err) != 0)
        note_end(attacher, &err);
    else
        send_table(attacher);
}

static void stop(struct attacher *attacher)
{
    attach_link_stop(&attacher->link);
    lose(attacher, false);
    attacher_view_clear(&attacher->view);
    attacher->failures = 0;
    attacher->next_start = 0;
}

static bool is_same(const struct attach_place *a, const struct attach_place *b)
{
    return a->on == b->on && a->wrong == b->wrong &&
           strcmp(a->on ? a->uri : a->reason, b->on ? b->uri : b->reason) == 0 &&
           (!a->on || strcmp(a->program, b->program) == 0);
}

static void log_place(const struct attach_place *place)
{
    if (place->on)
        log_info("agent", "attach: guests get their devices through libvirt uri=%s",
                 place->uri);
    else if (!place->wrong)
        log_info("agent", "attach: guests do not get their devices from the agent: %s",
                 place->reason);
}

void attacher_follow(struct attacher *attacher, const struct config *config)
{
    attacher->config = config;
    struct attach_place place = attach_place_look(config);
    attacher->next_look = clock_monotonic_ms() + LOOK_AGAIN;
    /* A socket that goes while libvirt is restarted ends nothing: the program waits for
     * it. */
    bool stays = attacher->place.on && place.wanted && !place.on;
    if (stays || (attacher->followed && is_same(&place, &attacher->place))) {
        attach_place_clear(&place);
    } else {
        stop(attacher);
        attach_place_clear(&attacher->place);
        attacher->place = place;
        attacher->followed = true;
        log_place(&attacher->place);
    }
    attacher_run(attacher);
}

/* Its main thread makes no call that could last: it is stopped, or in a deadlock. What
 * has come is taken before, since it may be this process that has slept. */
static int end_silent(struct attacher *attacher, struct error *err)
{
    if (!attacher->link.runs ||
        !attach_holds_waits(&attacher->holds, ANSWER_LOST, clock_boot_seconds()))
        return 0;
    attach_link_stop(&attacher->link);
    return error_set(err, ERROR_TIMEOUT, "does not answer");
}

void attacher_run(struct attacher *attacher)
{
    struct error err;
    if (attach_link_run(&attacher->link, take, attacher, &err) != 0 ||
        end_silent(attacher, &err) != 0) {
        lose(attacher, true);
        note_end(attacher, &err);
    }
    if (attacher->place.on && !attacher->link.runs &&
        clock_monotonic_ms() >= attacher->next_start)
        start(attacher);
}

static void on_ready(void *data)
{
    struct attacher *attacher = data;
    if (attacher->config && clock_monotonic_ms() >= attacher->next_look)
        attacher_follow(attacher, attacher->config);
    else
        attacher_run(attacher);
}

struct watch attacher_watch(struct attacher *attacher)
{
    const struct attach_link *link = &attacher->link;
    int64_t at =
        attacher->place.on && !link->runs ? attacher->next_start : attacher->next_look;
    int64_t left = at - clock_monotonic_ms();
    return (struct watch){attach_link_fd(link), attach_link_events(link),
                          left > 0 ? (int)left : 0, on_ready, attacher};
}

/* ---- cycles ---- */

static void note_providers(struct attacher *attacher, const struct plan *plan)
{
    strlist_clear(&attacher->providers);
    for (size_t i = 0; i < plan->service_count; i++)
        strlist_add(&attacher->providers, plan->services[i].provider);
}

void attacher_begin_cycle(struct attacher *attacher)
{
    lives_begin_cycle(&attacher->lives);
}

void attacher_end_cycle(struct attacher *attacher, const struct cycle *cycle)
{
    if (cycle->whole && cycle->observed)
        lives_end_cycle(&attacher->lives, cycle->observed, &attacher->providers,
                        &attacher->view.domains);
}

void attacher_note_cycle(struct attacher *attacher, const struct cycle *cycle,
                         const struct guests *guests)
{
    struct wanted_table table;
    note_providers(attacher, cycle_plan(cycle));
    attach_table_make(cycle, &attacher->view.domains, &attacher->withheld, &table);
    if (cycle->config->agent.mode == MODE_NOVA)
        heal_add(cycle, guests, &attacher->view.domains, &attacher->table,
                 clock_boot_seconds(), &table);
    attacher_view_keep(&attacher->view, &table);
    if (attacher->table.serial && wanted_table_equal(&table, &attacher->table)) {
        wanted_table_clear(&table);
        return;
    }
    table.serial = attacher->table.serial + 1;
    wanted_table_clear(&attacher->table);
    attacher->table = table;
    send_table(attacher);
    attacher_run(attacher);
}

const struct attach_question *attacher_questions(const struct attacher *attacher,
                                                 size_t *count)
{
    *count = attacher->question_count;
    return attacher->questions;
}

static void say_sure(struct attacher *attacher, const struct attach_question *question,
                     const struct strlist *allocations)
{
    struct message message = {.kind = MESSAGE_SURE, .number = question->number};
    uuid_text_copy(message.domain, question->consumer);
    if (allocations)
        message.lasts = lives_count(&attacher->lives, question->consumer,
                                    question->life, allocations);
    attach_link_send(&attacher->link, &message);
}

static struct attach_question *find_question(const struct attacher *attacher,
                                             uint64_t id)
{
    for (size_t i = 0; i < attacher->question_count; i++)
        if (attacher->questions[i].id == id)
            return &attacher->questions[i];
    return NULL;
}

void attacher_answered(struct attacher *attacher, uint64_t id,
                       const struct strlist *allocations)
{
    struct attach_question *question = find_question(attacher, id);
    if (!question)
        return;
    if (question->number && attacher->link.runs)
        say_sure(attacher, question, allocations);
    drop_question(attacher, question);
    attacher_run(attacher);
}

const struct wanted_table *attacher_table(const struct attacher *attacher)
{
    return &attacher->table;
}

const struct strlist *attacher_providers(const struct attacher *attacher)
{
    return attacher->table.serial ? &attacher->providers : NULL;
}

struct strlist attacher_take_gone(struct attacher *attacher)
{
    struct strlist gone = attacher->gone;
    attacher->gone = (struct strlist){0};
    return gone;
}

bool attacher_has_news(struct attacher *attacher)
{
    bool news = attacher->news;
    attacher->news = false;
    return news;
}

/* ---- taking back ---- */

static void list_held(const struct attacher *attacher, const struct strlist *addresses,
                      struct strlist *held)
{
    int64_t now = clock_boot_seconds();
    strlist_clear(held);
    for (size_t i = 0; i < addresses->count; i++)
        if (attach_holds_has(&attacher->holds, addresses->items[i], now))
            strlist_add(held, addresses->items[i]);
}

/* Waits for what the program says next. */
static void wait_for_program(struct attacher *attacher, int64_t until)
{
    struct pollfd fd = {.fd = attach_link_fd(&attacher->link),
                        .events = attach_link_events(&attacher->link)};
    int64_t left = until - clock_monotonic_ms();
    (void)poll(&fd, 1, left > 0 ? (int)left : 0);
    attacher_run(attacher);
}

void attacher_take_back(void *data, const struct strlist *addresses,
                        struct strlist *held)
{
    struct attacher *attacher = data;
    if (attach_table_drop(&attacher->table, addresses)) {
        attacher->table.serial++;
        send_table(attacher);
    }
    attacher_run(attacher);
    int64_t until = clock_monotonic_ms() + TAKE_BACK_MOST;
    list_held(attacher, addresses, held);
    while (attach_holds_are_out(&attacher->holds, held) &&
           clock_monotonic_ms() < until) {
        wait_for_program(attacher, until);
        list_held(attacher, addresses, held);
    }
}

bool attacher_end(struct attacher *attacher)
{
    _cleanup_strlist_ struct strlist all = strlist_copy(&attacher->holds.out);
    _cleanup_strlist_ struct strlist held = {0};
    attacher_take_back(attacher, &all, &held);
    return !attach_holds_any(&attacher->holds, clock_boot_seconds());
}

bool attacher_may_be_left(const struct attacher *attacher)
{
    return attacher->link.runs ||
           attach_holds_any(&attacher->holds, clock_boot_seconds());
}

/* ---- what is known ---- */

const struct attacher_view *attacher_view(const struct attacher *attacher)
{
    return &attacher->view;
}

bool attacher_is_on(const struct attacher *attacher, const char **reason)
{
    *reason = attacher->place.reason;
    return attacher->place.on;
}

struct attach_times attacher_times(const struct attacher *attacher)
{
    return attacher->times;
}

void attacher_problems(const struct attacher *attacher, struct problem_list *out)
{
    const struct attach_place *place = &attacher->place;
    const struct attacher_view *view = &attacher->view;
    if (place->wrong)
        problems_add_take(out, "attach",
                          xasprintf("[agent] attach is libvirt, but guests do not get "
                                    "their devices: %s",
                                    place->reason));
    if (!place->on)
        return;
    if (!attacher->link.runs && attacher->last_failure)
        problems_add_take(
            out, "attach",
            xasprintf("guests do not get their devices: %s", attacher->last_failure));
    else if (!view->up && view->reason)
        problems_add_take(
            out, "attach",
            xasprintf("guests do not get their devices: libvirt: %s", view->reason));
    else if (attach_holds_waits(&attacher->holds, ANSWER_OVERDUE, clock_boot_seconds()))
        problems_add(out, "attach",
                     "guests do not get their devices: vgpu-agent-libvirt does not "
                     "answer");
}
