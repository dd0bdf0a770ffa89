#include "tests/unit/agent/attach/watcher_world.h"

#include <string.h>

#include "agent/attach/watched.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/test.h"

/* The world that settle() runs in. */
static struct world *current;

static int device_of(const char *address)
{
    char letter = device_letter(address);
    return letter < 'p' ? letter - 'a' : letter - 'p' + 4;
}

static size_t number_of(const char *uuid)
{
    return (size_t)(uuid[0] - '1');
}

/* ---- news ---- */

static void take_guest(struct world_domain *domain, const struct guest *guest)
{
    guest_clear(&domain->guest);
    domain->guest = guest_copy(guest);
    domain->told = true;
}

void world_take_news(struct world *world, int ask)
{
    struct watcher_news news;
    while (watcher_next_news(world->watcher, world->now, &news)) {
        struct world_domain *domain =
            news.kind == NEWS_ALL ? NULL : &world->domains[number_of(news.domain)];
        switch (news.kind) {
        case NEWS_ASK:
            if (ask == (int)number_of(news.domain))
                ask = NOBODY;
            break;
        case NEWS_DOUBT:
            domain->doubt = news.number;
            if (ask == (int)number_of(news.domain))
                ask = NOBODY;
            break;
        case NEWS_EARLY_DOUBT:
            domain->early = news.number;
            break;
        case NEWS_GUEST:
            take_guest(domain, news.guest);
            break;
        case NEWS_GONE:
            guest_clear(&domain->guest);
            domain->told = false;
            break;
        case NEWS_STATE:
            domain->has_state = true;
            domain->state = news.state;
            assert_true(news.since <= world->now);
            assert_int_equal(news.reason != NULL, news.state == GUEST_FAILED);
            break;
        case NEWS_ALL:
            world->told_all = true;
            if (world->late.until < 0)
                world->late.until = world->now + 59000;
            break;
        }
    }
    if (ask != NOBODY)
        fail_msg("domain %d was not asked for", ask + 1);
}

static bool is_busy(const struct world *world, const char *address)
{
    uint64_t serial;
    _cleanup_strlist_ struct strlist busy = {0};
    watcher_holding(world->watcher, &serial, &busy);
    assert_int_equal(serial, world->serial);
    return strlist_sorted_contains(&busy, address);
}

void world_look_at_holding(struct world *world)
{
    for (int i = 0; i < WORLD_DEVICES; i++) {
        char address[DEVICE_ADDRESS_SIZE];
        device_address((char)(i < 4 ? 'a' + i : 'p' + i - 4), address);
        if (world->given[i] == NOBODY && !is_busy(world, address))
            world->allowed[i] = NOBODY;
    }
}

/* ---- libvirt's calls ---- */

static void check_attach(struct world *world, size_t number, const char *address,
                         bool live)
{
    int device = device_of(address);
    if (world->allowed[device] != (int)number)
        fail_msg("device %d goes to domain %zu, and is %d's", device, number + 1,
                 world->allowed[device] + 1);
    if (world->given[device] != (int)number && !is_busy(world, address))
        fail_msg("device %d goes to domain %zu, and is not busy", device, number + 1);
    int64_t restored_at = world->domains[number].restored_at;
    if (live && restored_at >= 0 &&
        world->running->picked > world->domains[number].restored &&
        world->now < restored_at + WATCH_GRACE)
        fail_msg("domain %zu was restored and gets device %d live", number + 1, device);
}

static int act(void *connection, const char *uuid, const struct attach_action *action,
               enum hypervisor_failure *failure, struct error *err)
{
    struct world *world = current;
    size_t number = number_of(uuid);
    bool live = action->verb == ATTACH_LIVE || action->verb == ATTACH_BOTH;
    bool attaches = action->verb != DETACH_CONFIGURED;
    if (attaches)
        check_attach(world, number, action->address, live);
    world->fake.has_failed = false;
    int rc = fake_hypervisor.act(connection, uuid, action, failure, err);
    if (rc != 0 && *failure == HYPERVISOR_NO_PORT)
        world->fake.domains[number].ports = 0;
    if (rc == 0 && action->verb == ATTACH_LIVE)
        world_add_event(world, number, OCCASION_CHANGED);
    else if (rc == 0)
        world_add_event(world, number, OCCASION_DEFINED);
    if (attaches && world->fake.has_failed && *failure == HYPERVISOR_UNREACHABLE &&
        !world->fake.after_effect && !world->late.pending)
        world->late = (struct world_late){
            .pending = true,
            .domain = number,
            .letter = device_letter(action->address),
            .until =
                world->told_all && world->link == LINK_UP ? world->now + 59000 : -1};
    return rc;
}

static int look(void *connection, const char *uuid, struct guest *out,
                enum hypervisor_failure *failure, struct error *err)
{
    return fake_hypervisor.look(connection, uuid, out, failure, err);
}

static const struct hypervisor hypervisor = {.look = look, .act = act};

/* While one job is within a call, all else goes on. */
static void meanwhile(struct fake_domain *domain)
{
    (void)domain;
    for (int i = world_roll(current, 3); i >= 0; i--)
        world_act(current);
}

static void run(struct world *world, struct world_worker *worker)
{
    world->fake.calls = 0;
    world->fake.fail_at = world->fake.change_at = -1;
    if (!world->calm && world_roll(world, 4) == 0) {
        /* That there is no domain is said only where there is none. */
        static const enum hypervisor_failure failures[] = {
            HYPERVISOR_REFUSED,   HYPERVISOR_NO_PORT,     HYPERVISOR_THERE,
            HYPERVISOR_ELSEWHERE, HYPERVISOR_NOT_RUNNING, HYPERVISOR_UNREACHABLE};
        world->fake.fail_at = world_roll(world, 5);
        world->fake.failure = failures[world_roll(world, 6)];
        world->fake.after_effect = world_roll(world, 2);
    }
    if (!world->calm && world_roll(world, 3) == 0) {
        world->fake.change_at = world_roll(world, 5);
        world->fake.change = meanwhile;
    }
    current = world;
    world->running = worker;
    settle(&hypervisor, &world->fake, &worker->job, &worker->result);
    buffer_clear(&world->fake.log);
    worker->has_run = true;
}

/* ---- workers ---- */

static void check_alone(const struct world *world, const struct world_worker *worker)
{
    for (int i = 0; i < WORLD_WORKERS; i++)
        if (&world->workers[i] != worker && world->workers[i].busy &&
            strcmp(world->workers[i].job.domain, worker->job.domain) == 0)
            fail_msg("two jobs of %s at once", worker->job.domain);
}

static void pick_job(struct world *world)
{
    for (int i = 0; i < WORLD_WORKERS; i++) {
        struct world_worker *worker = &world->workers[i];
        if (worker->busy || !watcher_next_job(world->watcher, world->now, &worker->job))
            continue;
        worker->busy = true;
        worker->has_run = false;
        worker->picked = ++world->moment;
        check_alone(world, worker);
        if (world_roll(world, 2))
            run(world, worker);
    }
    world_look_at_holding(world);
}

static void end_job(struct world *world, struct world_worker *worker)
{
    if (!worker->busy)
        return;
    if (!worker->has_run)
        run(world, worker);
    watcher_done(world->watcher, worker->job.domain, &worker->result, world->now);
    settle_job_clear(&worker->job);
    worker->busy = false;
    world_take_news(world, NOBODY);
    world_look_at_holding(world);
}

/* ---- time ---- */

/* A call whose reply was lost is carried out, or never will be. */
static void end_late(struct world *world)
{
    struct world_late *late = &world->late;
    if (!late->pending)
        return;
    late->pending = false;
    struct fake_domain *domain = &world->fake.domains[late->domain];
    char address[DEVICE_ADDRESS_SIZE];
    device_address((char)late->letter, address);
    int device = device_of(address);
    if (world->allowed[device] != (int)late->domain)
        fail_msg("device %d goes late to domain %zu, and is %d's", device,
                 late->domain + 1, world->allowed[device] + 1);
    if (!domain->exists || !domain->guest.persistent || world_roll(world, 2))
        return;
    if (strlist_add_unique(&domain->guest.configured, address)) {
        strlist_sort(&domain->guest.configured);
        world_add_event(world, late->domain, OCCASION_DEFINED);
    }
}

static void pass_time(struct world *world, int64_t time)
{
    if (world->late.pending && world->late.until >= 0 &&
        world->late.until < world->now + time)
        end_late(world);
    world->now += time;
}

/* ---- all of it ---- */

void world_make(struct world *world, unsigned seed)
{
    *world = (struct world){.random = seed * 0x9e3779b97f4a7c15u + 1,
                            .now = 5000,
                            .watcher = watcher_new(),
                            .late = {.until = -1}};
    for (int i = 0; i < WORLD_DOMAINS; i++) {
        char uuid[] = SERVER(1);
        uuid[0] = (char)('1' + i);
        fake_add(&world->fake, make_guest(uuid, "transient", "", ""), 1)->exists =
            false;
        world->fake.domains[i].guest.running = false;
        world->domains[i].restored_at = -1;
        world->whole[i] = true;
    }
    for (int i = 0; i < WORLD_DEVICES; i++)
        world->given[i] = world->allowed[i] = NOBODY;
    for (int i = 0; i < 20; i++)
        (void)world_roll(world, 2);
}

void world_clear(struct world *world)
{
    for (int i = 0; i < WORLD_WORKERS; i++)
        settle_job_clear(&world->workers[i].job);
    for (int i = 0; i < WORLD_DOMAINS; i++)
        guest_clear(&world->domains[i].guest);
    watcher_free(world->watcher);
    fake_clear(&world->fake);
    strlist_clear(&world->listed);
}

static void be_sure(struct world *world, size_t number)
{
    struct world_domain *domain = &world->domains[number];
    bool early = domain->early && (!domain->doubt || world_roll(world, 2));
    uint64_t *question = early ? &domain->early : &domain->doubt;
    if (*question == 0)
        return;
    watcher_sure(world->watcher, world->fake.domains[number].guest.uuid, *question,
                 early ? world_roll(world, 3) * 500 : 0, world->now);
    *question = 0;
    world_take_news(world, NOBODY);
}

void world_step(struct world *world)
{
    switch (world_roll(world, 10)) {
    case 0:
    case 1:
    case 2:
        world_act(world);
        break;
    case 3:
    case 4:
        world_give_event(world);
        break;
    case 5:
        pick_job(world);
        break;
    case 6:
    case 7:
        end_job(world, &world->workers[world_roll(world, WORLD_WORKERS)]);
        break;
    case 8:
        be_sure(world, (size_t)world_roll(world, WORLD_DOMAINS));
        if (world->link == LINK_UP && world_roll(world, 10) == 0)
            world_lose_link(world);
        else
            world_move_link(world);
        break;
    default:
        if (world_roll(world, 20) == 0)
            end_late(world);
        pass_time(world, world_roll(world, 2) ? world_roll(world, 50)
                                              : world_roll(world, 70000));
        pick_job(world);
    }
}

static bool is_idle(const struct world *world)
{
    bool idle = world->event_count == 0 && !world->late.pending;
    for (int i = 0; i < WORLD_WORKERS; i++)
        idle &= !world->workers[i].busy;
    for (int i = 0; i < WORLD_DOMAINS; i++)
        idle &= world->domains[i].doubt == 0;
    return idle && watcher_wake_at(world->watcher) < 0 &&
           watcher_news_at(world->watcher) < 0;
}

void world_settle(struct world *world)
{
    world->calm = true;
    while (world->link != LINK_UP)
        world_move_link(world);
    if (world->serial == 0)
        world_give_table(world);
    for (int rounds = 0; rounds < 2000; rounds++) {
        world_give_event(world);
        world_take_news(world, NOBODY);
        for (size_t i = 0; i < 2 * WORLD_DOMAINS; i++)
            be_sure(world, i / 2);
        pick_job(world);
        for (int i = 0; i < WORLD_WORKERS; i++)
            end_job(world, &world->workers[i]);
        if (world->event_count > 0)
            continue;
        end_late(world);
        pick_job(world);
        if (is_idle(world))
            return;
        int64_t wake = watcher_wake_at(world->watcher);
        int64_t news = watcher_news_at(world->watcher);
        if (news >= 0 && (wake < 0 || news < wake))
            wake = news;
        if (wake > world->now)
            pass_time(world, wake - world->now);
    }
    fail_msg("something is done over and over");
}
